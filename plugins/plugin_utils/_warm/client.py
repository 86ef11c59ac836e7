# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""A process that has loaded what every AWS module loads, and forks itself for each module that is to run on the controller.

Loading botocore takes a quarter of a second, more than what most modules do with it. The server (server.py) is started once for a
playbook run, loads it once, and is asked over a socket in a folder that only its owner can enter. A request has the program's text,
its environment and its working directory; the three standard streams are handed over as open files, so nothing of the program or of
what it says is written to disk. The forked process is the program in every other way: one that is killed, or that says nothing, ends
as it would anywhere.

The server ends when the process that started it ends: it then reads the end of a pipe that nobody else holds open.

    start() -> Server    in the process that runs the playbook
    run(address, …)      in any process
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import selectors
import shutil
import socket
import struct
import sys
import tempfile

ADDRESS = "BLUEGREEN_WARM_PYTHON"  # environment variable with the socket's path, for the processes that Ansible forks
LENGTH = struct.Struct("!I")  # of what is sent to the server and back
STREAMS = 3


class Unavailable(Exception):
    """The server cannot be reached; nothing was run."""


class Server:
    """A running server; `close` ends it and removes its folder. What it runs at that time runs on."""

    def __init__(self, pid: int, folder: str, pipe: int) -> None:
        self.pid = pid
        self.address = os.path.join(folder, "socket")
        self._folder = folder
        self._pipe = pipe

    def close(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            shutil.rmtree(self._folder, ignore_errors=True)


def start(memory: str = "") -> Server:
    """Starts a server with this interpreter. It is given time to load while the caller goes on: a request waits for it.

    ``memory``: file in which it keeps what it learns, see memory.py. The socket listens before this returns, so that nobody comes too
    early. OSError when there can be no such process.
    """
    folder = tempfile.mkdtemp(prefix="bluegreen-warm-")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.path.join(folder, "socket"))
        listener.listen(128)
        ours_end, pipe = os.pipe()
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.py")
        words = [sys.executable, program, str(listener.fileno()), str(ours_end), memory]
        # Streams of its own: Ansible has closed its own for children, and files that took their numbers would be taken for them.
        inherit = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(STREAMS)]
        os.set_inheritable(listener.fileno(), True)
        os.set_inheritable(ours_end, True)
        pid = os.posix_spawn(sys.executable, words, os.environ, file_actions=inherit)
        os.close(ours_end)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        listener.close()
    return Server(pid, folder, pipe)


def run(address: str, program: bytes) -> tuple[int, bytes, bytes]:
    """Runs ``program``, Python source, with this process's environment and folder and no input: (exit code, output, errors).

    255 for a program that ended without an exit code, such as one that was killed. Unavailable when no server answered; then nothing
    was run.
    """
    header = json.dumps({"environment": dict(os.environ), "folder": os.getcwd(), "umask": _umask()}).encode()
    (output, its_output), (errors, its_errors), nothing = os.pipe(), os.pipe(), os.open(os.devnull, os.O_RDONLY)
    its = [nothing, its_output, its_errors]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.connect(address)
                lengths = LENGTH.pack(len(header)) + LENGTH.pack(len(program))
                connection.sendmsg([lengths], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", its))])
            except OSError as exc:
                raise Unavailable(f"no server answers at {address}: {exc}") from exc
            while its:
                os.close(its.pop())
            with contextlib.suppress(OSError):
                connection.sendall(header)
                connection.sendall(program)
            said = _read_all(output, errors)
            answer = b""
            with contextlib.suppress(OSError):
                answer = connection.recv(LENGTH.size, socket.MSG_WAITALL)
    finally:
        for descriptor in (output, errors, *its):
            os.close(descriptor)
    return (LENGTH.unpack(answer)[0] if len(answer) == LENGTH.size else 255), *said


def _read_all(*descriptors: int) -> tuple[bytes, ...]:
    """What comes out of each until its end."""
    said: dict[int, bytearray] = {descriptor: bytearray() for descriptor in descriptors}
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select():
                chunk = os.read(key.fd, 65536)
                said[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fd)
    return tuple(bytes(said[descriptor]) for descriptor in descriptors)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
