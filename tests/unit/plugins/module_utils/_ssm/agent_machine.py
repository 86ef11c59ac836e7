# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's side of a data channel as a state machine, written from the facts of the protocol and not from the client's code.

It shares the message codec with the client (which is tested against recorded bytes) and nothing else.
"""

from __future__ import annotations

import base64
import json
import os
import uuid

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import message

RESEND_EVERY = 0.1


class Agent:
    def __init__(self, *, ready=True, cipher=None, kms_key=None, challenge=None, session_type=None):
        self.received = bytearray()
        self.expected = 0
        self.early = {}
        self.sent = {}
        self.next = 0
        self.ready = ready
        self.complete = session_type is None and kms_key is None
        self.cipher = cipher
        self.kms_key, self.challenge, self.session_type = kms_key, challenge, session_type
        self.response = None
        self.plain_challenge = os.urandom(64)
        self.acknowledged_early = 0
        self.last_resend = 0.0
        self.outbox = []
        self.flags_seen = set()
        self.duplicates = 0

    # Towards the client

    def start(self):
        if not self.complete:
            actions = []
            if self.kms_key:
                parameters = {"KMSKeyId": self.kms_key} | ({"Challenge": self.challenge} if self.challenge else {})
                actions.append({"ActionType": "KMSEncryption", "ActionParameters": parameters})
            actions.append({"ActionType": "SessionType", "ActionParameters": {"SessionType": self.session_type, "Properties": None}})
            self._stream(5, json.dumps({"AgentVersion": "3.3.1", "RequestedClientActions": actions}).encode())

    def output(self, data: bytes, payload_type=1):
        for position in range(0, len(data), 1024):
            piece = data[position : position + 1024]
            self._stream(payload_type, self.cipher.encrypt(piece) if self.cipher else piece)

    def close(self, reason=""):
        self._put("channel_closed", 0, 0, json.dumps({"Output": reason, "SessionId": "s"}).encode())

    def take(self) -> list[bytes]:
        out, self.outbox = self.outbox, []
        return out

    def tick(self, now):
        """Every 100 ms the oldest message that is not acknowledged goes out again."""
        if self.sent and now - self.last_resend >= RESEND_EVERY:
            self.last_resend = now
            self.outbox.append(self.sent[min(self.sent)])

    def reconnected(self):
        self.outbox = [self.sent[number] for number in sorted(self.sent)]

    # From the client

    def receive(self, data: bytes):
        item = message.parse(data)
        assert data[:4] == b"\0\0\0\x74"
        if item.type == "acknowledge":
            assert (item.sequence, item.flags, item.payload_type) == (0, 3, 0)
            body = json.loads(item.payload)
            assert body["IsSequentialMessage"] is True
            uuid.UUID(body["AcknowledgedMessageId"])
            self.sent.pop(body["AcknowledgedMessageSequenceNumber"], None)
            return
        assert item.type == "input_stream_data" and item.payload
        self.flags_seen.add(item.flags)
        if not self.ready:
            return  # no acknowledgement, and it does not count as received
        if item.sequence < self.expected:
            self.duplicates += 1
        elif item.sequence == self.expected:
            self._handle(item)
            self.expected += 1
            while self.expected in self.early:
                self._handle(self.early.pop(self.expected))
                self.expected += 1
        else:
            self.early[item.sequence] = item
        body = {
            "AcknowledgedMessageType": item.type,
            "AcknowledgedMessageId": str(item.message_id),
            "AcknowledgedMessageSequenceNumber": item.sequence,
            "IsSequentialMessage": True,
        }
        self._put("acknowledge", 0, 0, json.dumps(body).encode(), flags=3)

    def _handle(self, item):
        if item.payload_type == 6:
            self.response = json.loads(item.payload)
            if self.kms_key:
                self._stream(8, json.dumps({"Challenge": base64.b64encode(self.cipher.encrypt(self.plain_challenge)).decode()}).encode())
            else:
                self._complete()
        elif item.payload_type == 9:
            answer = base64.b64decode(json.loads(item.payload)["Challenge"])
            assert self.cipher.decrypt(answer) == self.plain_challenge
            self._complete()
        elif not self.complete:
            self.acknowledged_early += 1  # the real agent throws it away
        else:
            self.received += self.cipher.decrypt(item.payload) if self.cipher else item.payload

    def _complete(self):
        self.complete = True
        self._stream(7, json.dumps({"HandshakeTimeToComplete": 1000, "CustomerMessage": "hello"}).encode())

    def _stream(self, payload_type, payload):
        number, self.next = self.next, self.next + 1
        data = self._put("output_stream_data", number, payload_type, payload, flags=1 if number == 0 else 0)
        self.sent[number] = data

    def _put(self, kind, sequence, payload_type, payload, flags=0):
        data = message.serialize(
            message.Message(
                type=kind, sequence=sequence, message_id=uuid.uuid4(), created=1, payload=payload, payload_type=payload_type, flags=flags
            )
        )
        self.outbox.append(data)
        return data
