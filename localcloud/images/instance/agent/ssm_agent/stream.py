# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequence numbers, acknowledgements and retransmission of one data channel as the agent does them; no socket and no clock.

Times are seconds on the caller's clock. `Outgoing.due` is to be asked every 100 ms: only the oldest unacknowledged message is looked at,
so n lost messages take n tenths of a second to repair. That is the real agent's behaviour, and clients have to live with it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from . import wire

RESEND_INTERVAL = 0.1
OUTGOING_CAPACITY = 100_000
INCOMING_CAPACITY = 100_000

_CLOCK_GRANULARITY = 0.010
_LONGEST_TIMEOUT = 1.0


class RetransmissionTimer:
    """Smoothed round trip time and the time-out that follows from it, in seconds."""

    def __init__(self) -> None:
        self.smoothed = 0.1
        self.variation = 0.0
        self.timeout = 0.2

    def sample(self, round_trip: float) -> None:
        self.variation = 0.75 * self.variation + 0.25 * abs(self.smoothed - round_trip)
        self.smoothed = 0.875 * self.smoothed + 0.125 * round_trip
        self.timeout = min(_LONGEST_TIMEOUT, self.smoothed + max(_CLOCK_GRANULARITY, 4 * self.variation))


@dataclass
class _Pending:
    data: bytes
    first_sent: float


class Outgoing:
    """Messages that this side sent and the peer has not acknowledged."""

    def __init__(self, message_type: str, *, capacity: int = OUTGOING_CAPACITY) -> None:
        self.timer = RetransmissionTimer()
        self._type = message_type
        self._capacity = capacity
        self._next = 0
        self._unacknowledged: OrderedDict[int, _Pending] = OrderedDict()

    def __len__(self) -> int:
        return len(self._unacknowledged)

    def send(self, now: float, payload_type: int, payload: bytes) -> bytes:
        """Number and serialise one message. A message beyond the capacity is sent once and not kept, as in the real agent."""
        message = wire.Message(
            self._type, payload, payload_type=payload_type, sequence=self._next, flags=wire.SYN if self._next == 0 else 0
        )
        data = wire.pack(message)
        if len(self._unacknowledged) < self._capacity:
            self._unacknowledged[self._next] = _Pending(data, now)
        self._next += 1
        return data

    def acknowledge(self, now: float, sequence: int) -> None:
        """Forget a message. The sample is taken from its first transmission, as the real agent never updates that time."""
        pending = self._unacknowledged.pop(sequence, None)
        if pending is not None:
            self.timer.sample(now - pending.first_sent)

    def due(self, now: float) -> bytes | None:
        """The oldest unacknowledged message when its time-out is over, else None."""
        for pending in self._unacknowledged.values():
            return pending.data if now - pending.first_sent > self.timer.timeout else None
        return None

    def all_unacknowledged(self) -> list[bytes]:
        """Everything to send again, in order, after a reconnection."""
        return [pending.data for pending in self._unacknowledged.values()]


class Incoming:
    """Puts the peer's messages in order. A message is acknowledged after it was handled: call `handled` for each one that `next` gave."""

    def __init__(self, *, capacity: int = INCOMING_CAPACITY) -> None:
        self._capacity = capacity
        self._expected = 0
        self._early: dict[int, wire.Message] = {}
        self._current: wire.Message | None = None

    def receive(self, message: wire.Message) -> bool:
        """Take one message in; True when it is to be acknowledged now (it came early and is kept, or it was handled before)."""
        if message.sequence < self._expected:
            return True
        if message.sequence == self._expected:
            self._current = message
            return False
        if message.sequence not in self._early:
            if len(self._early) >= self._capacity:
                return False
            self._early[message.sequence] = message
        return True

    def next(self) -> wire.Message | None:
        """The message to handle now, if it is here."""
        return self._current

    def handled(self) -> None:
        """The message that `next` gave was accepted; go on with the following one."""
        self._expected += 1
        self._current = self._early.pop(self._expected, None)

    def refused(self) -> None:
        """The receiver was not ready for the message that `next` gave: forget it, the peer will send it again."""
        self._current = None
