"""Counts outcomes of requests, and makes tables of them; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from exchange import Failure

LISTED = 20


@dataclass(frozen=True)
class Outcome:
    """One request. `at` is when it was due, in seconds from the start; `latency` is seconds from then until its end."""

    at: float
    latency: float
    target: str
    request: str
    phase: str
    fresh: bool
    failure: Failure | None = None
    detail: str = ""
    answered_by: str = ""


@dataclass
class Tally:
    """All outcomes of a run, and how late the generator itself was at worst, in seconds."""

    outcomes: list[Outcome] = field(default_factory=list)
    lag: float = 0.0

    @property
    def failures(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.failure is not None]

    def of_phase(self, phase: str) -> Tally:
        return Tally([outcome for outcome in self.outcomes if outcome.phase == phase], self.lag)

    def percentile_ms(self, percent: float) -> float:
        """Latency of answered requests; NaN when there is none."""
        return percentile([outcome.latency for outcome in self.outcomes if outcome.failure is None], percent) * 1000


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` per cent do not exceed (nearest rank, by exact sort); NaN when there is no value."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


def phase_table(tally: Tally, phases: Iterable[tuple[str, float]]) -> list[str]:
    """One line per phase (name, duration in seconds): counts, latencies in milliseconds, and who answered."""
    lines = [f"{'phase':<24}{'s':>7}{'requests':>10}{'failed':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}  answered by"]
    for name, seconds in phases:
        part = tally.of_phase(name)
        figures = "".join(f"{part.percentile_ms(percent):9.1f}" for percent in (50, 99, 100))
        answered = sorted({outcome.answered_by for outcome in part.outcomes if outcome.answered_by})
        lines.append(f"{name:<24}{seconds:7.1f}{len(part.outcomes):10}{len(part.failures):8}{figures}  {', '.join(answered)}")
    return lines


def failure_lines(tally: Tally, listed: int | None = LISTED) -> list[str]:
    """Counts by kind, target and kind of connection, then the failures themselves, at most `listed` of them (None: all)."""
    failures = tally.failures
    shown = failures[:listed]
    kinds = Counter((_why(outcome), outcome.target, "fresh" if outcome.fresh else "reused") for outcome in failures)
    lines = [f"{count:7} x {why} · {target} · {connection} connection" for (why, target, connection), count in kinds.most_common()]
    lines += [
        f"  at {outcome.at:8.3f} s · {outcome.phase} · {outcome.request} · {outcome.target} · {_why(outcome)} · "
        f"after {outcome.latency * 1000:.0f} ms"
        for outcome in shown
    ]
    if len(failures) > len(shown):
        lines.append(f"  … and {len(failures) - len(shown)} more")
    return lines


def result_line(ours: Tally, plain: Tally) -> str:
    """The benchmark's last line."""
    return (
        f"result: requests={len(ours.outcomes)} failed={len(ours.failures)} p50_ms={ours.percentile_ms(50):.1f} "
        f"p99_ms={ours.percentile_ms(99):.1f} plain_failed={len(plain.failures)}"
    )


def _why(outcome: Outcome) -> str:
    if outcome.failure is None:
        return "answered"
    return f"{outcome.failure.value} ({outcome.detail})" if outcome.detail else outcome.failure.value
