# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker: one process per Ansible run that holds one session per host and shares it between the run's workers.

A worker connects to its unix socket and says with HELLO which session it wants: `account` (see api.Account), `session` (see
driver.SessionOptions), `owner` (the process id of the ansible command) and `persist` (seconds). From then on both sides speak frames.
It ends, and terminates every session, when its owners are gone (persist seconds later), on SIGTERM, and when its socket is taken away.
Started by path with the socket's as its argument, and a lock's descriptor to close when it listens; the environment and the first
owner come as JSON on stdin. It says "ready" when it listens.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time

# Run by path: the folder of ansible_collections takes the place of this file's own, whose modules would hide others.
sys.path[0] = os.path.abspath(__file__).rsplit(os.sep + "ansible_collections" + os.sep, 1)[0]

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import frames  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import api  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.api import Account, SessionApi  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.clock import Clock  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.driver import SessionOptions  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.fetching import Fetching  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.rendezvous import peer_uid, started_at  # noqa: E402
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.serving import Client, Serving  # noqa: E402

LOOK_EVERY = 1.0
ACCEPT_AGAIN = 0.1
HELLO_TIMEOUT = 10.0
STOP_TIMEOUT = 30.0


class Owners:
    """The ansible commands that this broker works for; a process id that was given again is not one of them."""

    def __init__(self):
        self._known = {}

    def add(self, pid: int) -> None:
        if pid not in self._known:
            self._known[pid] = started_at(pid)

    def any_alive(self) -> bool:
        # A host's thread may add an owner meanwhile; only those that have been looked at are removed.
        for pid, started in list(self._known.items()):
            if not self._alive(pid, started):
                self._known.pop(pid, None)
        return bool(self._known)

    def _alive(self, pid, started):
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            return True
        return started_at(pid) == started and not _zombie(pid)


def _zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[:1] == [b"Z"]
    except OSError:
        return False


class Broker:
    """Accepts workers and hands each to the thread that serves its host."""

    def __init__(self, listener: socket.socket, path: str, owners: Owners):
        self._listener = listener
        self._path = path
        self._owners = owners
        self._persist = 0.0
        self._left_at: float | None = None
        self._apis = {}
        self._serving = {}
        self._fetching = set()
        self._no_side = set()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._wake, self._waker = os.pipe()
        self._clock = Clock()

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        for pid in list(self._owners._known):
            self._watch(poll, pid)
        try:
            while self._wanted():
                for descriptor, _events in poll.poll(LOOK_EVERY * 1000):
                    if descriptor == self._listener.fileno():
                        self._accept()
                    elif descriptor == self._wake:
                        return
        finally:
            self._stop()

    def stop(self, *_unused) -> None:
        """For signal handlers."""
        os.write(self._waker, b"x")

    # Inside

    def _watch(self, poll, pid):
        """Be woken when an owner ends; elsewhere than on Linux the regular look has to do."""
        with contextlib.suppress(AttributeError, OSError):
            poll.register(os.pidfd_open(pid), select.POLLIN)

    def _wanted(self):
        if self._inode() is None:
            return False
        if self._owners.any_alive():
            self._left_at = None
            return True
        now = time.monotonic()
        self._left_at = self._left_at or now
        return now - self._left_at < self._persist

    def _inode(self):
        try:
            return os.stat(self._path).st_ino
        except OSError:
            return None

    def _accept(self):
        try:
            connection, _address = self._listener.accept()
        except OSError:  # the worker has gone, or there are no descriptors left: those that wait stay in the queue
            self._clock.sleep(ACCEPT_AGAIN)
            return
        try:
            if peer_uid(connection) != os.getuid():
                connection.close()
                return
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()
        except (OSError, RuntimeError):  # a worker that is hung up on says so
            connection.close()

    def _greet(self, connection):
        """Read a worker's first frame and hand it over; a worker that says nothing sensible is hung up on."""
        connection.settimeout(HELLO_TIMEOUT)
        decoder = frames.FrameDecoder()
        try:
            received = []
            while not received:
                data = connection.recv(65536)
                if not data:
                    raise ProtocolError("A worker left without a word.")
                received = decoder.feed(data)
            first, *rest = received
            wish = json.loads(first.payload)
            self._owners.add(int(wish["owner"]))
            self._persist = max(self._persist, float(wish.get("persist") or 0))
            if first.kind == Kind.HELLO:
                serving = self._serving_for(wish, create=True)
                serving.adopt(Client(connection, decoder, rest), SessionOptions(**wish["session"]))
            elif first.kind == Kind.FETCH:
                self._fetch(connection, wish)
                connection.close()
            elif first.kind == Kind.RESET:
                serving = self._serving_for(wish, create=False)
                if serving is not None:
                    serving.reset()
                connection.close()
            else:
                raise ProtocolError(f"A worker began with {first}.")
        except Exception:  # a worker that is hung up on says so; one that nothing hangs up on would wait
            connection.close()

    def _serving_for(self, wish, create):
        """The thread that serves a host; timeouts, interpreter and reason do not make it another session."""
        session = wish["session"]
        identity = [wish["account"], *(session.get(name) for name in ("target", "document", "shell_only", "payload_size"))]
        key = json.dumps(identity, sort_keys=True)
        with self._lock:
            serving = self._serving.get(key)
            if create and (serving is None or not serving.is_alive()):
                serving = self._serving[key] = Serving(session["target"], self._api(wish["account"]), self._clock)
                serving.start()
            return serving

    def _api(self, account):
        key = json.dumps(account, sort_keys=True)
        if key not in self._apis:
            self._apis[key] = SessionApi(Account(**account))
        return self._apis[key]

    def _fetch(self, connection, wish):
        """A large file through a side session; where that was refused once it is not tried again in this run."""
        key = json.dumps([wish["account"], wish["session"]["target"]], sort_keys=True)
        with self._lock:
            api = self._api(wish["account"])
            refused = key in self._no_side
            self._fetching.add(threading.current_thread())
        try:
            if refused:
                lost = {"error": "A side session was refused before.", "kind": "SsmError"}
                connection.sendall(frames.encode_frame(Frame(Kind.LOST, 0, json.dumps(lost).encode("ascii"))))
            elif not Fetching(api, self._clock, self._stopping.is_set).serve(connection, wish):
                with self._lock:
                    self._no_side.add(key)
        finally:
            with self._lock:
                self._fetching.discard(threading.current_thread())

    def _stop(self):
        """End every session side by side; what does not end in time is left to the service's idle limit."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        self._listener.close()
        self._stopping.set()
        with self._lock:
            serving, fetching = list(self._serving.values()), list(self._fetching)
        for one in serving:
            one.stop()
        deadline = time.monotonic() + STOP_TIMEOUT
        for one in [*serving, *fetching]:
            one.join(max(0.0, deadline - time.monotonic()))


def main() -> None:
    wish = json.load(sys.stdin)
    os.environ.update(wish["environment"])
    path = sys.argv[1]
    os.umask(0o077)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener.bind(path)
    listener.listen(512)
    owners = Owners()
    owners.add(wish["owner"])
    broker = Broker(listener, path, owners)
    signal.signal(signal.SIGTERM, broker.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if len(sys.argv) > 2:
        os.close(int(sys.argv[2]))  # the lock that kept others from starting one more
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    threading.Thread(target=api.load, daemon=True).start()  # before the first worker needs it
    broker.run()
    os._exit(0)  # threads that are stuck in an API call do not keep it


if __name__ == "__main__":
    main()
