# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""The process that client.py describes: loads botocore, then forks itself for each program. Run as a script.

server.py LISTENER PIPE FILE    file descriptors of the socket and of the pipe whose end ends it, and the file of its memory or ''
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys

_PRELOADED = (
    "boto3", "botocore.session", "botocore.client", "botocore.auth", "botocore.httpsession", "botocore.paginate", "botocore.waiter",
    "boto3.session", "s3transfer.manager", "s3transfer.crt", "jmespath", "dateutil.parser", "base64", "copy", "datetime", "grp", "locale",
    "logging.handlers", "platform", "pwd", "runpy", "selectors", "shlex", "subprocess", "syslog", "traceback", "uuid", "zipfile",
)  # fmt: skip


def _serve(listener: socket.socket, pipe: int, path: str) -> None:
    """Answers until the other end of ``pipe`` is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: it is for the playbook, whose end is this one's
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            __import__(name)
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    from _warm import fork, memory

    remembered = memory.Memory(path)
    sys.path[0] = ""  # as it is for a program that comes from the input
    lessons: dict[int, bytearray] = {}  # of programs that run, by the pipe that they come from
    spare = None
    while True:
        leisure = remembered.todo or (spare is None and not lessons)
        ready = select.select([listener, pipe, *lessons], [], [], 0 if leisure else None)[0]
        if pipe in ready:
            remembered.save()
            return
        if not ready and remembered.todo:
            remembered.load_next()
        elif not ready:
            spare = fork.Fork(remembered, [listener.fileno(), pipe], rehearses=True)
        for lesson in set(ready) & lessons.keys():
            chunk = os.read(lesson, 1 << 20)
            lessons[lesson] += chunk
            if not chunk:
                remembered.learn(bytes(lessons.pop(lesson)))
                os.close(lesson)
        if listener in ready:
            connection, _address = listener.accept()
            with connection:
                if spare is not None:
                    lessons[spare.lesson] = bytearray()
                if spare is None or not spare.give(connection):
                    hurried = fork.Fork(remembered, [listener.fileno(), pipe, *lessons], rehearses=False)
                    lessons[hurried.lesson] = bytearray()
                    hurried.give(connection)
            spare = None


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3])
