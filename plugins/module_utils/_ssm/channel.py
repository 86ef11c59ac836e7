# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's side of one Session Manager data channel, as a state machine over websocket messages; no socket and no clock.

The channel outlives its websocket: after a reconnection `opened` is called again and everything unacknowledged goes out again.

    OPENING --first output--> READY                      (sessions without a handshake)
    OPENING --handshake request--> HANDSHAKE --handshake complete--> READY
    any --channel_closed, or one message unacknowledged for GIVE_UP seconds--> CLOSED

Input waits until READY: what arrives before the handshake is complete is acknowledged by the agent and thrown away.

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import enum
import json
import uuid
from collections import deque
from dataclasses import dataclass

from . import handshake, message
from .errors import ProtocolError
from .flow import ReceiveWindow, SendWindow
from .message import Message, PayloadType

INPUT_PAYLOAD = 1024
GIVE_UP = 300.0
_ENCRYPTED = (PayloadType.OUTPUT, PayloadType.STDERR, PayloadType.EXIT_CODE)


class State(enum.Enum):
    OPENING = "opening"
    HANDSHAKE = "handshake"
    READY = "ready"
    CLOSED = "closed"


@dataclass(frozen=True)
class Output:
    data: bytes


@dataclass(frozen=True)
class ErrorOutput:
    data: bytes


@dataclass(frozen=True)
class ExitCode:
    """The remote process ended (documents with separate streams only); `code` is None when the text holds no number."""

    code: int | None


@dataclass(frozen=True)
class KeyNeeded:
    """The agent asks for encryption: answer with `provide_key`, or the session ends after 15 s."""

    request: handshake.EncryptionRequest


@dataclass(frozen=True)
class HandshakeComplete:
    notice: str


@dataclass(frozen=True)
class Closed:
    """The session is over for good; `reason` is the service's text, or ours, or empty."""

    reason: str


class DataChannel:
    """See the module. `epoch_ms()` returns the wall clock in milliseconds; `new_id()` a fresh UUID."""

    def __init__(self, epoch_ms, new_id=uuid.uuid4, payload_size=INPUT_PAYLOAD):
        self._epoch_ms = epoch_ms
        self._new_id = new_id
        self._payload_size = payload_size
        self._client_id = str(new_id())
        self._window = SendWindow()
        self._received = ReceiveWindow()
        self._held = bytearray()
        self._acknowledgements = deque()
        self._events = deque()
        self._request = None
        self._cipher = None
        self.state = State.OPENING

    # What the driver calls

    def opened(self, token: str) -> str:
        """A websocket is open: return the text message that must be its first. Unacknowledged input is sent again after it."""
        self._window.reconnected()
        self._acknowledgements.clear()
        return json.dumps(
            {
                "MessageSchemaVersion": "1.0",
                "RequestId": str(self._new_id()),
                "TokenValue": token,
                "ClientId": self._client_id,
                "ClientVersion": handshake.CLIENT_VERSION,
            }
        )

    def send(self, data: bytes) -> None:
        """Queue input for the remote process."""
        if self.state is State.CLOSED:
            raise ProtocolError("The session is closed.")
        self._held += data
        self._release()

    def provide_key(self, cipher, wrapped_key: bytes) -> None:
        """Answer KeyNeeded. `cipher` has `encrypt(bytes)` and `decrypt(bytes)`, the latter raising ValueError."""
        if self._request is None or self._request.encryption is None:
            raise ProtocolError("No encryption was asked for.")
        self._cipher = cipher
        self._put(PayloadType.HANDSHAKE_RESPONSE, handshake.response(self._request, wrapped_key))

    def receive(self, data: bytes, now: float) -> None:
        """Take one binary websocket message; `now` in seconds. Events come out of `events`."""
        received = message.parse(data)
        if self.state is State.CLOSED:
            return
        if received.type == message.ACKNOWLEDGE:
            self._window.acknowledge(message.acknowledged_sequence(received.payload), now)
        elif received.type == message.OUTPUT:
            self._stream(received)
        elif received.type == message.CHANNEL_CLOSED:
            output = message.load_json(received.payload, "channel_closed").get("Output")
            self._close(output if isinstance(output, str) else "")
        # pause_publication and start_publication change nothing for a client, and unknown types are to be ignored.

    def messages_to_send(self, now: float) -> list[bytes]:
        """Return the binary websocket messages that are due now."""
        out = []
        while self._acknowledgements:
            payload = self._acknowledgements.popleft()
            out.append(self._serialize(message.ACKNOWLEDGE, 0, PayloadType.NONE, payload, message.ACKNOWLEDGE_FLAGS))
        if self._window.oldest_age(now) > GIVE_UP and self.state is not State.CLOSED:
            self._close("The instance has not acknowledged input for {0:.0f} s.".format(GIVE_UP))
        if self.state is State.CLOSED:
            return out
        for sequence, (payload_type, payload) in self._window.take(now):
            out.append(self._serialize(message.INPUT, sequence, payload_type, payload))
        return out

    def events(self) -> list:
        events = list(self._events)
        self._events.clear()
        return events

    def next_time(self) -> float | None:
        """The time at which `messages_to_send` has something to do, 0.0 for at once, None when it waits for the peer."""
        return 0.0 if self._acknowledgements else self._window.next_time()

    @property
    def backlog(self) -> int:
        """Bytes and messages of input that the peer has not acknowledged: 0 means that everything sent arrived."""
        return len(self._held) + self._window.backlog

    @property
    def resent(self) -> int:
        return self._window.resent

    # Inside

    def _serialize(self, kind, sequence, payload_type, payload, flags=0):
        return message.serialize(
            Message(
                type=kind,
                sequence=sequence,
                message_id=self._new_id(),
                created=self._epoch_ms(),
                payload=payload,
                payload_type=payload_type,
                flags=flags,
            )
        )

    def _put(self, payload_type, payload):
        self._window.put((payload_type, payload))

    def _release(self):
        if self.state is not State.READY:
            return
        while self._held:
            chunk = bytes(self._held[: self._payload_size])
            del self._held[: self._payload_size]
            self._put(PayloadType.OUTPUT, chunk if self._cipher is None else self._cipher.encrypt(chunk))

    def _stream(self, received):
        if received.sequence < 0:
            raise ProtocolError("Output has a negative sequence number.")
        if not self._received.put(received.sequence, received):
            return
        self._acknowledgements.append(message.acknowledgement_of(received))
        for item in self._received.take():
            if self.state is not State.CLOSED:
                self._handle(item)

    def _handle(self, item):
        payload = item.payload
        if not payload:
            return
        if item.payload_type == PayloadType.HANDSHAKE_REQUEST:
            self._handshake(payload)
        elif item.payload_type == PayloadType.ENCRYPTION_CHALLENGE_REQUEST:
            if self._cipher is None:
                raise ProtocolError("Encryption challenge came without a key.")
            answer = self._cipher.encrypt(self._decrypt(handshake.read_challenge(payload)))
            self._put(PayloadType.ENCRYPTION_CHALLENGE_RESPONSE, handshake.challenge_response(answer))
        elif item.payload_type == PayloadType.HANDSHAKE_COMPLETE:
            notice = message.load_json(payload, "Handshake complete").get("CustomerMessage")
            self._ready()
            self._events.append(HandshakeComplete(notice if isinstance(notice, str) else ""))
        elif item.payload_type in _ENCRYPTED:
            if self.state is State.OPENING:
                self._ready()
            data = self._decrypt(payload) if self._cipher is not None else payload
            if item.payload_type == PayloadType.OUTPUT:
                self._events.append(Output(data))
            elif item.payload_type == PayloadType.STDERR:
                self._events.append(ErrorOutput(data))
            else:
                digits = data.decode("utf-8", "replace").rpartition(":")[2].strip()
                self._events.append(ExitCode(int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None))

    def _decrypt(self, data):
        try:
            return self._cipher.decrypt(data)
        except ValueError as error:
            raise ProtocolError("Encrypted data does not match the session's key.") from error

    def _handshake(self, payload):
        if self._request is not None:
            raise ProtocolError("The agent asked for a second handshake.")
        self._request = handshake.read_request(payload)
        if self.state is State.OPENING:
            self.state = State.HANDSHAKE
        if self._request.encryption is not None and not self._request.unsupported:
            self._events.append(KeyNeeded(self._request.encryption))
        else:
            self._put(PayloadType.HANDSHAKE_RESPONSE, handshake.response(self._request, None))

    def _ready(self):
        self.state = State.READY
        self._release()

    def _close(self, reason):
        self.state = State.CLOSED
        self._events.append(Closed(reason))
