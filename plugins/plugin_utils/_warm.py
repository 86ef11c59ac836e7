# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""A process that has loaded what every AWS module loads, and forks itself for each module that is to run on the controller.

Loading botocore takes a quarter of a second, more than what most modules do with it. The server is started once for a playbook
run, loads it once, and is asked over a socket in a folder that only its owner can enter. A request has the program's text, its
environment and its working directory; the three standard streams are handed over as open files, so nothing of the program or of
what it says is written to disk. The forked process is the program in every other
way: one that is killed, or that says nothing, ends as it would anywhere.

Ansible sends each module with its utilities as a zip file without byte code, so Python compiles them for every task: another fifth
of a second. A fork therefore tells the server what it had to compile, and the next one has it.

The server ends when the process that started it ends: it then reads the end of a pipe that nobody else holds open.

    start() -> Server    in the process that runs the playbook
    run(address, …)      in any process
"""

from __future__ import annotations

import array
import contextlib
import hashlib
import json
import marshal
import os
import select
import selectors
import shutil
import signal
import socket
import struct
import sys
import tempfile
import types
import zipimport

ADDRESS = "BLUEGREEN_WARM_PYTHON"  # environment variable with the socket's path and the interpreter, for child processes
_PRELOADED = (
    "boto3", "botocore.session", "botocore.client", "botocore.auth", "botocore.httpsession", "botocore.paginate", "botocore.waiter",
    "boto3.session", "s3transfer.manager", "s3transfer.crt", "jmespath", "dateutil.parser", "base64", "copy", "datetime", "grp", "locale",
    "logging.handlers", "platform", "pwd", "runpy", "selectors", "shlex", "subprocess", "syslog", "traceback", "uuid", "zipfile",
)  # fmt: skip
_LENGTH = struct.Struct("!I")
_STREAMS = 3


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


def start() -> Server:
    """Starts a server with this interpreter. It is given time to load while the caller goes on: a request waits for it.

    The socket listens before this returns, so that nobody comes too early. OSError when there can be no such process.
    """
    folder = tempfile.mkdtemp(prefix="bluegreen-warm-")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.path.join(folder, "socket"))
        listener.listen(128)
        ours_end, pipe = os.pipe()
        words = [sys.executable, os.path.abspath(__file__), str(listener.fileno()), str(ours_end)]
        # Streams of its own: Ansible has closed its own for children, and files that took their numbers would be taken for them.
        inherit = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(_STREAMS)]
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
                lengths = _LENGTH.pack(len(header)) + _LENGTH.pack(len(program))
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
                answer = connection.recv(_LENGTH.size, socket.MSG_WAITALL)
    finally:
        for descriptor in (output, errors, *its):
            os.close(descriptor)
    return (_LENGTH.unpack(answer)[0] if len(answer) == _LENGTH.size else 255), *said


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


class _Compiled:
    """Byte code by the digest of its source: what is known when a program is forked, and what it adds."""

    def __init__(self) -> None:
        self.known: dict[bytes, types.CodeType] = {}
        self.new: dict[bytes, types.CodeType] = {}
        self._compile = getattr(zipimport, "_compile_source", None)  # CPython's; another interpreter compiles each time

    def install(self) -> None:
        if self._compile is not None:
            zipimport._compile_source = self._look_up  # type: ignore[attr-defined]

    def _look_up(self, path: str, source: bytes) -> types.CodeType:
        key = hashlib.blake2b(source, digest_size=16).digest()
        found = self.known.get(key)
        if found is None:
            found = self.new[key] = self._compile(path, source)  # type: ignore[misc]
        return found


def _serve(listener: socket.socket, pipe: int) -> None:
    """Answers until the other end of ``pipe`` is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: it is for the playbook, whose end is this one's
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            __import__(name)
    compiled = _Compiled()
    lessons: dict[int, bytearray] = {}  # by the pipe that they come from
    while True:
        ready, _, _ = select.select([listener, pipe, *lessons], [], [])
        if pipe in ready:
            return
        for lesson in set(ready) & lessons.keys():
            chunk = os.read(lesson, 1 << 20)
            lessons[lesson] += chunk
            if not chunk:
                _learn(compiled, bytes(lessons.pop(lesson)))
                os.close(lesson)
        if listener in ready:
            connection, _ = listener.accept()
            lesson, teaches = os.pipe()
            if os.fork() == 0:
                for descriptor in (pipe, lesson, *lessons):
                    os.close(descriptor)
                listener.close()
                code = _become_program(connection, compiled)
                _teach(compiled, teaches)
                os._exit(code)
            os.close(teaches)
            connection.close()
            lessons[lesson] = bytearray()


def _teach(compiled: _Compiled, pipe: int) -> None:
    with contextlib.suppress(OSError), os.fdopen(pipe, "wb") as writer:
        writer.write(marshal.dumps(compiled.new))


def _learn(compiled: _Compiled, lesson: bytes) -> None:
    # Half a lesson, of a program that was killed, is none.
    with contextlib.suppress(EOFError, ValueError, TypeError):
        compiled.known.update(marshal.loads(lesson))  # noqa: S302  # from a fork of this process


def _become_program(connection: socket.socket, compiled: _Compiled) -> int:
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
    compiled.install()
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
    import atexit

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
    _serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
