# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud's lines in a hosts file: other lines stay, other clouds stay, the file stays the same file."""

from __future__ import annotations

import logging
import threading

import pytest

from localcloud.dataplane import hosts
from localcloud.names import Name, Names

OWN = "127.0.0.1 localhost\n# by hand\n192.0.2.1 printer"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "hosts"
    file.write_text(OWN)
    return file


def test_public_addresses_come_first_and_private_ones_in_their_place():
    names = {
        "b.test": Name(("10.0.0.4",), ("127.77.0.4", "127.77.0.5")),
        "a.test": Name(("10.0.0.4",)),
        "none.test": Name(()),
        "*.wild.test": Name(("10.0.0.4",)),
        "evil.test\n127.0.0.1 bank.example": Name(("10.0.0.4",)),
        "text.test": Name(("not an address",)),
    }
    assert hosts.render("demo", names).splitlines() == [
        "10.0.0.4 a.test  # localcloud demo",
        "127.77.0.4 b.test  # localcloud demo",
        "127.77.0.5 b.test  # localcloud demo",
    ]
    assert hosts.render("demo", {}) == ""


def test_lines_come_and_go_and_the_rest_stays(path):
    before = path.stat().st_ino
    one, two = (hosts.render(cloud, {f"{cloud}.test": Name(("10.0.0.4",))}) for cloud in ("one", "one-two"))
    assert hosts.write("one", one, path)
    assert not hosts.write("one", one, path), "nothing to do"
    assert hosts.write("one-two", two, path)
    assert path.read_text() == f"{OWN}\n{one}{two}"
    with path.open("a") as file:
        file.write("192.0.2.2 scanner\n")
    changed = hosts.render("one", {"other.test": Name(("10.0.0.5",))})
    assert hosts.write("one", changed, path)
    assert path.read_text() == f"{OWN}\n{changed}{two}192.0.2.2 scanner\n", "in the place of the old ones"
    assert hosts.remove("one", path)
    assert not hosts.remove("one", path)
    assert path.read_text() == f"{OWN}\n{two}192.0.2.2 scanner\n"
    assert path.stat().st_ino == before, "it may be a mount: it is never replaced by another file"


def test_a_register_is_followed_by_many_threads_at_once(path):
    names = Names()
    hosts.Hosts("demo", names, path)
    threads = [threading.Thread(target=names.set, args=(f"n{number}.test", [f"10.0.0.{number}"])) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(".test " in line for line in path.read_text().splitlines()) == 40
    for number in range(40):
        names.remove(f"n{number}.test")
    assert path.read_text() == f"{OWN}\n"


def test_a_file_that_cannot_be_written_is_said_once(tmp_path, caplog):
    names = Names()
    hosts.Hosts("demo", names, tmp_path)  # a directory cannot be written, not even by root
    with caplog.at_level(logging.WARNING):
        names.set("a.test", ["10.0.0.4"])
        names.set("b.test", ["10.0.0.4"])
    assert [record.getMessage() for record in caplog.records] == [
        f"Names of this cloud do not resolve on this machine: {tmp_path} cannot be written (Is a directory). "
        "They do resolve inside its VPCs."
    ]
    assert not hosts.remove("demo", tmp_path)
