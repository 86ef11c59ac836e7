# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multiplexer that runs on the instance: commands and file transfers over one raw terminal, framed as frames.py says.

Its source is sent through the session and run from memory, so that it stands alone: standard library of Python 3.6 and later,
nothing of the collection. The controller never runs it; importing it does nothing.
"""

from __future__ import annotations

import binascii
import contextlib
import errno
import fcntl
import hashlib
import json
import os
import pty
import select
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
import zlib

HELLO, EXEC, STDIN, STDIN_EOF, WINDOW, STDOUT, STDERR, EXIT, SIGNAL, PUT, GET, DATA, END, RESULT, PING, PONG, BYE, CANCEL = range(1, 19)
PIECE, KNOWN = 23, 24
CREDIT = 262144
CHUNK = 32768
HIGH_WATER = 65536
GRACE = 1.0  # a daemon may hold the pipes of a command that ended
GRACE_BUSY = 2.0
LEASE_BUSY = 300.0  # a client that lives sends a PING every minute while something runs
LEASE_IDLE = 1200.0
KNOWN_LIMIT = 8 << 20


def as_bytes(text):
    return text.encode("utf-8", "surrogateescape")


def reason(error):
    return getattr(error, "strerror", None) or str(error)


class Command:
    """One running command, its three streams and its credit."""

    def __init__(self, options):
        self.credit = CREDIT
        self.stdin_buffer = bytearray()
        self.stdin_ends = False
        self.ended = self.last_output = None
        self.code = 0
        self.unread = set()
        argv = [as_bytes(item) for item in options["argv"]]
        self.terminal = bool(options.get("pty"))
        if self.terminal:
            master, slave = pty.openpty()
            settings = termios.tcgetattr(slave)
            settings[1] &= ~termios.OPOST
            settings[3] &= ~(termios.ECHO | termios.ECHONL)
            termios.tcsetattr(slave, termios.TCSANOW, settings)
            try:
                self.process = subprocess.Popen(
                    argv,
                    stdin=slave,
                    stdout=slave,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                )
            finally:
                os.close(slave)
            self.stdin = os.dup(master)
            out, err = master, os.dup(self.process.stderr.fileno())
            self.process.stderr.close()
        else:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, bufsize=0
            )
            self.stdin, out, err = [os.dup(pipe.fileno()) for pipe in (self.process.stdin, self.process.stdout, self.process.stderr)]
            for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
                pipe.close()
        self.outputs = {out: STDOUT, err: STDERR}
        for descriptor in (self.stdin, out, err):
            os.set_blocking(descriptor, False)

    def close_stdin(self):
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None

    def signal(self, number):
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, number)

    def grace_over(self, now):
        """Seconds until the command counts as finished although its pipes are open, 0 when it does."""
        left = self.last_output + GRACE - now
        if not self.unread:  # what the command itself had written is out: the rest comes from what it left behind
            left = min(left, self.ended + GRACE_BUSY - now)
        return max(0.0, left)


class Upload:
    """A file on its way to the instance: written beside its destination, renamed when complete and right."""

    def __init__(self, options, channel):
        self.path = os.path.realpath(as_bytes(options["path"]))
        self.size, self.digest, self.mode = options["size"], options["sha256"], options.get("mode")
        self.hash, self.received, self.same, self.temporary = hashlib.sha256(), 0, False, None
        try:
            found = os.stat(self.path)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            found = None
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if found is not None and not stat.S_ISREG(found.st_mode):
            self.file = open(self.path, "wb")  # noqa: SIM115
            return
        if found is not None:
            if self.mode is None:
                self.mode = stat.S_IMODE(found.st_mode)
            self.same = found.st_size == self.size and self._digest_of_existing() == self.digest
        if self.same:
            self.file = None
            return
        self.temporary = self.path + as_bytes(".%d-%d.tmp" % (os.getpid(), channel))
        self.file = os.fdopen(os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def _digest_of_existing(self):
        found = hashlib.sha256()
        try:
            with open(self.path, "rb") as existing:
                for block in iter(lambda: existing.read(1 << 20), b""):
                    found.update(block)
        except OSError:
            return None
        return found.hexdigest()

    def write(self, data):
        self.file.write(data)
        self.hash.update(data)
        self.received += len(data)

    def finish(self):
        self.file.close()
        if self.received != self.size or self.hash.hexdigest() != self.digest:
            raise ValueError("the file arrived damaged: %d of %d bytes" % (self.received, self.size))
        if self.temporary is not None:
            if self.mode is not None:
                os.chmod(self.temporary, self.mode)
            os.rename(self.temporary, self.path)
            self.temporary = None

    def abandon(self):
        try:
            if self.file is not None:
                self.file.close()
        except OSError:
            pass
        if self.temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(self.temporary)
            self.temporary = None


class Download:
    """A file on its way to the client."""

    def __init__(self, options):
        self.file = open(as_bytes(options["path"]), "rb", 0)  # noqa: SIM115
        found = os.fstat(self.file.fileno())
        if stat.S_ISDIR(found.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        self.information = {"size": found.st_size, "mode": stat.S_IMODE(found.st_mode)}
        self.hash, self.sent, self.credit = hashlib.sha256(), 0, CREDIT
        hold = options.get("hold")
        if hold is not None and found.st_size > hold:  # the client may want to read it another way
            self.credit = 0
            self.information.update(pid=os.getpid(), descriptor=self.file.fileno())


class Multiplexer:
    """Reads frames from descriptor 0, whatever happens, and writes lines to descriptor 1 when it takes them."""

    def __init__(self):
        self.incoming, self.outgoing, self.frames = bytearray(), bytearray(), []
        self.commands, self.uploads, self.downloads, self.drains = {}, {}, {}, set()
        self.known, self.known_size = {}, 0
        self.heard = time.monotonic()
        self.wake, wake_end = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake_end, False)
        signal.set_wakeup_fd(wake_end)
        signal.signal(signal.SIGCHLD, lambda *_ignored: None)
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_ignored: self.hang_up())

    def run(self):
        os.set_blocking(0, False)
        os.set_blocking(1, False)
        hello = {"version": 1, "pid": os.getpid(), "uid": os.getuid(), "home": os.path.expanduser("~"), "cwd": os.getcwd()}
        hello.update(python="%d.%d.%d" % sys.version_info[:3], executable=sys.executable)
        self.send(HELLO, 0, json.dumps(hello).encode())
        while True:
            self.flush()
            self.wait()
            self.reap()

    def send(self, kind, channel, payload=b""):
        self.frames.append(struct.pack(">BII", kind, channel, len(payload)) + payload)

    def answer(self, channel, **result):
        self.send(RESULT, channel, json.dumps(result).encode())

    def flush(self):
        while self.frames:
            body = b""
            while self.frames and (not body or len(body) + len(self.frames[0]) <= CHUNK + 256):
                body += self.frames.pop(0)
            deflated = b"\0"
            if len(body) >= 256:
                packed = zlib.compress(body, 1)
                if len(packed) < len(body):
                    body, deflated = packed, b"\1"
            body = deflated + body
            self.outgoing += binascii.b2a_base64(struct.pack(">I", zlib.crc32(body) & 0xFFFFFFFF) + body)
        try:
            while self.outgoing:
                del self.outgoing[: os.write(1, self.outgoing[:CHUNK])]
        except BlockingIOError:
            pass
        except OSError:
            self.hang_up()

    def wait(self):
        room = len(self.outgoing) < HIGH_WATER
        poll, owners = select.poll(), {}
        poll.register(0, select.POLLIN)
        poll.register(self.wake, select.POLLIN)
        if self.outgoing:
            poll.register(1, select.POLLOUT)
        for channel, command in self.commands.items():
            if command.stdin is not None and command.stdin_buffer:
                owners[command.stdin] = (channel, None)
                poll.register(command.stdin, select.POLLOUT)
            if room and command.credit > 0:
                for descriptor, kind in command.outputs.items():
                    owners[descriptor] = (channel, kind)
                    poll.register(descriptor, select.POLLIN)
        for descriptor in self.drains:
            poll.register(descriptor, select.POLLIN)
        now = time.monotonic()
        until = self.heard + (LEASE_BUSY if self.commands or self.uploads or self.downloads else LEASE_IDLE) - now
        if until <= 0:
            self.hang_up()
        for command in self.commands.values():
            if command.ended is not None:
                until = min(until, command.grace_over(now) if room and command.credit > 0 else GRACE)
        if room and any(download.credit > 0 for download in self.downloads.values()):
            until = 0
        for descriptor, _events in poll.poll(until * 1000 + 1 if until else 0):
            if descriptor == 0:
                self.read_client()
            elif descriptor == self.wake:
                os.read(self.wake, 4096)
            elif descriptor in self.drains:
                self.drain(descriptor)
            elif descriptor in owners:
                channel, kind = owners[descriptor]
                if channel in self.commands:
                    if kind is None:
                        self.feed(channel, self.commands[channel])
                    else:
                        self.pump(channel, self.commands[channel], descriptor, kind)
        if room:
            for channel in list(self.downloads):
                self.pump_file(channel, self.downloads[channel])

    def read_client(self):
        try:
            data = os.read(0, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.hang_up()
        self.heard = time.monotonic()
        self.incoming += data
        position = 0
        while len(self.incoming) - position >= 9:
            kind, channel, length = struct.unpack_from(">BII", self.incoming, position)
            if len(self.incoming) < position + 9 + length:
                break
            payload = bytes(self.incoming[position + 9 : position + 9 + length])
            position += 9 + length
            self.handle(kind & 0x7F, channel, zlib.decompress(payload) if kind & 0x80 else payload)
        del self.incoming[:position]

    def handle(self, kind, channel, payload):
        command = self.commands.get(channel)
        if kind == EXEC:
            try:
                self.commands[channel] = Command(json.loads(payload.decode()))
            except (OSError, ValueError) as error:
                self.send(STDERR, channel, ("Cannot start the command: %s\n" % reason(error)).encode("utf-8", "replace"))
                self.send(EXIT, channel, struct.pack(">i", 127))
        elif kind in (PIECE, KNOWN):
            self.handle(STDIN, channel, self.remember(payload) if kind == PIECE else self.known[payload[:16]])
        elif kind == STDIN and command is not None:
            if command.stdin is None:
                self.send(WINDOW, channel, struct.pack(">I", len(payload)))
            else:
                command.stdin_buffer += payload
        elif kind == STDIN_EOF and command is not None:
            command.stdin_ends = True
            if command.stdin is not None and not command.stdin_buffer:
                self.end_stdin(command)
        elif kind == WINDOW:
            flow = command or self.downloads.get(channel)
            if flow is not None:
                flow.credit += struct.unpack(">I", payload)[0]
        elif kind == SIGNAL and command is not None:
            command.signal(payload[0])
        elif kind == PUT:
            try:
                upload = Upload(json.loads(payload.decode()), channel)
                if not upload.same:
                    self.uploads[channel] = upload
                self.answer(channel, same=upload.same)
            except (OSError, ValueError) as error:
                self.answer(channel, error=reason(error))
        elif kind == DATA and channel in self.uploads:
            try:
                self.uploads[channel].write(payload)
                self.send(WINDOW, channel, struct.pack(">I", len(payload)))
            except OSError as error:
                self.uploads.pop(channel).abandon()
                self.answer(channel, error=reason(error))
        elif kind == END and channel in self.uploads:
            upload = self.uploads.pop(channel)
            try:
                upload.finish()
                self.answer(channel, done=True)
            except (OSError, ValueError) as error:
                upload.abandon()
                self.answer(channel, error=reason(error))
        elif kind == GET:
            try:
                download = Download(json.loads(payload.decode()))
                self.answer(channel, **download.information)
                self.downloads[channel] = download
            except (OSError, ValueError) as error:
                self.answer(channel, error=reason(error), missing=getattr(error, "errno", None) == errno.ENOENT)
        elif kind == PING:
            self.send(PONG, channel, payload)
        elif kind == CANCEL:
            self.cancel(channel)
        elif kind == BYE:
            self.hang_up()

    def remember(self, data):
        """Keep the newest pieces of input; the broker forgets by the same rule."""
        self.known[hashlib.sha256(data).digest()[:16]] = data
        self.known_size += len(data)
        while self.known_size > KNOWN_LIMIT:
            self.known_size -= len(self.known.pop(next(iter(self.known))))
        return data

    def cancel(self, channel):
        """Nobody waits for this channel any more: a command gets SIGHUP, as from a terminal that went away, a transfer ends."""
        command = self.commands.get(channel)
        if command is not None:
            command.signal(signal.SIGHUP)
            self.drains.update(command.outputs)
            command.outputs = {}
            command.close_stdin()
        elif channel in self.uploads:
            self.uploads.pop(channel).abandon()
        elif channel in self.downloads:
            self.downloads.pop(channel).file.close()

    def end_stdin(self, command):
        if command.terminal:
            with contextlib.suppress(OSError):
                os.write(command.stdin, b"\x04")
        command.close_stdin()

    def feed(self, channel, command):
        try:
            written = os.write(command.stdin, command.stdin_buffer[:CHUNK])
        except BlockingIOError:
            return
        except OSError:  # the command closed its stdin: the rest is swallowed, as a shell's pipe would
            written = len(command.stdin_buffer)
            command.close_stdin()
        del command.stdin_buffer[:written]
        self.send(WINDOW, channel, struct.pack(">I", written))
        if command.stdin is not None and command.stdin_ends and not command.stdin_buffer:
            self.end_stdin(command)

    def pump(self, channel, command, descriptor, kind):
        if command.credit <= 0:
            return
        size = min(CHUNK, command.credit)
        try:
            data = os.read(descriptor, size)
        except BlockingIOError:
            return
        except OSError:  # a terminal says EIO where a pipe says end of file
            data = b""
        if not data:
            os.close(descriptor)
            del command.outputs[descriptor]
            command.unread.discard(descriptor)
            return
        command.credit -= len(data)
        (command.unread.add if len(data) == size else command.unread.discard)(descriptor)
        command.last_output = time.monotonic()
        self.send(kind, channel, data)

    def pump_file(self, channel, download):
        if download.credit <= 0:
            return
        try:
            data = download.file.read(min(CHUNK, download.credit))
        except OSError as error:
            self.answer(channel, error=reason(error))
            data = None
        if data:
            download.hash.update(data)
            download.sent += len(data)
            download.credit -= len(data)
            self.send(DATA, channel, data)
            return
        if data is not None:
            self.send(END, channel, json.dumps({"size": download.sent, "sha256": download.hash.hexdigest()}).encode())
        self.downloads.pop(channel).file.close()

    def drain(self, descriptor):
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drains.discard(descriptor)
            os.close(descriptor)

    def reap(self):
        now = time.monotonic()
        for channel, command in list(self.commands.items()):
            if command.ended is None:
                code = command.process.poll()
                if code is None:
                    continue
                command.code, command.ended, command.last_output = code, now, now
            if command.outputs and (len(self.outgoing) >= HIGH_WATER or command.credit <= 0):
                command.ended = command.last_output = now  # nobody reads them at the moment: their silence means nothing
                continue
            if command.outputs and command.grace_over(now) > 0:
                continue
            self.drains.update(command.outputs)  # read on, or the daemon would get SIGPIPE
            command.close_stdin()
            del self.commands[channel]
            self.send(EXIT, channel, struct.pack(">i", command.code))

    def hang_up(self):
        """The client is gone or says goodbye: what still runs gets SIGHUP, and the time that it takes to put things right."""
        running = [command for command in self.commands.values() if command.process.poll() is None]
        for command in running:
            command.signal(signal.SIGHUP)
        for upload in self.uploads.values():
            upload.abandon()
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline and any(command.process.poll() is None for command in running):
            select.select([], [], [], 0.02)
        os._exit(0)


def main():
    try:
        Multiplexer().run()
    finally:
        os._exit(98)  # never a traceback into the frames, and never the loader's exit codes


if __name__ == "__main__":
    main()
