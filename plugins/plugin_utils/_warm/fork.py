# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""A fork of the server: waits for a program, is it to its end, and teaches the server what it had to work out.

One is forked while nothing runs, so that it is there before the next program is. What a fork writes to first is copied by the kernel, page
by page, and Python writes to whatever it looks at: half of what a short program takes. A fork that waits does that in the meantime, by
making a client of a service that nobody uses.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import json
import os
import signal
import socket
import sys
import typing as t

from .client import LENGTH, STREAMS

_TAKE, _TAKEN = b"?", b"!"


class Fork:
    """`give` it the connection of a program; what it teaches comes out of the pipe ``lesson``, whose end is the fork's.

    ``foreign``: open files of the server that are none of a program's. A fork that is given nothing ends with the server.
    """

    def __init__(self, remembered, foreign: t.Iterable[int], rehearses: bool) -> None:
        self._way, its_way = socket.socketpair()
        self.lesson, teaches = os.pipe()
        if os.fork() == 0:
            for descriptor in (*foreign, self._way.detach(), self.lesson):
                os.close(descriptor)
            if rehearses:
                remembered.rehearse()
            _wait(its_way, teaches, remembered)
        its_way.close()
        os.close(teaches)

    def give(self, connection: socket.socket) -> bool:
        """False when the fork is no more. It may have been killed while it waited, so it says that it has taken it."""
        with self._way:
            try:
                socket.send_fds(self._way, [_TAKE], [connection.fileno()])
                return self._way.recv(1) == _TAKEN
            except OSError:
                return False


def _wait(way: socket.socket, teaches: int, remembered) -> t.NoReturn:
    with way:
        said, descriptors, _flags, _address = socket.recv_fds(way, 1, 1)
        if not said:
            os._exit(0)
        way.sendall(_TAKEN)
    code = _become_program(socket.socket(fileno=descriptors[0]), remembered)
    with contextlib.suppress(OSError), os.fdopen(teaches, "wb") as writer:
        writer.write(remembered.lesson())
    os._exit(code)


def _become_program(connection: socket.socket, remembered) -> int:
    """In the forked process: what is asked for, to its end. Its exit code was sent when this returns it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    lengths, ancillary, _flags, _from = connection.recvmsg(2 * LENGTH.size, socket.CMSG_SPACE(STREAMS * array.array("i").itemsize))
    streams = array.array("i", ancillary[0][2])
    header_length, program_length = LENGTH.unpack(lengths[: LENGTH.size])[0], LENGTH.unpack(lengths[LENGTH.size :])[0]
    with connection.makefile("rb") as reader:
        header = json.loads(reader.read(header_length))
        program = reader.read(program_length)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(header["environment"])
    os.chdir(header["folder"])
    os.umask(header["umask"])
    remembered.install()
    code = _execute(program)
    for number in (1, 2):  # whoever asked reads to their end
        os.dup2(0, number)
    # To whoever waits; nobody does when the playbook was killed.
    with contextlib.suppress(OSError):
        connection.sendall(LENGTH.pack(code))
        connection.shutdown(socket.SHUT_RDWR)
    return code


def _execute(program: bytes) -> int:
    """Runs Python source as the interpreter runs what comes from its input, and returns the exit code."""
    sys.argv = ["-"]
    main = type(sys)("__main__")
    main.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    try:
        exec(compile(program, "<stdin>", "exec"), main.__dict__)  # noqa: S102  # what this process is for
        code = 0
    except SystemExit as exc:
        code = _code_of(exc)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return code & 0xFF


def _code_of(exc: SystemExit) -> int:
    if exc.code is None:
        return 0
    if isinstance(exc.code, int):
        return exc.code
    sys.stderr.write(f"{exc.code}\n")
    return 1
