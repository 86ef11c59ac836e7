# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases on disk."""

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.record import Record
from ansible_collections.bluegreen.aws.plugins.module_utils._host.store import Store

A, B = "20261121T041530Z-ab12", "20261121T041531Z-0000"


@pytest.fixture
def store(tmp_path):
    made = Store(str(tmp_path / "opt") + "/")
    made.set_up()
    return made


def save(store, identifier):
    os.makedirs(store.path(identifier))
    store.save(Record(id=identifier, project="popcon"))


def test_an_empty_directory(store, tmp_path):
    assert (store.records(), store.current(), store.journal(), store.unrecorded()) == ([], "", None, [])
    assert Store(str(tmp_path / "none")).records() == []
    assert stat.S_IMODE(os.stat(store.state).st_mode) == 0o700


def test_records_come_in_order_and_strangers_are_no_releases(store):
    save(store, B)
    save(store, A)
    os.makedirs(store.path("backup"))
    os.makedirs(store.path("20261121T041532Z-0000"))
    assert [item.id for item in store.records()] == [A, B]
    assert store.unrecorded() == ["20261121T041532Z-0000"]
    store.remove(A)
    assert [item.id for item in store.records()] == [B]


def test_the_live_one(store):
    store.set_current(A)
    store.set_current(B)
    assert store.current() == B


def test_the_journal(store):
    data = {"release": A, "phase": "switch", "previous": "", "services": []}
    store.write_journal(data)
    assert store.journal() == data
    store.clear_journal()
    store.clear_journal()
    assert store.journal() is None


def test_a_failed_release_keeps_no_secret(store):
    save(store, A)
    with open(os.path.join(store.path(A), ".env"), "w") as stream:
        stream.write("KEY=secret")
    store.forget_environment(A)
    store.forget_environment(A)
    assert os.listdir(store.path(A)) == ["release.json"]


def damage(store, identifier, text="{half"):
    save(store, identifier)
    with open(os.path.join(store.path(identifier), "release.json"), "w") as stream:
        stream.write(text)


@pytest.mark.case("B8")
@pytest.mark.parametrize("text", ["{half", "", "[]", '"text"', "{}", '{"id": "20200101T000000Z-0000", "project": "popcon"}'])
def test_a_record_that_cannot_be_read_is_damaged_and_not_unrecorded(store, text):
    save(store, A)
    damage(store, B, text)
    assert list(store.damaged()) == [B] and store.damaged()[B]
    assert store.unrecorded() == []
    assert [item.id for item in store.records()] == [A]


@pytest.mark.case("B8")
def test_a_damaged_journal_is_no_journal_and_is_named(store):
    for text, why in (("{half", "it is no JSON"), ("[]", "it holds no object"), ('{"release": "x"}', "it is incomplete")):
        with open(os.path.join(store.state, "journal.json"), "w") as stream:
            stream.write(text)
        assert store.journal() is None and store.journal_damage().startswith(why)
    store.clear_journal()
    assert store.journal_damage() == ""


@pytest.mark.case("B8")
def test_a_damaged_key_is_not_replaced(store):
    path = os.path.join(store.state, "key")
    for text in ("", "not hexadecimal" * 10, "ab"):
        with open(path, "w") as stream:
            stream.write(text)
        with pytest.raises(InvalidInput) as caught:
            store.key(create=True)
        assert str(caught.value) == (
            f"Cannot release: {path}, the key under which values are compared, is damaged. Restore it from a backup, or delete it: "
            "the next release then starts every container anew, side by side where it can. Nothing was changed."
        )
        with open(path) as stream:
            assert stream.read() == text


@pytest.mark.case("B8")
def test_the_live_environment_is_never_forgotten(store):
    save(store, A)
    with open(os.path.join(store.path(A), ".env"), "w") as stream:
        stream.write("KEY=secret")
    store.set_current(A)
    store.forget_environment(A)
    assert sorted(os.listdir(store.path(A))) == [".env", "release.json"]


@pytest.mark.case("A4")
def test_what_a_power_cut_left_of_a_file_is_swept(store):
    save(store, A)
    os.makedirs(os.path.join(store.proxies, "web"))
    left = [os.path.join(folder, ".new-x1") for folder in (store.state, store.path(A), os.path.join(store.proxies, "web"))]
    for path in left:
        with open(path, "w") as stream:
            stream.write("secret")
    store.sweep()
    assert [path for path in left if os.path.exists(path)] == []
    assert [item.id for item in store.records()] == [A]


def test_the_key_is_only_made_when_something_is_changed(store):
    assert store.key(create=False) != store.key(create=False)
    assert not os.path.exists(os.path.join(store.state, "key"))
    assert store.key(create=True) == store.key(create=False)


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="Run as root"):
        Store(str(tmp_path / "file" / "opt")).set_up()
