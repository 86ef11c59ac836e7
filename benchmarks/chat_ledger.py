"""Counts what happens to chat users: sessions dropped, messages lost or duplicated, requests failed; pure.

The chat's ids count up from 1 in each room without a gap, and a client_id is stored once (samples/backend, protocol.py). So what a user
must have seen is known exactly: every id from the one after which it joined up to the room's newest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field

LISTED = 50


@dataclass(frozen=True)
class Drop:
    """A session that ended without its user asking. `at` is seconds since the epoch; `code` is RFC 6455's (1006: no close frame)."""

    at: float
    user: int
    colour: str
    code: int
    reason: str


@dataclass(frozen=True)
class Failed:
    """A request without a complete answer of 200 to 399. `at` is when it failed, in seconds since the epoch; `by` is who answered."""

    at: float
    user: int
    why: str
    by: str


@dataclass
class _Reader:
    """What one user has seen of its room."""

    room: str
    after: int
    ids: list[int] = field(default_factory=list)


class Ledger:
    """Told what happens, in any order that can happen; `result` may be asked at any time, and is final once nothing is under way."""

    def __init__(self) -> None:
        self.drops: list[Drop] = []
        self.failures: list[Failed] = []
        self._readers: dict[int, _Reader] = {}
        self._sent: dict[str, str] = {}
        self._acknowledged: dict[str, tuple[str, int]] = {}
        self._stored: dict[tuple[str, int], str] = {}
        self._answers: Counter[str] = Counter()
        self._requests = 0
        self._refused = 0
        self._reconnected = 0

    def joined(self, user: int, room: str, after: int) -> None:
        """The first time says where the user begins; later ones are reconnections, which begin where the user is."""
        if user in self._readers:
            self._reconnected += 1
        else:
            self._readers[user] = _Reader(room, after)

    def newest(self, user: int) -> int:
        """The id after which this user has to ask again."""
        reader = self._readers[user]
        return max(reader.ids, default=reader.after)

    def received(self, user: int, room: str, message_id: int, client_id: str) -> None:
        self._readers[user].ids.append(message_id)
        self._stored.setdefault((room, message_id), client_id)

    def sent(self, room: str, client_id: str) -> None:
        """Sending the same again, after a reconnection, is no new message."""
        self._sent[client_id] = room

    def acknowledged(self, room: str, client_id: str, message_id: int) -> None:
        self._acknowledged[client_id] = (room, message_id)

    def refused(self) -> None:
        """The server answered a message or a join with an error; the user tries again."""
        self._refused += 1

    def dropped(self, drop: Drop) -> None:
        self.drops.append(drop)

    def answered(self, by: str) -> None:
        """A request with a good answer. `by` is version and colour."""
        self._requests += 1
        self._answers[by] += 1

    def failed(self, failure: Failed) -> None:
        self._requests += 1
        self.failures.append(failure)

    def waiting(self) -> int:
        """Messages that may still come: not acknowledged yet, or not yet with everybody in the room."""
        return len(self._unacknowledged()) + len(self._missing())

    def result(self) -> dict[str, object]:
        """Counts, then the first drops and failures in full. `lost` counts messages, however many users miss each."""
        lost = len(self._unacknowledged()) + len(self._missing())
        seen = [len(reader.ids) - len(set(reader.ids)) for reader in self._readers.values()]
        doubled = sum(count - 1 for count in Counter(self._stored.values()).values() if count > 1)
        unhappy = {drop.user for drop in self.drops} | {failure.user for failure in self.failures}
        return {
            "users": len(self._readers),
            "dropped": len(self.drops),
            "lost": lost,
            "duplicated": sum(seen) + doubled,
            "failed": len(self.failures),
            "users_with_errors": len(unhappy),
            "sent": len(self._sent),
            "acknowledged": len(self._acknowledged),
            "received": sum(len(reader.ids) for reader in self._readers.values()),
            "requests": self._requests,
            "refused": self._refused,
            "reconnected": self._reconnected,
            "answered_by": dict(sorted(self._answers.items())),
            "failed_by": dict(sorted(Counter(failure.by for failure in self.failures).items())),
            "first_error_at": min([one.at for one in (*self.drops, *self.failures)], default=None),
            "last_error_at": max([one.at for one in (*self.drops, *self.failures)], default=None),
            "drops": [asdict(drop) for drop in self.drops[:LISTED]],
            "failures": [asdict(failure) for failure in self.failures[:LISTED]],
        }

    def _unacknowledged(self) -> set[str]:
        """Sent, and neither acknowledged nor seen by anybody."""
        return set(self._sent) - set(self._acknowledged) - set(self._stored.values())

    def _missing(self) -> set[tuple[str, int]]:
        """(room, id) that somebody in the room has not got, or that was acknowledged and nobody has."""
        newest: dict[str, int] = {}
        for room, message_id in [*self._stored, *self._acknowledged.values()]:
            newest[room] = max(newest.get(room, 0), message_id)
        missing = set()
        for reader in self._readers.values():
            have = set(reader.ids)
            missing |= {(reader.room, one) for one in range(reader.after + 1, newest.get(reader.room, 0) + 1) if one not in have}
        return missing


def summary_line(result: dict[str, object], seconds: float) -> str:
    """`users=100 dropped=0 lost=0 duplicated=0 failed=0 seconds=12.3`"""
    counts = " ".join(f"{name}={result[name]}" for name in ("users", "dropped", "lost", "duplicated", "failed"))
    return f"{counts} seconds={seconds:.1f}"
