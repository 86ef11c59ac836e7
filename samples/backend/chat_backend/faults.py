"""Faults that one variable switches on, to try gates and rollbacks; parses and decides, does not sleep or answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """What shall go wrong. `error_rate` is a share of API requests; `latency_ms` is added to each; `crash_after_s` None is never."""

    error_rate: float = 0.0
    latency_ms: float = 0.0
    never_healthy: bool = False
    crash_after_s: float | None = None

    def fails(self, draw: float) -> bool:
        """Whether the request that drew a number from [0, 1) is answered with an error."""
        return draw < self.error_rate


def parse_faults(text: str) -> Faults:
    """Read `error_rate=0.05,latency_ms=200,never_healthy,crash_after_s=30`; empty is no fault. Raises ValueError with one sentence."""
    found: dict[str, float | bool] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, separator, value = (part.strip() for part in item.partition("="))
        if name in found:
            raise ValueError(f"Cannot start: FAULTS names {name} twice; name it once.")
        if name == "never_healthy":
            if separator:
                raise ValueError("Cannot start: FAULTS has a value for never_healthy; it takes none.")
            found[name] = True
        elif name in _LIMITS:
            found[name] = _number(name, value)
        else:
            known = ", ".join([*_LIMITS, "never_healthy"])
            raise ValueError(f"Cannot start: FAULTS names {name!r}, which is unknown; known are {known}.")
    return Faults(**found)  # type: ignore[arg-type]


_LIMITS = {"error_rate": 1.0, "latency_ms": 60_000.0, "crash_after_s": 86_400.0}


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _LIMITS[name]:
        raise ValueError(f"Cannot start: FAULTS has {name}={text}; it must be a number from 0 to {_LIMITS[name]:g}.")
    return value
