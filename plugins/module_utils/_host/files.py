# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Files of a release: atomic and private writing, copying a bundle, digests of what it holds; knows no format."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile

from .._compose.errors import ComposeReleaseError, InvalidInput

_REMEDIES = {
    errno.ENOSPC: "Free space (docker image prune) or enlarge the volume, then run again.",
    errno.EDQUOT: "Free space or raise the quota, then run again.",
    errno.EROFS: "The file system is read-only: see 'dmesg', mount it again for writing, then run again.",
    errno.EACCES: "Run as root (become: true).",
}


def failure(attempt: str, exc: OSError) -> ComposeReleaseError:
    """``Failed to <attempt>: <what the system says>. <remedy>``"""
    where = f" ({exc.filename})" if exc.filename else ""
    remedy = _REMEDIES.get(exc.errno or 0, "See 'df -h' and 'dmesg' on the instance, then run again.")
    return ComposeReleaseError(f"Failed to {attempt}: {exc.strerror or exc}{where}. {remedy}")


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


def remove_unfinished(directory: str) -> None:
    """Removes temporary files of ``write`` whose process is gone; only for the one who may write here now."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(directory):
            if name.startswith(".new-"):
                os.unlink(os.path.join(directory, name))


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
    """The object in a file, or None when there is no such file or it is damaged (see ``damage``)."""
    try:
        data = json.loads(read(path))
    except (ValueError, OSError):
        return None
    return data if isinstance(data, dict) else None


def damage(path: str) -> str:
    """Why a file that is there cannot be read as an object; empty when it can, or is not there."""
    try:
        return "" if not os.path.lexists(path) or isinstance(json.loads(read(path)), dict) else "it holds no object"
    except ValueError as exc:
        return f"it is no JSON: {exc}"
    except OSError as exc:
        return exc.strerror or str(exc)


def make_directory(path: str, mode: int = 0o700) -> None:
    os.makedirs(path, mode=mode, exist_ok=True)


def remove_tree(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)


def key(path: str) -> bytes:
    """The instance's own random key, made when it is missing."""
    if not os.path.lexists(path):
        write(path, os.urandom(32).hex() + "\n")
    text = read(path).strip()
    try:
        if len(text) == 64:
            return bytes.fromhex(text)
    except ValueError:
        pass
    raise InvalidInput(
        f"Cannot release: {path}, the key under which values are compared, is damaged. Restore it from a backup, or delete it: the next "
        "release then starts every container anew, side by side where it can. Nothing was changed."
    )


def random_hex(digits: int) -> str:
    return os.urandom((digits + 1) // 2).hex()[:digits]


def copy_bundle(source: str, target: str) -> None:
    """Copies a bundle's files and directories with their modes; InvalidInput when there is no such directory."""
    if not os.path.isdir(source):
        raise InvalidInput(
            f"Cannot release from {source}: there is no such directory on the instance. Copy the application's bundle there first."
        )
    before = os.umask(0o077)  # copytree sets the modes when it has written the content
    try:
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    finally:
        os.umask(before)


def write_bundle(files: dict, target: str) -> None:
    for relative, text in files.items():
        path = os.path.join(target, relative)
        make_directory(os.path.dirname(path), 0o755)
        write(path, text if isinstance(text, str) else json.dumps(text), 0o600 if relative == ".env" else 0o644)


def contents(root: str, skip=(), within: str = "", seen: frozenset = frozenset()) -> tuple:
    """(SHA-256 and executable bit by relative path, set of relative paths with directories) of a tree; ``skip`` are relative paths.

    A link to a directory within the tree counts with what is in it, since Docker follows a link that is mounted itself.
    """
    within = within or os.path.realpath(root)
    digests: dict = {}
    paths: set = set()
    for directory, subdirectories, names in os.walk(root):
        for name in subdirectories:
            path = os.path.join(directory, name)
            paths.add(os.path.relpath(path, root))
            target = os.path.realpath(path)
            if os.path.islink(path) and target.startswith(within + os.sep) and target not in seen:
                found = contents(path + os.sep, (), within, seen | {target})[0]
                digests.update({os.path.relpath(os.path.join(path, each), root): text for each, text in found.items()})
        for name in names:
            path = os.path.join(directory, name)
            relative = os.path.relpath(path, root)
            if relative in skip:
                continue
            paths.add(relative)
            digests[relative] = digest(path)
    return digests, paths


def digest(path: str) -> str:
    """SHA-256 of what a path leads to, with its executable bit; of a link that leads nowhere, where it points."""
    where = "link:" + os.readlink(path) + " " if os.path.islink(path) else ""
    if not os.path.isfile(path):
        return where
    total = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 16), b""):
            total.update(block)
    executable = bool(os.stat(path).st_mode & stat.S_IXUSR)
    return f"{where}{total.hexdigest()}{'+x' if executable else ''}"
