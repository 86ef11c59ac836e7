# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery, beyond what the kill tests of test_release.py show: what it says, and what it leaves alone."""

from __future__ import annotations

import os

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.record import Record
from ansible_collections.bluegreen.aws.plugins.module_utils._host.recover import recover

from .machine import make_host

A, B = "20261121T041530Z-ab12", "20261121T041531Z-0000"


def host_with(machine, *records):
    made = make_host(machine, state="rolled_back")
    made.store.set_up()
    for item in records:
        os.makedirs(made.store.path(item.id))
        made.store.save(item)
    return made


def test_nothing_to_do(machine):
    made = host_with(machine, Record(id=A, project="popcon", result="succeeded"))
    recover(made)
    assert (made.timeline, made.warnings) == ([], [])


def test_a_directory_without_a_record_goes(machine):
    made = host_with(machine)
    os.makedirs(made.store.path(B))
    recover(made)
    assert made.store.unrecorded() == []


def test_a_record_that_never_ended_is_closed(machine):
    made = host_with(machine, Record(id=A, project="popcon", actor="alice"))
    recover(made)
    closed = made.store.records()[0]
    assert (closed.result, closed.error) == ("interrupted", "the process that released was killed")
    assert made.warnings == [f"Release {A} by alice was interrupted; what it had started was removed."]


def test_a_journal_whose_release_is_live_only_has_to_finish(machine):
    made = host_with(machine, Record(id=A, project="popcon"))
    made.store.set_current(A)
    made.store.write_journal({"release": A, "phase": "switch", "previous": "", "services": []})
    recover(made)
    assert made.store.records()[0].result == "succeeded"
    assert made.store.journal() is None
    assert made.timeline[0]["event"] == f"release {A} was interrupted while its predecessor drained; finishing it"
