# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host in the broker: a thread with the host's session and the workers that use it; starts the session when somebody wants it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import threading
from collections import deque

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import channel, frames, mux, session
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.relay import OPENING, Relay, ShellRelay, describe

from .api import SessionApi
from .clock import Clock
from .driver import SessionDriver, SessionOptions
from .errors import SessionLost, SsmError

READ_SIZE = 262144
IDLE_BEFORE_CHECK = 20.0
CHECK_TIMEOUT = 20.0
LOOK_EVERY = 30.0
RESET_TIMEOUT = 5.0
LOG_KEPT = 50


class Client:
    """One worker: its frames, read and written without ever blocking. `held` are frames that no session has seen yet."""

    def __init__(self, connection: socket.socket, decoder: frames.FrameDecoder, held: list):
        connection.setblocking(False)
        self._socket = connection
        self._decoder = decoder
        self._outgoing = bytearray()
        self.held = deque(held)
        self.greeted = False
        self.told = False
        self.gone = False

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def wants(self) -> int:
        return select.POLLIN | (select.POLLOUT if self._outgoing else 0)

    @property
    def waits(self) -> bool:
        """Whether a session has to be there for this worker."""
        return not self.gone and not self.told and (not self.greeted or any(frame.kind in OPENING for frame in self.held))

    def read(self) -> None:
        try:
            data = self._socket.recv(READ_SIZE)
            self.gone = self.gone or not data
            self.held.extend(self._decoder.feed(data))
        except BlockingIOError:
            pass
        except (OSError, ProtocolError):
            self.gone = True

    def send(self, frame: Frame) -> None:
        self._outgoing += frames.encode_frame(frame)

    def flush(self) -> None:
        try:
            while self._outgoing:
                del self._outgoing[: self._socket.send(self._outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            self.gone = True

    def close(self) -> None:
        self._socket.close()


class Serving(threading.Thread):
    """See the module. Only `adopt`, `reset`, `stop` and `join` are for other threads."""

    def __init__(self, target: str, api: SessionApi, clock: Clock, new_driver=SessionDriver):
        super().__init__(name=target, daemon=True)
        self._target = target
        self._api = api
        self._clock = clock
        self._new_driver = new_driver
        self._options: SessionOptions | None = None
        self._arrived = deque()
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)
        self._stopping = self._resetting = False
        self._reset_done = threading.Event()
        self._clients: list = []
        self._driver: SessionDriver | None = None
        self._relay: Relay | ShellRelay | None = None
        self._log_lines = deque(maxlen=LOG_KEPT)
        self._ending: list = []

    # For other threads

    def adopt(self, client: Client, options: SessionOptions) -> None:
        """Serve a worker from now on; the newest options count when a session has to be started."""
        self._arrived.append((client, options))
        self._poke()

    def reset(self) -> None:
        """End the session; returns when that is done, or when the service takes too long to say so."""
        self._reset_done.clear()
        self._resetting = True
        self._poke()
        self._reset_done.wait(CHECK_TIMEOUT)
        for thread in self._ending:
            thread.join(RESET_TIMEOUT)

    def stop(self) -> None:
        self._stopping = True
        self._poke()

    def _poke(self):
        os.write(self._waker, b"x")

    # The thread

    def run(self) -> None:
        try:
            while not self._stopping:
                try:
                    self._turn()
                except Exception as error:  # whatever it is, the next command finds a thread that serves it
                    self._failed(error)
        finally:
            self._end_session()
            for client in self._clients:
                client.close()
            for thread in self._ending:
                thread.join(CHECK_TIMEOUT)

    def _turn(self):
        self._adopt_arrived()
        if self._resetting:
            self._over(SessionLost(f"The session with {self._target} was reset"))
            self._resetting = False
            self._reset_done.set()
        try:
            if any(client.waits for client in self._clients):
                self._bring_up()
                self._greet()
            if self._driver is not None:
                self._pass_on()
                self._driver.others = self._descriptors()
                self._driver.pump(LOOK_EVERY)
                self._take_events()
            else:
                poll = select.poll()
                for descriptor, events in self._descriptors().items():
                    poll.register(descriptor, events)
                poll.poll()
        except SsmError as error:
            self._over(error)
        self._read_clients()

    def _failed(self, error):
        """Something that nothing here foresees: the session ends, and so do all who use it. Only what arrives from now on is served."""
        unforeseen = SessionLost(f"The session with {self._target} was lost: {type(error).__name__}: {str(error).rstrip('.')}")
        with contextlib.suppress(Exception):
            self._over(unforeseen)
        self._end_session()
        for client in self._clients:
            client.close()
        self._clients.clear()
        self._resetting = False
        self._reset_done.set()

    def _descriptors(self):
        return {self._wake: select.POLLIN, **{client.fileno(): client.wants for client in self._clients}}

    def _adopt_arrived(self):
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        while self._arrived:
            client, self._options = self._arrived.popleft()
            self._clients.append(client)

    def _read_clients(self):
        self._deliver()
        for client in self._clients:
            client.read()
            client.flush()
        for client in [one for one in self._clients if one.gone]:
            self._clients.remove(client)
            if self._relay is not None:
                self._relay.detach(client)
            client.close()

    # The session

    def _bring_up(self):
        """Make sure that there is a session which answers. SsmError when there is none; then nothing was sent."""
        if self._driver is not None and not self._relay.busy and self._clock.monotonic() - self._driver.idle_since > IDLE_BEFORE_CHECK:
            self._check()
        if self._driver is not None:
            return
        relay = Relay()
        driver = self._new_driver(
            self._api, self._options, clock=self._clock, log=self._log, client=lambda: relay, interrupted=self._interrupted
        )
        driver.others = {self._wake: select.POLLIN}
        driver.start()
        self._driver = driver
        self._relay = relay if driver.session.state is session.State.MULTIPLEXED else ShellRelay()

    def _interrupted(self):
        """Whether to give up a session that comes up; workers that arrive meanwhile are adopted and wait for it too."""
        self._adopt_arrived()
        return self._stopping or self._resetting

    def _check(self):
        """Find out whether an idle session is still there; if not, forget it: nothing is running in it."""
        try:
            if isinstance(self._relay, ShellRelay):
                self._driver.flush()
                return
            self._driver.others = {}
            self._relay.ping(b"check")
            deadline = self._clock.monotonic() + CHECK_TIMEOUT
            while not isinstance(event := self._driver.next_event(deadline), mux.Pong):
                if event is None or isinstance(event, channel.Closed):
                    raise SessionLost("The session does not answer.")
        except SsmError as error:
            self._log(str(error))
            self._end_session()

    def _greet(self):
        for client in self._clients:
            if not client.greeted:
                client.greeted = True
                client.send(Frame(Kind.HELLO, 0, describe(getattr(self._relay, "hello", None))))

    def _pass_on(self):
        """Hand the workers' frames to the session. From here on they are never sent again."""
        for client in self._clients:
            if client.told:
                client.held.clear()
            try:
                while client.held:
                    self._relay.request(client, client.held.popleft())
            except (ProtocolError, ValueError):
                client.gone = True
        if isinstance(self._relay, ShellRelay):
            if self._relay.broken:
                raise SessionLost(f"The session with {self._target} was ended to stop a command in its serial shell")
            command = self._relay.next_command()
            if command is not None:
                self._driver.session.shell_execute(*command)

    def _take_events(self):
        while (event := self._driver.next_event(self._clock.monotonic())) is not None:
            if isinstance(event, channel.Closed):
                reason = f": {event.reason.rstrip('.')}" if event.reason else ""
                raise SessionLost(f"The session with {self._target} was closed{reason}")
            if isinstance(event, session.ShellExit):
                self._relay.ended(event.code, event.stdout, event.stderr)
        self._deliver()

    def _deliver(self):
        if self._relay is not None:
            for client, frame in self._relay.deliveries():
                client.send(frame)
        if self._log_lines and self._clients:
            for line in self._log_lines:
                for client in self._clients:
                    client.send(Frame(Kind.LOG, 0, line.encode("utf-8", "replace")))
            self._log_lines.clear()
        for client in self._clients:
            client.flush()

    def _over(self, error):
        """The session is gone, or did not come up: tell everyone who waits for it, and only them."""
        waiting = self._relay.waiting() if self._relay is not None else set()
        self._deliver()
        for client in self._clients:
            if client in waiting or client.waits:
                sent = client in waiting  # else a loss is only a session that could not be had
                lost = {"error": str(error), "kind": type(error).__name__ if sent or not isinstance(error, SessionLost) else "SsmError"}
                client.send(Frame(Kind.LOST, 0, json.dumps(lost).encode("ascii")))
                client.flush()
                client.told = True  # it hangs up; what it still says is for nobody
        self._end_session()

    def _end_session(self):
        """Let go of the session; TerminateSession is called beside, it can take its time."""
        driver, self._driver, self._relay = self._driver, None, None
        if driver is not None:
            thread = threading.Thread(target=driver.end, daemon=True)
            thread.start()
            self._ending = [*(one for one in self._ending if one.is_alive()), thread]

    def _log(self, text):
        self._log_lines.append(text)
