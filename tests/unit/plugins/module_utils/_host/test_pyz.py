# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release as one file."""

from __future__ import annotations

import ast
import os
import pathlib
import subprocess
import sys
import zipfile

from ansible_collections.bluegreen.aws.plugins.module_utils._host import pyz

UTILS = pathlib.Path(pyz.__file__).parents[1]


def test_every_file_is_packed():
    for package, modules in pyz.PACKED.items():
        found = {path.stem for path in (UTILS / package).glob("*.py")} - {"pyz"}  # pyz packs; what is packed installs nothing
        assert set(modules) == found


def test_it_is_installed_once_and_runs_without_ansible(tmp_path):
    path = tmp_path / "bin" / "compose-release.pyz"
    assert pyz.install(str(path), check=True) is True
    assert not path.exists()
    assert pyz.install(str(path)) is True
    assert pyz.install(str(path)) is False
    assert os.stat(path).st_mode & 0o777 == 0o755
    done = subprocess.run([sys.executable, "-I", str(path), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "usage: compose-release" in done.stdout
    path.write_bytes(b"damaged")
    assert pyz.install(str(path), check=True) is True
    assert pyz.install(str(path)) is True


def test_the_same_sources_give_the_same_bytes():
    assert pyz.build() == pyz.build()


def test_it_reads_as_python_3_8(tmp_path):
    (tmp_path / "x.pyz").write_bytes(pyz.build())
    with zipfile.ZipFile(tmp_path / "x.pyz") as archive:
        for name in archive.namelist():
            ast.parse(archive.read(name), name, feature_version=(3, 8))
