# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a worker meets its run's broker: the socket's path, starting a broker under a lock, and making sure who answers."""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import os
import socket
import stat
import struct
import subprocess
import sys
import tempfile

from .errors import SsmError

LONGEST_PATH = 100  # of a unix socket; 107 on Linux, 103 on macOS
HEEDED = ("AWS_", "BOTO", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
HERE = os.path.dirname(os.path.abspath(__file__))
PLUGINS = os.path.dirname(os.path.dirname(HERE))


def ansible_process() -> int:
    """The process id of the ansible command that this process works for: its parent in a worker, else itself."""
    parent = multiprocessing.parent_process()
    return os.getpid() if parent is None or parent.pid is None else parent.pid


def started_at(pid: int) -> str:
    """When a process started, in ticks, so that a process id that was given again is another process; "" where that is not known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode("ascii")
    except (OSError, IndexError):
        return ""


def version_stamp() -> str:
    """Changes with every file that a broker runs."""
    digest = hashlib.sha256()
    for folder in (HERE, os.path.join(PLUGINS, "module_utils", "_ssm")):
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            if entry.name.endswith(".py"):
                found = entry.stat()
                digest.update(f"{entry.path} {found.st_size} {found.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def heeded_environment() -> dict:
    """The part of the environment that decides whom the AWS API takes us for and how it is reached."""
    return {name: value for name, value in os.environ.items() if name.startswith(HEEDED)}


def socket_path(persist: bool) -> str:
    """The path of the socket of this run's broker, or, with `persist`, of the one that runs of this user share."""
    owner = ansible_process()
    parts = [version_stamp(), str(os.getuid()), json.dumps(heeded_environment(), sort_keys=True)]
    if not persist:
        parts += [str(owner), started_at(owner)]
    name = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:20]
    return os.path.join(private_folder(), name)


def private_folder() -> str:
    """A folder that nobody else can enter. SsmError when there is none."""
    candidates = [os.environ.get("XDG_RUNTIME_DIR"), os.path.expanduser("~/.ansible"), tempfile.gettempdir(), "/tmp"]  # noqa: S108, checked below
    refused = ""
    for parent in filter(None, candidates):
        folder = os.path.join(parent, f"bluegreen-ssm-{os.getuid()}")
        if len(os.fsencode(folder)) + 21 > LONGEST_PATH:
            continue
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            found = os.lstat(folder)
        except OSError as error:
            refused = f"{folder}: {error.strerror}"
            continue
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return folder
        refused = f"{folder} is not a folder of mine alone"
    raise SsmError(f"Cannot make a folder for the connection's socket ({refused}); set XDG_RUNTIME_DIR to a folder that is yours alone.")


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end; where the system does not tell, the folder's permissions have to do."""
    if not hasattr(socket, "SO_PEERCRED"):
        return os.getuid()
    return struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))[1]


def connect(path: str) -> socket.socket | None:
    """A connection to the broker behind a path, None when nobody listens there. SsmError when it is somebody else's."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        raise SsmError(f"Cannot reach the connection's broker at {path}: {error.strerror or error}.") from error
    if peer_uid(connection) != os.getuid():
        connection.close()
        raise SsmError(f"The socket {path} belongs to another user; remove it.")
    return connection


def start_early(path: str) -> None:
    """Let a broker start beside what this worker does until its first command, when none is there. Whatever fails here fails again later.

    The broker inherits the lock and keeps it until it listens, so that `connect_or_start` waits for it.
    """
    if os.path.exists(path):
        return
    try:
        with open(_lock_path(path), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.exists(path):
                _spawn(path, subprocess.DEVNULL, lock.fileno()).returncode = 0  # it outlives this worker; nobody waits for it
    except OSError:
        return


def connect_or_start(path: str) -> socket.socket:
    """A connection to the broker behind a path, which is started when there is none."""
    connection = connect(path)
    if connection is not None:
        return connection
    with open(_lock_path(path), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = connect(path)
        if connection is None:
            _start(path)
            connection = connect(path)
    if connection is None:
        raise SsmError("The connection's broker ended as soon as it had started.")
    return connection


def _lock_path(path):
    return os.path.join(os.path.dirname(path), "lock")


def _start(path):
    """Start a broker and wait until it listens."""
    process = _spawn(path, subprocess.PIPE)
    with process.stdout:
        said = process.stdout.readline()
        if said != b"ready\n":
            rest = (said + process.stdout.read()).decode("utf-8", "replace").strip().splitlines()
            raise SsmError(f"The connection's broker could not be started: {rest[-1] if rest else 'it said nothing'}.")
    process.returncode = 0  # it outlives this worker; nobody waits for it


def _spawn(path, output, lock=None):
    """The environment goes through the broker's stdin, so that no process list and no file shows it."""
    words = [sys.executable, os.path.join(HERE, "broker.py"), path]
    process = subprocess.Popen(
        words if lock is None else [*words, str(lock)],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
        cwd="/",
    )
    with process.stdin:
        process.stdin.write(json.dumps({"environment": dict(os.environ), "owner": ansible_process()}).encode("ascii"))
    return process
