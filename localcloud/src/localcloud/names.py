# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses the DNS names that the API hands out stand for; a register without I/O."""

from __future__ import annotations

import dataclasses
import threading
import typing as t


@dataclasses.dataclass(frozen=True)
class Name:
    """A name's addresses: inside a VPC, and on this machine outside of it (empty: the name resolves there to the private ones)."""

    private: tuple[str, ...]
    public: tuple[str, ...] = ()


class Names:
    """The register of one cloud; safe for threads. Names are lower case and have no dot at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, Name] = {}
        self._listeners: list[t.Callable[[], None]] = []

    def set(self, name: str, private: t.Iterable[str], public: t.Iterable[str] = ()) -> None:
        """Let `name` stand for these addresses from now on."""
        with self._lock:
            self._names[_normal(name)] = Name(tuple(private), tuple(public))
        self._tell()

    def remove(self, name: str) -> None:
        """Forget a name; nothing happens when it is unknown."""
        with self._lock:
            self._names.pop(_normal(name), None)
        self._tell()

    def get(self, name: str) -> Name | None:
        """What a name stands for, or None."""
        with self._lock:
            return self._names.get(_normal(name))

    def all(self) -> dict[str, Name]:
        """Every name."""
        with self._lock:
            return dict(self._names)

    def on_change(self, listener: t.Callable[[], None]) -> None:
        """Call `listener` after each change, in the thread that made it."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _normal(name: str) -> str:
    return name.lower().rstrip(".")
