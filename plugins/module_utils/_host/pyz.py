# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Packs the release into one file that any Python runs, and installs it; its content depends on the sources alone."""

from __future__ import annotations

import importlib
import io
import os
import stat
import tempfile
import zipfile

from . import files

PACKED = {
    "_compose": (
        "__init__", "description", "dockererrors", "dotenv", "errors", "fingerprint", "haproxy", "health", "images", "model", "names",
        "observed", "options", "plan", "record", "redact", "transform",
    ),
    "_iam": ("__init__", "denials"),
    "_host": (
        "__init__", "aws", "boot", "cli", "clock", "docker", "files", "fleet", "host", "info", "lock", "prepare", "process", "proxy",
        "pull", "recover", "release", "rollout", "scratch", "store", "watch",
    ),
}  # fmt: skip

_MAIN = "import sys\n\nfrom bluegreen_release._host.cli import main\n\nsys.exit(main())\n"
_MOMENT = (2026, 1, 1, 0, 0, 0)  # the same sources give the same bytes


def _source(package: str, module: str) -> str:
    """Source of one of our modules, also when it was imported from a zip file, as Ansible's are."""
    name = __package__.rpartition(".")[0] + "." + package + ("" if module == "__init__" else "." + module)
    loader = importlib.import_module(name).__spec__.loader
    return loader.get_source(name)  # type: ignore[attr-defined]


def build() -> bytes:
    """The archive with its first line that names the interpreter."""
    entries = {"__main__.py": _MAIN, "bluegreen_release/__init__.py": ""}
    for package, modules in PACKED.items():
        for module in modules:
            entries[f"bluegreen_release/{package}/{module}.py"] = _source(package, module)
    stream = io.BytesIO()
    stream.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(entries):
            item = zipfile.ZipInfo(name, _MOMENT)
            item.compress_type = zipfile.ZIP_DEFLATED
            item.external_attr = 0o644 << 16
            archive.writestr(item, entries[name])
    return stream.getvalue()


def install(path: str, *, check: bool = False) -> bool:
    """Writes the archive to ``path`` (mode 0755) when it is not there or differs; returns whether it was, or would be, written."""
    wanted = build()
    try:
        with open(path, "rb") as stream:
            if stream.read() == wanted and stat.S_IMODE(os.stat(path).st_mode) == 0o755:
                return False
    except FileNotFoundError:
        pass
    if check:
        return True
    directory = os.path.dirname(path)
    files.make_directory(directory, 0o755)
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=directory)
    with os.fdopen(handle, "wb") as stream:
        stream.write(wanted)
        os.fchmod(stream.fileno(), 0o755)
    os.replace(temporary, path)
    return True
