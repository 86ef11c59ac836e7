# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files: written whole and private, copied, compared."""

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput
from ansible_collections.bluegreen.aws.plugins.module_utils._host import files


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_writing_is_private_and_leaves_nothing_else(tmp_path):
    files.write(str(tmp_path / "a"), "one\r\n")
    files.write(str(tmp_path / "a"), "two")
    assert files.read(str(tmp_path / "a")) == "two"
    assert mode(tmp_path / "a") == 0o600
    assert os.listdir(tmp_path) == ["a"]


def test_a_writing_that_fails_keeps_the_old_text(tmp_path, monkeypatch):
    files.write(str(tmp_path / "a"), "old")
    monkeypatch.setattr(os, "replace", lambda *_args: (_unused for _unused in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        files.write(str(tmp_path / "a"), "new")
    assert files.read(str(tmp_path / "a")) == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_what_is_not_there_or_damaged(tmp_path):
    assert files.read(str(tmp_path / "none")) == ""
    assert files.read_json(str(tmp_path / "none")) is None
    files.write(str(tmp_path / "half"), '{"a": ')
    assert files.read_json(str(tmp_path / "half")) is None
    files.remove_tree(str(tmp_path / "none"))


def test_a_link_moves_in_one_step(tmp_path):
    files.link("releases/1", str(tmp_path / "current"))
    files.link("releases/2", str(tmp_path / "current"))
    assert os.readlink(tmp_path / "current") == "releases/2"
    assert os.listdir(tmp_path) == ["current"]


def test_the_key_is_made_once(tmp_path):
    first = files.key(str(tmp_path / "key"))
    assert len(first) == 32 and files.key(str(tmp_path / "key")) == first
    assert mode(tmp_path / "key") == 0o600


def test_contents_count_what_is_in_files_and_whether_they_run(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a").write_text("x")
    (tmp_path / "run").write_text("x")
    (tmp_path / ".env").write_text("secret")
    (tmp_path / "link").symlink_to("conf/a")
    first, paths = files.contents(str(tmp_path), skip=(".env",))
    assert set(first) == {"conf/a", "run", "link"} and paths == {"conf", "conf/a", "run", "link"}
    assert first["conf/a"] == first["run"] and first["link"] == "link:conf/a " + first["conf/a"]
    (tmp_path / "run").chmod(0o755)
    assert files.contents(str(tmp_path))[0]["run"] != first["run"]


def test_bundles(tmp_path):
    files.write_bundle({"docker-compose.yml": "services: {}", "conf/app.conf": "x"}, str(tmp_path / "one"))
    files.copy_bundle(str(tmp_path / "one"), str(tmp_path / "two"))
    assert files.contents(str(tmp_path / "one")) == files.contents(str(tmp_path / "two"))
    assert mode(tmp_path / "two" / "conf" / "app.conf") == 0o644
    with pytest.raises(InvalidInput, match="there is no such directory on the instance"):
        files.copy_bundle(str(tmp_path / "none"), str(tmp_path / "three"))
