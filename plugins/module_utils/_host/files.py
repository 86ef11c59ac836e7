# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Files of a release: atomic and private writing, copying a bundle, digests of what it holds; knows no format."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import tempfile

from .._compose.errors import InvalidInput


def write(path: str, text: str, mode: int = 0o600) -> None:
    """Writes a file so that a reader sees the old or the new one, whole, also after a power cut; never readable by more than ``mode``."""
    directory = os.path.dirname(path)
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=directory)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_directory(directory)


def _sync_directory(directory: str) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def link(target: str, path: str) -> None:
    """Points the symbolic link ``path`` at ``target`` in one step."""
    temporary = f"{path}.new-{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    os.symlink(target, temporary)
    os.replace(temporary, path)
    _sync_directory(os.path.dirname(path))


def read(path: str) -> str:
    """The text, or empty when there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def read_json(path: str):
    """The data, or None when there is no such file or it is damaged."""
    text = read(path)
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def make_directory(path: str, mode: int = 0o700) -> None:
    os.makedirs(path, mode=mode, exist_ok=True)


def remove_tree(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)


def key(path: str) -> bytes:
    """The instance's own random key, made when it is missing."""
    text = read(path).strip()
    if not text:
        text = os.urandom(32).hex()
        write(path, text + "\n")
    return bytes.fromhex(text)


def random_hex(digits: int) -> str:
    return os.urandom((digits + 1) // 2).hex()[:digits]


def copy_bundle(source: str, target: str) -> None:
    """Copies a bundle's files and directories with their modes; InvalidInput when there is no such directory."""
    if not os.path.isdir(source):
        raise InvalidInput(
            f"Cannot release from {source}: there is no such directory on the instance. Copy the application's bundle there first."
        )
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)


def write_bundle(files: dict, target: str) -> None:
    for relative, text in files.items():
        path = os.path.join(target, relative)
        make_directory(os.path.dirname(path), 0o755)
        write(path, text if isinstance(text, str) else json.dumps(text), 0o644)


def contents(root: str, skip=()) -> tuple:
    """(SHA-256 and executable bit by relative path, set of relative paths with directories) of a tree; ``skip`` are relative paths."""
    digests: dict = {}
    paths: set = set()
    for directory, subdirectories, names in os.walk(root):
        for name in subdirectories:
            paths.add(os.path.relpath(os.path.join(directory, name), root))
        for name in names:
            path = os.path.join(directory, name)
            relative = os.path.relpath(path, root)
            if relative in skip:
                continue
            paths.add(relative)
            digests[relative] = _digest(path)
    return digests, paths


def _digest(path: str) -> str:
    if os.path.islink(path):
        return "link:" + os.readlink(path)
    total = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 16), b""):
            total.update(block)
    executable = bool(os.stat(path).st_mode & stat.S_IXUSR)
    return f"{total.hexdigest()}{'+x' if executable else ''}"
