# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done on one instance through its session: run a command, put a file, get a file; knows nothing of Ansible.

A command is sent at most once. When the session is lost after that, CommandMayHaveRun says so and nothing is repeated.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import mux

from .clock import Clock
from .errors import SessionLost, SsmError
from .link import Link

READ_SIZE = 65536
QUEUE_LIMIT = 262144
SIGKILL = 9


class CommandMayHaveRun(SessionLost):
    """The session was lost after the command was sent."""


class CommandTimeout(SsmError):
    """The command ran longer than it may; it was killed."""


class FileError(SsmError):
    """A file could not be read or written; `missing` says that it is not there."""

    def __init__(self, text: str, missing: bool = False):
        super().__init__(text)
        self.missing = missing


class Host:
    """`new_link()` returns a link that has not been started; a lost one is replaced before the next command.

    Files of more than `side_above` bytes are fetched through a side session where that is possible; None never does.
    """

    def __init__(
        self,
        name: str,
        new_link: Callable[[], Link],
        clock: Clock,
        *,
        side_above: int | None = None,
        log: Callable[[str], None] = lambda text: None,
    ):
        self._name = name
        self._side_above = side_above
        self._log = log
        self._new_link = new_link
        self._clock = clock
        self._link: Link | None = None

    @property
    def multiplexed(self) -> bool:
        return self._link is not None and self._link.alive and self._link.multiplexed

    def connect(self) -> None:
        """Make sure that there is a way to a session which takes commands."""
        if self._link is None or not self._link.alive:
            link = self._new_link()
            link.start()
            self._link = link

    def close(self) -> None:
        """Leave the session to others."""
        link, self._link = self._link, None
        if link is not None:
            link.end()

    def reset(self) -> None:
        """End the session; the next command starts another one."""
        link, self._link = self._link or self._new_link(), None
        link.reset()

    def run(
        self,
        argv: list[str],
        stdin: bytes = b"",
        *,
        terminal: bool = False,
        timeout: float | None = None,
        dialogue=None,
        dialogue_timeout: float = 60.0,
    ) -> tuple[int, bytes, bytes]:
        """Run a command; return its exit code (128 + n for signal n), stdout and stderr.

        `dialogue`, if given, sees the output first (`feed(stdout, stderr) -> reply bytes`, `done`, `flush() -> (stdout, stderr)`), and
        stdin is sent when it is done. CommandTimeout when it takes longer than `timeout` seconds.
        """
        self.connect()
        if not self.multiplexed and dialogue is not None and dialogue.needs_reply:
            raise SsmError(
                f"Cannot answer a password prompt on {self._name}: it has no Python 3.6 or later, and without it commands run without "
                "a dialogue; install python3 with a raw task first, or let the user escalate without a password."
            )
        started = self._clock.monotonic()
        deadline = None if timeout is None else started + timeout
        client = self._link.mux
        number = client.execute(argv, terminal=terminal)
        stdout, stderr = bytearray(), bytearray()
        waiting = dialogue is not None and not dialogue.done
        serial = not self.multiplexed  # takes input only with the command, gives output only when it has ended
        fed = not waiting or serial
        if fed:
            self._feed_all(client, number, stdin)
        while True:
            until = deadline
            if waiting and not serial:
                until = min(started + dialogue_timeout, deadline) if deadline is not None else started + dialogue_timeout
            event = self._next(until)
            if event is None:
                client.signal(number, SIGKILL)
                self._link.flush()
                if waiting and not serial:
                    raise CommandTimeout(f"Nothing answered to privilege escalation on {self._name} within {dialogue_timeout:.0f} s.")
                raise CommandTimeout(f"The command on {self._name} ran longer than {timeout:.0f} s and was killed.")
            if isinstance(event, (mux.Stdout, mux.Stderr)) and event.channel == number:
                if waiting:
                    out, err = (event.data, b"") if isinstance(event, mux.Stdout) else (b"", event.data)
                    try:
                        reply = dialogue.feed(out, err)
                    except BaseException:
                        client.signal(number, SIGKILL)
                        self._link.flush()
                        raise
                    if reply:
                        client.write(number, reply)
                    if dialogue.done:
                        waiting = False
                        self._collect(dialogue, stdout, stderr)
                        if not fed:
                            self._feed_all(client, number, stdin)
                else:
                    (stdout if isinstance(event, mux.Stdout) else stderr).extend(event.data)
            elif isinstance(event, mux.Exit) and event.channel == number:
                if waiting:
                    self._collect(dialogue, stdout, stderr)
                return event.code if event.code >= 0 else 128 - event.code, bytes(stdout), bytes(stderr)

    def put(self, source: str, destination: str) -> bool:
        """Copy a local file to the instance; return False when it was there already with the same contents."""
        try:
            with open(source, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
                file.seek(0)
                self.connect()
                if not self.multiplexed:
                    self._put_through_shell(file.read(), digest, destination)
                    return True
                return self._put(file, size, digest, destination)
        except OSError as error:
            raise FileError(f"Cannot read {source}: {error.strerror or error}.", missing=isinstance(error, FileNotFoundError)) from error

    def get(self, source: str, destination: str) -> None:
        """Copy a file of the instance to a local path, which is complete or untouched afterwards."""
        self.connect()
        try:
            special = os.path.exists(destination) and not stat.S_ISREG(os.stat(destination).st_mode)
            partial = destination if special else f"{destination}.{os.getpid()}.part"
            try:
                with open(partial, "wb") as file:
                    if self.multiplexed:
                        self._get(source, file, None if special else self._side_above)
                    else:
                        self._get_through_shell(source, file)
                if not special:
                    os.replace(partial, destination)
            except BaseException:
                if not special and os.path.exists(partial):
                    os.unlink(partial)
                raise
        except OSError as error:
            raise FileError(f"Cannot write {destination}: {error.strerror or error}.") from error

    # Inside

    def _next(self, deadline, sent=True):
        try:
            return self._link.next_event(deadline)
        except SessionLost as error:
            if sent:
                raise CommandMayHaveRun(
                    f"{error}; the command had been sent and may have run: it is not sent again, "
                    "check the instance before you run it again."
                ) from error
            raise

    def _feed_all(self, client, number, data):
        client.write(number, data)
        client.close_stdin(number)

    def _collect(self, dialogue, stdout, stderr):
        out, err = dialogue.flush()
        stdout += out
        stderr += err

    def _put(self, file, size, digest, destination):
        client = self._link.mux
        number = client.put(destination, size, digest)
        announced = ended = False
        while True:
            # A small file goes out behind its announcement; a large one waits for the answer, which may be that it is there.
            while (announced or size <= READ_SIZE) and not ended and client.queued(number) < QUEUE_LIMIT:
                data = file.read(READ_SIZE)
                if data:
                    client.put_data(number, data)
                else:
                    client.finish_put(number)
                    ended = True
            event = self._next_transfer(destination)
            if isinstance(event, mux.Result) and event.channel == number:
                if "error" in event.values:
                    raise FileError(f"Cannot write {destination} on {self._name}: {event.values['error']}.")
                if event.values.get("same"):
                    return False
                if event.values.get("done"):
                    return True
                announced = True

    def _get(self, source, file, hold):
        client = self._link.mux
        number = client.get(source, hold)
        digest = hashlib.sha256()
        size = 0
        while True:
            event = self._next_transfer(source)
            if isinstance(event, mux.Result) and event.channel == number and "error" in event.values:
                missing = bool(event.values.get("missing"))
                raise FileError(f"Cannot read {source} on {self._name}: {event.values['error']}.", missing=missing)
            if isinstance(event, mux.Result) and event.channel == number and "descriptor" in event.values:
                if self._get_beside(event.values, file):
                    client.cancel(number)
                    self._link.flush()
                    return
                client.release(number)
            if isinstance(event, mux.Data) and event.channel == number:
                file.write(event.data)
                digest.update(event.data)
                size += len(event.data)
            elif isinstance(event, mux.End) and event.channel == number:
                if (event.size, event.sha256) != (size, digest.hexdigest()):
                    raise FileError(f"Cannot read {source} on {self._name}: it arrived damaged, {size} of {event.size} bytes.")
                return

    def _get_beside(self, held, file):
        """Try a held file through a side session; when that fails the file is empty again and the session's own way remains."""
        digest = hashlib.sha256()

        def write(data):
            file.write(data)
            digest.update(data)

        try:
            size, expected = self._link.fetch(held, write)
            if (file.tell(), digest.hexdigest()) == (size, expected):
                return True
        except SsmError as error:
            self._log(f"{error} The file comes through the session itself.")
        file.seek(0)
        file.truncate()
        return False

    def _next_transfer(self, path):
        try:
            return self._next(None, sent=False)
        except SessionLost as error:
            raise SessionLost(f"{error}; the transfer of {path} is incomplete, its destination is as it was.") from error

    def _put_through_shell(self, data, digest, destination):
        target, part = _quote(destination), _quote(destination + ".part")
        check = f"case $(sha256sum {part} 2>/dev/null) in {digest}*|'') ;;*) exit 9;;esac"
        script = f"umask 077&&cat >{part}&&{check}&&{{ [ ! -d {target} ]||exit 8;}}&&mv -f {part} {target}||{{ r=$?;rm -f {part};exit $r;}}"
        code, _stdout, stderr = self.run(["sh", "-c", script], data)
        if code:
            raise FileError(f"Cannot write {destination} on {self._name}: {_last_line(stderr) or f'exit code {code}'}.")

    def _get_through_shell(self, source, file):
        code, stdout, stderr = self.run(["sh", "-c", f"cat <{_quote(source)}"])
        if code:
            missing, _out, _err = self.run(["sh", "-c", f"[ -e {_quote(source)} ]"])
            raise FileError(f"Cannot read {source} on {self._name}: {_last_line(stderr) or f'exit code {code}'}.", missing=bool(missing))
        file.write(stdout)


def _quote(text):
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _last_line(data):
    lines = data.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].rstrip(".") if lines else ""
