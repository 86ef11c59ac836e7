# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bundle."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleLookupError

from ansible_collections.bluegreen.aws.plugins.lookup.bundle import LookupModule


def run(folder):
    return LookupModule().run([str(folder)])[0]


def test_files_and_version(tmp_path):
    (tmp_path / ".env.example").write_text("A=\n")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/app.ini").write_text("ä\n")
    (tmp_path / "conf/app.ini~").write_text("backup")
    first = run(tmp_path)
    assert first["files"] == {".env.example": "A=\n", "conf/app.ini": "ä\n"}
    (tmp_path / ".env.example").write_text("B=\n")
    assert run(tmp_path)["version"] != first["version"]


def test_a_missing_folder(tmp_path):
    with pytest.raises(AnsibleLookupError, match="there is no such folder. Create it or correct the path"):
        run(tmp_path / "none")


def test_a_binary_file_is_named(tmp_path):
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\xff")
    with pytest.raises(AnsibleLookupError, match="logo.png as text"):
        run(tmp_path)
