# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reliable order over the data channel: what to send, send again and when (SendWindow), what to deliver (ReceiveWindow).

Knows sequence numbers, times in seconds handed in by the caller, and nothing of message contents.

Private to the collection: it can change at any time.
"""

from __future__ import annotations

from collections import OrderedDict, deque

RTO_START = 1.0  # RFC 6298 section 2: before the first sample
RTO_MAX = 60.0
VARIANCE_FLOOR = 0.2  # on a steady path the variance goes to 0, and then the jitter of one message would cross it
WINDOW_START = 32
WINDOW_MIN = 32  # what is lost here was lost with a connection, not in a queue that was too long: TCP below paces
# Messages under way. The agent takes any number in order and keeps 100 000 that came too early; AWS's own client has no window and sends
# one message of 1024 bytes per millisecond, which is 300 under way at 300 ms. 512 of them are 1.7 MB/s at 300 ms.
WINDOW_MAX = 512
SKIPPED_MEANS_LOST = 3
RECEIVE_BUFFER = 10_000


class _Sent:
    __slots__ = ("attempts", "first", "item", "sent", "skipped")

    def __init__(self, item):
        self.item = item
        self.first = 0.0
        self.sent = 0.0
        self.attempts = 0
        self.skipped = 0


class SendWindow:
    """Numbers items, keeps them until they are acknowledged, and resends the oldest when its acknowledgement is overdue, others
    when three later ones were acknowledged before them.

    Acknowledgements are selective. The timer is that of RFC 6298: the first sample sets the round trip and its variance, an item that was
    sent twice gives no sample (Karn), the timer starts again whenever the oldest item is acknowledged, and a timeout that was doubled
    stays so until an item that was sent once is acknowledged. When a resend is acknowledged and what had been sent before it stays silent,
    that was lost too (a connection of the agent broke) and goes out in bursts. The window grows with acknowledgements and halves once for
    each loss.
    """

    def __init__(self):
        self._next = 0
        self._waiting = deque()
        self._unacknowledged = OrderedDict()
        self._srtt = None
        self._rttvar = 0.0
        self._doubled = 0
        self._advanced = 0.0
        self._resent_at = None  # the last timeout
        self._confirmed = False  # a resend of that timeout has been acknowledged, and nothing else since
        self._window = float(WINDOW_START)
        self._threshold = float(WINDOW_MAX)
        self._resend_everything = False
        self._suspects = []
        self._shrunk = -RTO_START
        self.resent = 0

    @property
    def rto(self) -> float:
        """Seconds until a resend."""
        base = RTO_START if self._srtt is None else self._srtt + max(VARIANCE_FLOOR, 4 * self._rttvar)
        return min(RTO_MAX, base * 2**self._doubled)

    @property
    def window(self) -> int:
        return int(self._window)

    @property
    def backlog(self) -> int:
        """Items that were put in and are not acknowledged."""
        return len(self._waiting) + len(self._unacknowledged)

    def oldest_age(self, now: float) -> float:
        """Seconds since the oldest unacknowledged item was first sent; 0 when there is none."""
        for entry in self._unacknowledged.values():
            return now - entry.first
        return 0.0

    def put(self, item) -> int:
        """Queue an item; return its sequence number."""
        self._waiting.append(item)
        self._next += 1
        return self._next - 1

    def take(self, now: float) -> list:
        """Return the (sequence, item) pairs to transmit now."""
        out = []
        if self._resend_everything:
            self._resend_everything = False
            self._suspects.clear()
            for sequence, entry in self._unacknowledged.items():
                self._transmit(sequence, entry, now, out)
        elif self._suspects:
            self._shrink(now)
            for sequence in self._suspects:
                if sequence in self._unacknowledged:
                    self._transmit(sequence, self._unacknowledged[sequence], now, out)
            self._suspects.clear()
        elif self._unacknowledged:
            oldest = next(iter(self._unacknowledged.values()))
            if now >= self._due(oldest):
                self._timed_out(oldest, now, out)
        first_new = self._next - len(self._waiting)
        while self._waiting and len(self._unacknowledged) < self.window:
            entry = _Sent(self._waiting.popleft())
            self._unacknowledged[first_new] = entry
            self._transmit(first_new, entry, now, out)
            first_new += 1
        return out

    def _timed_out(self, oldest, now, out):
        number = 1
        if self._silent(oldest):
            number = WINDOW_START
        elif self.rto < RTO_MAX:
            self._doubled += 1
        if oldest.attempts == 1:  # the same item again is the same loss
            self._shrink(now)
        before = now if self._resent_at is None or number == 1 else self._resent_at
        lost = [pair for pair in self._unacknowledged.items() if pair[1].sent <= before][:number]
        self._resent_at, self._confirmed = now, False
        for sequence, entry in lost:
            self._transmit(sequence, entry, now, out)

    def _silent(self, oldest):
        """Whether the oldest item was sent before a resend that has been acknowledged."""
        return self._confirmed and oldest.sent <= self._resent_at

    def _transmit(self, sequence, entry, now, out):
        if not entry.attempts:
            entry.first = now
        entry.sent = now
        entry.attempts += 1
        self.resent += entry.attempts > 1
        out.append((sequence, entry.item))

    def _due(self, oldest):
        return max(oldest.sent, self._advanced) + (VARIANCE_FLOOR if self._silent(oldest) else self.rto)

    def _shrink(self, now):
        if now - self._shrunk < (RTO_START if self._srtt is None else self._srtt):
            return  # one loss event
        self._shrunk = now
        self._threshold = max(float(WINDOW_MIN), self._window / 2)
        self._window = self._threshold

    def acknowledge(self, sequence: int, now: float) -> None:
        """Note that the peer has an item; an unknown or repeated number changes nothing."""
        if next(iter(self._unacknowledged), None) == sequence:
            self._advanced = now
        entry = self._unacknowledged.pop(sequence, None)
        if entry is None:
            return
        self._confirmed = entry.attempts > 1 and self._resent_at is not None
        if entry.attempts == 1:
            self._sample(now - entry.sent)
        for other, older in self._unacknowledged.items():
            if other >= sequence:
                break
            if older.attempts == 1:  # a second transmission is left to the timeout
                older.skipped += 1
                if older.skipped == SKIPPED_MEANS_LOST:
                    self._suspects.append(other)
        self._window = min(float(WINDOW_MAX), self._window + (1 if self._window < self._threshold else 1 / self._window))

    def _sample(self, rtt):
        self._doubled = 0
        if self._srtt is None:
            self._srtt, self._rttvar = rtt, rtt / 2
            return
        self._rttvar = 0.75 * self._rttvar + 0.25 * abs(self._srtt - rtt)
        self._srtt = 0.875 * self._srtt + 0.125 * rtt

    def reconnected(self) -> None:
        """Everything unacknowledged goes out again, in order, with the next take()."""
        self._resend_everything = True

    def next_time(self) -> float | None:
        """The time at which take() has something to do if nothing else happens; None when idle."""
        if (self._resend_everything and self._unacknowledged) or self._suspects:
            return 0.0
        for entry in self._unacknowledged.values():
            return self._due(entry)
        return 0.0 if self._waiting else None


class ReceiveWindow:
    """Puts items into order. `put` says whether to acknowledge; items in order come out of `take`."""

    def __init__(self):
        self._expected = 0
        self._early = {}
        self._ready = deque()

    def put(self, sequence: int, item) -> bool:
        """Accept an item; False means: the buffer is full, do not acknowledge it.

        A number that was delivered already is acknowledged once more: its acknowledgement may have been lost, and the agent
        would resend it for ever.
        """
        if sequence < self._expected or sequence in self._early:
            return True
        if sequence > self._expected:
            if len(self._early) >= RECEIVE_BUFFER:
                return False
            self._early[sequence] = item
            return True
        self._ready.append(item)
        self._expected += 1
        while self._expected in self._early:
            self._ready.append(self._early.pop(self._expected))
            self._expected += 1
        return True

    def take(self) -> list:
        """Return the items that came into order since the last call."""
        ready = list(self._ready)
        self._ready.clear()
        return ready
