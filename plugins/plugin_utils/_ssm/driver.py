# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps one session going: starts it, moves its bytes, resumes it after a drop, ends it; knows nothing of commands or of Ansible.

It works only while it is called: `pump` moves what is due and waits for the next thing. A session that nobody pumps may lose its
websocket meanwhile; the next pump resumes it.
"""

from __future__ import annotations

import os
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import bringup, channel, handshake, mux_remote, session, side, websocket
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import DamagedMessage, ProtocolError

from .api import SessionApi, Started
from .clock import Clock
from .encryption import SessionCipher
from .errors import ApiError, DocumentRefused, SessionLost, SsmError, StreamError, TargetNotReady
from .stream import Stream

COMMAND_DOCUMENT = "AWS-StartInteractiveCommand"
SIDE_DOCUMENT = "AWS-StartNonInteractiveCommand"
PING_EVERY = 30.0
SILENCE_MEANS_DROPPED = 45.0
HEARTBEAT = 60.0
ATTEMPT = 20.0
NO_PROXY = "check that no proxy stands between that forbids websockets"
BACKOFF_START = 0.1
BACKOFF_MAX = 5.0


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """Times in seconds. `document` None means: the command document, then the account's default shell.

    `command` starts a session without a terminal that runs it, and nothing else; such a session cannot be resumed.
    """

    target: str
    document: str | None = None
    interpreter: str | None = None
    shell_only: bool = False
    reason: str | None = None
    connect_timeout: float = 60.0
    boot_grace: float = 10.0
    reconnect_timeout: float = 120.0
    payload_size: int = channel.INPUT_PAYLOAD
    command: str | None = None


def multiplexer_source() -> str:
    """Return the source of the multiplexer, which runs on the instance from memory."""
    with open(mux_remote.__file__, encoding="utf-8") as file:
        return file.read()


class SessionDriver:
    """One session. `log(text)` gets lines for -vvv, without secrets; `connect` opens a stream, for tests.

    `client()` returns what speaks with the multiplexer, by default a MuxClient; `interrupted()` is asked while the session comes up.
    `others` are descriptors that end a wait, with the poll events wanted of them.
    """

    def __init__(
        self,
        api: SessionApi,
        options: SessionOptions,
        *,
        clock: Clock,
        log: Callable[[str], None],
        connect=Stream.connect,
        client: Callable[[], object] | None = None,
        interrupted: Callable[[], bool] | None = None,
    ):
        self._api = api
        self._client = client or (lambda: None)
        self._interrupted = interrupted or (lambda: False)
        self._options = options
        self._clock = clock
        self._log = log
        self._connect = connect
        self._stream = None
        self._websocket = None
        self._events = deque()
        self._started: Started | None = None
        self._last_heard = self._last_ping = self._last_beat = 0.0
        self._awaited_since: float | None = None
        self._start_deadline: float | None = None
        self.session: session.Session | None = None
        self.reconnections = 0
        self.others: dict = {}

    @property
    def alive(self) -> bool:
        return self.session is not None and self._started is not None and self.session.state is not session.State.CLOSED

    @property
    def idle_since(self) -> float:
        """The time something was last heard from the other side."""
        return self._last_heard

    def start(self) -> None:
        """Bring the session up; raise SsmError with the reason when that fails within the connect timeout. Nothing has run then."""
        deadline = self._start_deadline = self._clock.monotonic() + self._options.connect_timeout
        nonce = secrets.token_hex(8)
        loader = bringup.loader(nonce, self._options.interpreter, self._options.shell_only)
        typed = self._start_session(loader, deadline)
        try:
            data_channel = channel.DataChannel(self._clock.epoch_ms, payload_size=self._options.payload_size)
            if self._options.command is not None:
                self.session = side.SideSession(data_channel)
            else:
                self.session = session.Session(data_channel, nonce, multiplexer_source(), loader if typed else None, self._client())
            self._open_stream(self._started, deadline)
            while True:
                event = self.next_event(deadline)
                if isinstance(event, session.Up):
                    break
                if event is None and self._interrupted():
                    raise SsmError(f"The session with {self._options.target} was given up while it came up.")
                if event is None:
                    raise SsmError(self._late())
                if isinstance(event, side.Failed):
                    raise SsmError(f"The side session's program failed: {event.reason}")
                if isinstance(event, channel.Closed):
                    raise SsmError(
                        f"The session with {self._options.target} ended before it took commands"
                        f"{': ' + event.reason if event.reason else ''}{self._noise()}; check the session preferences and the agent's log "
                        "/var/log/amazon/ssm/amazon-ssm-agent.log."
                    )
        except ProtocolError as error:
            self.end()
            raise SsmError(
                f"The session with {self._options.target} did not come up: {str(error).rstrip('.')}; "
                "check the session preferences, and that nothing stands between that changes what passes."
            ) from error
        except BaseException:
            self.end()
            raise
        self._start_deadline = None
        if self._options.command is not None:
            return
        how = "multiplexed" if self.session.state is session.State.MULTIPLEXED else "serial shell, no Python found"
        self._log(f"session {self._started.session_id} is up ({how})")

    def next_event(self, deadline: float | None):
        """Return the next event of the session, None when the deadline (monotonic seconds) has passed.

        A broken websocket is resumed on the way. SessionLost when that fails or the protocol is broken.
        """
        while True:
            if self._events:
                return self._events.popleft()
            now = self._clock.monotonic()
            if (deadline is not None and now >= deadline) or self._interrupted():
                return None
            self.pump(None if deadline is None else deadline - now)

    def pump(self, timeout: float | None) -> None:
        """Send what is due, wait at most `timeout` seconds for something to arrive, and take it in."""
        if not self.alive:
            raise SessionLost(self._lost("it was closed"))
        try:
            self._step(timeout)
        except StreamError as error:
            self._reconnect(error)
        except ProtocolError as error:
            self.end()
            raise SessionLost(self._lost(str(error).rstrip("."))) from error

    def flush(self) -> None:
        """Send what is due without waiting."""
        self.pump(0)

    def end(self) -> None:
        """Close the session for good. Errors are only logged: the service ends an abandoned session by itself."""
        started, self._started = self._started, None
        if self._websocket is not None and self._stream is not None:
            try:
                self._websocket.close()
                self._stream.write(self._websocket.data_to_send())
            except SsmError as error:
                self._log(str(error))
        self._drop()
        if started is not None:
            try:
                self._api.terminate(started.session_id)
                self._log(f"session {started.session_id} is terminated")
            except ApiError as error:
                self._log(str(error))

    # Starting

    def _start_session(self, loader, deadline):
        """Start the session; return whether the loader has to be typed into it."""
        options = self._options
        if options.command is not None:
            parameters = {"command": [options.command], "separateOutputStream": ["true"]}
            self._started = self._with_grace(SIDE_DOCUMENT, parameters, deadline)
            self._log(f"side session {self._started.session_id} started with document {SIDE_DOCUMENT}")
            return False
        if options.document is None:
            documents = [(COMMAND_DOCUMENT, False), (None, True)]
        else:
            documents = [(options.document, options.document != COMMAND_DOCUMENT)]
        first_refusal = None
        for document, typed in documents:
            parameters = {} if typed else {"command": [loader]}
            try:
                self._started = self._with_grace(document, parameters, deadline)
                self._log(f"session {self._started.session_id} started with document {document or 'of the account (default shell)'}")
                return typed
            except DocumentRefused as error:
                self._log(str(error))
                first_refusal = first_refusal or error
        raise first_refusal

    def _with_grace(self, document, parameters, deadline):
        grace = min(deadline, self._clock.monotonic() + self._options.boot_grace)
        pause = 0.5
        while True:
            try:
                return self._api.start(self._options.target, document=document, parameters=parameters, reason=self._options.reason)
            except TargetNotReady as error:
                if self._clock.monotonic() + pause >= grace:
                    raise
                self._log(f"{error} Trying again.")
            self._clock.sleep(pause)
            pause = min(pause * 2, 4.0)

    def _late(self):
        seconds = f"{self._options.connect_timeout:.0f} s"
        if not self.session.heard_output:
            return (
                f"The session with {self._options.target} started, but nothing came from the instance within {seconds}; "
                "check that it can reach the ssmmessages endpoint and is not overloaded."
            )
        return (
            f"The session with {self._options.target} did not become ready within {seconds}{self._noise()}; check the document and "
            "the shell profile of the session preferences, and that the instance has sh and python3."
        )

    def _noise(self):
        return f" (it said: {self.session.noise})" if self.session.noise else ""

    # Moving bytes

    def _open_stream(self, started, deadline):
        now = self._clock.monotonic()
        deadline = max(now + 1.0, min(now + ATTEMPT, deadline))
        self._stream = self._connect(started.stream_url, timeout=deadline - now, ca_bundle=lambda: self._api.ca_bundle)
        url = urlsplit(started.stream_url)
        resource = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            client = websocket.WebSocketClient(url.netloc.rpartition("@")[2], resource, os.urandom)
            self._stream.write(client.data_to_send())
            while client.state is websocket.State.CONNECTING:
                now = self._clock.monotonic()
                if now >= deadline:
                    raise StreamError(f"The session service {url.hostname} did not answer the websocket's handshake.")
                if self._stream.wait(deadline - now):
                    client.receive(self._stream.read())
        except ProtocolError as error:
            raise StreamError(f"Cannot open the session's stream to {url.hostname}: {str(error).rstrip('.')}; {NO_PROXY}.") from error
        pending = client.events()
        opened = pending.pop(0)
        if isinstance(opened, websocket.Rejected):
            raise StreamError(
                f"The session service {url.hostname} refused the session's stream: {opened.status} {opened.reason}; {NO_PROXY}."
            )
        client.send_text(self.session.opened(started.token))
        self._websocket = client
        self._last_heard = self._last_ping = self._clock.monotonic()
        self._awaited_since = None
        self._take(pending)

    def _step(self, timeout):
        now = self._clock.monotonic()
        if self._websocket is None:
            raise StreamError("The session's stream is closed.")
        self._heartbeat(now)
        due = self.session.next_time()
        if due is not None and 0.0 < due <= now and self._stream.wait(0):
            self._read()  # an acknowledgement that has come while nobody read makes a resend needless
        self._send_due(now)
        if self._events:
            return
        until = [now + timeout] if timeout is not None else []
        until += [self._last_ping + PING_EVERY, self._last_beat + HEARTBEAT]
        due = self.session.next_time()
        if due is not None:
            until.append(due)
        if self._stream.wait(max(0.0, min(until) - now), self.others):
            self._read()
            self._acknowledge()
        elif self._awaited_since is not None and now - self._awaited_since > SILENCE_MEANS_DROPPED:
            raise StreamError("The session service has been silent for too long.")

    def _read(self):
        data = self._stream.read()
        if data:
            self._last_heard = self._clock.monotonic()
            self._awaited_since = None
            try:
                self._websocket.receive(data)
            except ProtocolError as error:
                raise StreamError(str(error)) from error
            self._take(self._websocket.events())

    def _acknowledge(self):
        """Send acknowledgements and credit with the input that caused them, not with the next pump, which may be long after."""
        if self._websocket is not None and self.alive:
            self._send_due(self._clock.monotonic())

    def _send_due(self, now):
        for item in self.session.messages_to_send(now):
            self._websocket.send_binary(item)
        self._stream.write(self._websocket.data_to_send())
        self._session_events()

    def _heartbeat(self, now):
        if now - self._last_ping >= PING_EVERY:
            self._websocket.ping()
            self._last_ping = now
            if self._awaited_since is None:
                self._awaited_since = now
        if now - self._last_beat >= HEARTBEAT:
            self._last_beat = now
            if self.session.mux.busy:
                self.session.mux.ping()

    def _take(self, events):
        for event in events:
            if isinstance(event, websocket.Binary):
                try:
                    self.session.receive(event.data, self._clock.monotonic())
                except DamagedMessage as error:
                    self._log(str(error))  # not acknowledged, so it comes again
                self._session_events()
            elif isinstance(event, websocket.Closed):
                if self.session.state is session.State.CLOSED:
                    continue
                raise StreamError(f"The session service closed the stream ({event.code} {event.reason}).")

    def _session_events(self):
        for event in self.session.events():
            if isinstance(event, channel.KeyNeeded):
                self._provide_key(event.request)
            else:
                self._events.append(event)

    def _provide_key(self, request):
        context = handshake.encryption_context(self._started.session_id, self._options.target, request)
        plain, wrapped = self._api.data_key(request.key_id, context)
        self.session.channel.provide_key(SessionCipher(plain), wrapped)

    # Dropping and resuming

    def _drop(self):
        if self._stream is not None:
            self._stream.close()
        self._stream = self._websocket = None

    def _reconnect(self, cause):
        if self._options.command is not None:
            self.end()
            raise SessionLost(self._lost(str(cause)))
        self._log(f"{cause} Resuming session {self._started.session_id}.")
        deadline = self._start_deadline or self._clock.monotonic() + self._options.reconnect_timeout
        pause = BACKOFF_START
        while True:
            self._drop()
            if not self.alive or self._interrupted():
                return
            try:
                again = self._api.resume(self._started.session_id)
                if again is None:
                    self.end()
                    raise SessionLost(self._lost("it has timed out or was terminated"))
                self._open_stream(again, deadline)
                self.reconnections += 1
                self._log(f"session {self._started.session_id} is resumed")
                return
            except (StreamError, ApiError, ProtocolError) as error:
                if self._clock.monotonic() + pause >= deadline:
                    self.end()
                    tried = f"{self._options.reconnect_timeout:.0f} s"
                    raise SessionLost(self._lost(f"it could not be resumed within {tried}: {error}")) from error
                self._log(str(error))
            self._clock.sleep(pause)
            pause = min(pause * 2, BACKOFF_MAX)

    def _lost(self, why):
        return f"The session with {self._options.target} was lost: {why.rstrip('.')}"
