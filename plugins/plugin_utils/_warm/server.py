# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""The process that client.py describes: loads botocore, then forks itself for each program. Run as a script.

    server.py LISTENER PIPE FILE    file descriptors of the socket and of the pipe whose end ends it, and the file of its memory or ''
"""

from __future__ import annotations

import array
import atexit
import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys

_PRELOADED = (
    "boto3", "botocore.session", "botocore.client", "botocore.auth", "botocore.httpsession", "botocore.paginate", "botocore.waiter",
    "boto3.session", "s3transfer.manager", "s3transfer.crt", "jmespath", "dateutil.parser", "base64", "copy", "datetime", "grp", "locale",
    "logging.handlers", "platform", "pwd", "runpy", "selectors", "shlex", "subprocess", "syslog", "traceback", "uuid", "zipfile",
)  # fmt: skip
_LENGTH = struct.Struct("!I")
_STREAMS = 3


def _serve(listener: socket.socket, pipe: int, path: str) -> None:
    """Answers until the other end of ``pipe`` is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: it is for the playbook, whose end is this one's
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            __import__(name)
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    from _warm import memory

    remembered = memory.Memory(path)
    sys.path[0] = ""  # as it is for a program that comes from the input
    lessons: dict[int, bytearray] = {}  # by the pipe that they come from
    while True:
        ready = select.select([listener, pipe, *lessons], [], [], 0 if remembered.todo else None)[0]
        if pipe in ready:
            remembered.save()
            return
        if not ready:
            remembered.load_next()
        for lesson in set(ready) & lessons.keys():
            chunk = os.read(lesson, 1 << 20)
            lessons[lesson] += chunk
            if not chunk:
                remembered.learn(bytes(lessons.pop(lesson)))
                os.close(lesson)
        if listener in ready:
            connection, _address = listener.accept()
            lesson, teaches = os.pipe()
            if os.fork() == 0:
                for descriptor in (pipe, lesson, *lessons):
                    os.close(descriptor)
                listener.close()
                code = _become_program(connection, remembered)
                _teach(remembered, teaches)
                os._exit(code)
            os.close(teaches)
            connection.close()
            lessons[lesson] = bytearray()


def _teach(remembered, pipe: int) -> None:
    with contextlib.suppress(OSError), os.fdopen(pipe, "wb") as writer:
        writer.write(remembered.lesson())


def _become_program(connection: socket.socket, remembered) -> int:
    """In the forked process: what is asked for, to its end. Its exit code was sent when this returns it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    lengths, ancillary, _flags, _from = connection.recvmsg(2 * _LENGTH.size, socket.CMSG_SPACE(_STREAMS * array.array("i").itemsize))
    streams = array.array("i", ancillary[0][2])
    header_length, program_length = _LENGTH.unpack(lengths[: _LENGTH.size])[0], _LENGTH.unpack(lengths[_LENGTH.size :])[0]
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
        connection.sendall(_LENGTH.pack(code))
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


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3])
