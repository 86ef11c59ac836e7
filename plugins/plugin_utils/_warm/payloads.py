# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""Keeps what Ansible assembled of each module (its source and utilities in a zip file, without arguments) from one run to the next.

Ansible reads and parses a hundred files for the first use of a module in a run, a fifth of a second and more, and forgets it at the end.
A kept one is offered again as long as Ansible finds its packages where it found them, and each file has the time and size that it had.
What cannot be read, or belongs to another version of Ansible or Python, does not count; then Ansible assembles the module as always.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pickle
import sys
import zipfile
from base64 import b64decode
from io import BytesIO

_INDEX = ".files.json"


def folder_of(cache: str, version: str) -> str:
    """Where payloads of this Ansible and this Python are; the folder and the cache are their owner's alone. OSError when they cannot be."""
    folder = os.path.join(cache, f"modules-{version}-{sys.implementation.cache_tag}")
    os.makedirs(cache, mode=0o700, exist_ok=True)
    status = os.stat(cache)
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise PermissionError(f"{cache} can be written by others; payloads are not kept there.")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def offer(folder: str, target: str) -> int:
    """Links what is still true into ``target``, where Ansible looks; returns how many."""
    os.makedirs(target, exist_ok=True)
    seen: dict = {}
    roots: dict = {}
    number = 0
    for entry in os.scandir(folder):
        if entry.name == "memory" or entry.name.endswith((_INDEX, ".part")):
            continue
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, ImportError):
            with open(entry.path + _INDEX, encoding="utf-8") as file:
                index = json.load(file)
            # Another checkout, or another virtual environment, has files of its own.
            same_roots = all(_root(package, roots) == root for package, root in index["roots"].items())
            if same_roots and all(_state(path, seen) == state for path, state in index["files"].items()):
                os.symlink(entry.path, os.path.join(target, entry.name))
                number += 1
    return number


def keep(folder: str, target: str) -> int:
    """Copies what Ansible has assembled in ``target``; returns how many."""
    number = 0
    if not os.path.isdir(target):
        return number
    for entry in os.scandir(target):
        if entry.is_symlink() or not entry.is_file() or entry.name.endswith((".lock", "-part")):
            continue
        # An Ansible whose files look otherwise: nothing is kept.
        with contextlib.suppress(OSError, ValueError, AttributeError, ImportError, pickle.UnpicklingError, zipfile.BadZipFile):
            seen: dict = {}
            roots: dict = {}
            files = {path: _state(path, seen) for path in _sources(entry.path, roots)}
            _replace(os.path.join(folder, entry.name + _INDEX), json.dumps({"roots": roots, "files": files}).encode())
            with open(entry.path, "rb") as file:
                _replace(os.path.join(folder, entry.name), file.read())
            number += 1
    return number


def _sources(path: str, roots: dict) -> list[str]:
    """The files that a payload was made of; ``roots`` learns where their packages are."""
    with open(path, "rb") as file:
        cached = pickle.load(file)  # noqa: S301  # Ansible wrote it in this run
    with zipfile.ZipFile(BytesIO(b64decode(cached.zip_data))) as archive:
        return sorted({_source(name, roots) for name in archive.namelist()})


def _source(name: str, roots: dict) -> str:
    """ansible/module_utils/basic.py -> where that is."""
    parts = name.split("/")
    package, depth = (".".join(parts[:3]), 3) if parts[0] == "ansible_collections" and len(parts) > 3 else (parts[0], 1)
    return os.path.join(_root(package, roots), *parts[depth:])


def _root(package: str, roots: dict) -> str:
    """Where this process finds a package; ImportError when it does not."""
    if package not in roots:
        roots[package] = next(iter(importlib.import_module(package).__path__))
    return roots[package]


def _state(path: str, seen: dict):
    """[time, size] of a file, None of one that is not there: a package without an __init__.py has an empty one in the payload."""
    if path not in seen:
        try:
            status = os.stat(path)
            seen[path] = [status.st_mtime_ns, status.st_size]
        except OSError:
            seen[path] = None
    return seen[path]


def _replace(path: str, content: bytes) -> None:
    part = f"{path}.{os.getpid()}.part"
    with open(part, "wb") as file:
        file.write(content)
    os.replace(part, path)
