# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Judges the candidate against the live colour: sequential tests on errors, client errors and slow answers, and a comparison of
percentiles.

alpha, the chance of a false abort per rollout, is divided among the tests and among the sources; the sum is a bound for all of them
together (Bonferroni).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice

from . import beside
from .baseline import SUDDEN_PRIOR, Counts, baseline, usual
from .samples import ANY, CANDIDATE, FAST, LIVE, NAMES, Sample, percentile
from .sequential import Hypotheses, Sequential

PROMOTE, ABORT, INCONCLUSIVE = "promote", "abort", "inconclusive"
SPENT = {"errors": 0.85, "unattributed": 0.06, "slow": 0.06, "client_errors": 0.03}  # shares of alpha
FAST_SHARE = 0.8  # of each test's alpha, when there are metric sources too
RECENT_INTERVALS = 15
RECENT_REQUESTS = 600
LATEST_INTERVALS = 4  # what happens to both colours at once is seen in these; two seconds of probes
ENOUGH_FOR_P95 = 20
NOTHING = Counts()
TITLES = {"errors": "5xx or no answer", "client_errors": "4xx", "slow": "slow answers", "unattributed": "answers of no colour"}


@dataclass(frozen=True)
class Limits:
    """What is tolerated. Rates are shares of requests, times milliseconds.

    ``error_rate``, ``client_error_rate``: rates that never count against the candidate. ``ratio``: how many times the live colour's rate
    is too many. ``latency_tolerance``: an answer is slow when it takes longer than the live colour's p95 before the switch times this,
    but never when it takes less than ``latency_floor_ms``; the candidate's p95 in metrics must not be above the live colour's by more
    than the same.
    """

    error_rate: float = 0.01
    client_error_rate: float = 0.05
    ratio: float = 5.0
    latency_tolerance: float = 1.5
    latency_floor_ms: float = 100.0
    alpha: float = 0.01
    beta: float = 0.05


@dataclass(frozen=True)
class Verdict:
    """``needed``: requests to the candidate that would decide if all were answered well (0: something else is waited for)."""

    action: str
    why: str
    needed: int = 0
    arithmetic: tuple = ()


@dataclass
class _Stream:
    """One test over one source. ``beside``: a second one that has to agree before the candidate is guilty; see beside.py. ``live``: the
    sum of ``recent``."""

    name: str
    source: str
    test: Sequential
    beside: Sequential | None = None
    history: Counts = NOTHING
    recent: deque = field(default_factory=deque)
    live: Counts = NOTHING
    candidate: Counts = NOTHING
    tolerated: float = 0.0
    live_now: Counts = NOTHING

    @property
    def guilty(self) -> bool:
        return self.test.guilty and (self.beside is None or self.beside.guilty)

    @property
    def log_e(self) -> float:
        """ln E of the test that has found less."""
        return self.test.log_e if self.beside is None else min(self.test.log_e, self.beside.log_e)

    def begin_step(self) -> None:
        for test in filter(None, (self.test, self.beside)):
            test.begin_step()

    def remember_live(self, counts: Counts) -> None:
        self.live_now += counts
        self.recent.append(counts)
        self.live += counts
        while len(self.recent) > RECENT_INTERVALS and self.live.requests - self.recent[0].requests >= RECENT_REQUESTS:
            self.live -= self.recent.popleft()

    def judge_candidate(self, counts: Counts) -> None:
        normal = usual(self.test.test.floor, self.history)
        latest = sum(islice(reversed(self.recent), LATEST_INTERVALS), NOTHING)
        self.tolerated = max(baseline(normal, self.live), baseline(normal, latest, SUDDEN_PRIOR))
        self.candidate += counts
        if self.beside:
            if not latest.requests:
                return  # slow answers come in bursts, for all at once: without the live colour's it is unknown whose they are
            self.beside.advance(beside.llr(counts, self.live_now, self.test.test.ratio))
        self.test.observe(counts.requests, counts.events, self.tolerated)

    def arithmetic(self) -> dict:
        return {
            "test": self.name,
            "source": self.source,
            "candidate_requests": self.candidate.requests,
            "candidate_events": self.candidate.events,
            "live_requests": self.live.requests,
            "live_events": self.live.events,
            "baseline": round(self.tolerated, 5),
            "guilty_rate": round(self.test.test.guilty_rate(self.tolerated or self.test.test.floor), 5),
            "llr": round(self.test.llr, 3),
            "clear_at": round(self.test.clear_limit, 3),
            "log_e": round(self.log_e, 3),
            "abort_at": round(self.test.log_limit, 3),
        }


class Judge:
    """Collects samples over a whole rollout. ``sources``: names of what will send samples; ``names``: {LIVE: colour, CANDIDATE: colour}."""

    def __init__(self, limits: Limits, sources, names=None):
        self._limits = limits
        self._names = names or NAMES
        self._streams = []
        self._lead_in_ms: list = []
        self._percentiles: dict = {}
        self._step_requests = 0
        sources = list(sources)
        for source in sources:
            share = _share(source, sources)
            for name, floor in _floors(limits).items():
                if name in ("slow", "unattributed") and source != FAST:
                    continue  # metric sources know neither each request nor whom an answer of the load balancer's own is due to
                test = Hypotheses(name, floor, limits.ratio, limits.alpha * SPENT[name], limits.beta)
                agreeing = Sequential(test, share) if name == "slow" else None
                self._streams.append(_Stream(name, source, Sequential(test, share), agreeing))

    @property
    def slow_ms(self) -> float:
        """An answer that takes longer is slow."""
        usual_p95 = percentile(self._lead_in_ms, 0.95) if len(self._lead_in_ms) >= ENOUGH_FOR_P95 else None
        return max(self._limits.latency_floor_ms, self._limits.latency_tolerance * (usual_p95 or 0.0))

    def history(self, sample: Sample) -> None:
        """What the live colour answered in the time before the rollout (an hour of metrics, say): its usual rates."""
        for stream in self._of(sample.source, sample.colour):
            stream.history += self._counts(stream.name, sample)

    def lead_in(self, sample: Sample) -> None:
        """What the live colour answers right now, before the candidate gets anything."""
        self._lead_in_ms.extend(sample.latencies_ms if sample.colour == LIVE else ())
        for stream in self._of(sample.source, sample.colour):
            stream.remember_live(self._counts(stream.name, sample))

    def begin_step(self) -> None:
        """The next step's weights are in force."""
        self._step_requests = 0
        self._percentiles.clear()
        for stream in self._streams:
            stream.begin_step()

    def observe(self, samples) -> None:
        """Samples of one interval. The live colour's are taken in first: the candidate is judged by what the live colour did at the same
        time."""
        for stream in self._streams:
            stream.live_now = NOTHING
        for sample in sorted(samples, key=lambda item: item.colour != LIVE):
            for stream in self._of(sample.source, sample.colour):
                counts = self._counts(stream.name, sample)
                (stream.remember_live if sample.colour == LIVE else stream.judge_candidate)(counts)
            if sample.colour == CANDIDATE:
                self._step_requests += sample.requests
            if sample.p95_ms is not None and sample.requests >= ENOUGH_FOR_P95:
                self._percentiles[sample.source, sample.colour] = sample.p95_ms

    @property
    def guilty(self) -> bool:
        """Whether any test has found the candidate guilty."""
        return any(stream.guilty for stream in self._streams)

    def clear(self, source: str, name: str) -> bool:
        """Whether one test has cleared the candidate in this step."""
        return all(stream.test.clear for stream in self._streams if (stream.source, stream.name) == (source, name))

    @property
    def suspicious(self) -> bool:
        """The latest answers lean against the candidate: worth asking more often."""
        return any(stream.name != "client_errors" and stream.test.llr > 0 for stream in self._streams)

    def verdict(self, min_requests: int = 0) -> Verdict:
        """What the counts say now; ``min_requests`` of the candidate in this step are waited for in any case."""
        arithmetic = tuple(stream.arithmetic() for stream in self._streams)
        guilty = [stream for stream in self._streams if stream.guilty]
        if guilty:
            return Verdict(ABORT, "; ".join(self._accusation(stream) for stream in guilty), 0, arithmetic)
        slower = self._slower_percentile()
        fast = self._of(FAST) or self._streams
        missing = max([stream.test.requests_needed() for stream in fast], default=0)
        missing = max(missing, min_requests - self._step_requests)
        leaning = [stream for stream in self._streams if stream not in fast and stream.test.llr > 0]
        if missing > 0:
            return Verdict(INCONCLUSIVE, f"{missing} more requests to {self._names[CANDIDATE]} needed", missing, arithmetic)
        if leaning:
            names = ", ".join(f"{TITLES[stream.name]} in {stream.source}" for stream in leaning)
            return Verdict(INCONCLUSIVE, f"{names}: more than before, not enough to tell", 0, arithmetic)
        if slower:
            return Verdict(INCONCLUSIVE, slower, 0, arithmetic)
        return Verdict(PROMOTE, f"{self._names[CANDIDATE]} is no worse than {self._names[LIVE]}", 0, arithmetic)

    def _accusation(self, stream: _Stream) -> str:
        candidate = stream.candidate
        whose = "all" if stream.name == "unattributed" else f"{self._names[CANDIDATE]}'s"
        return (
            f"{TITLES[stream.name]}: {candidate.events} of {whose} {candidate.requests} requests ({100 * candidate.rate:.1f} %), "
            f"tolerated {100 * stream.tolerated:.1f} % ({stream.source}; ln E {stream.log_e:.2f}, limit {stream.test.log_limit:.2f})"
        )

    def _slower_percentile(self) -> str:
        for (source, colour), value in self._percentiles.items():
            live = self._percentiles.get((source, LIVE))
            if colour == CANDIDATE and live is not None:
                most = max(self._limits.latency_floor_ms, live * self._limits.latency_tolerance)
                if value > most:
                    names = self._names
                    return (
                        f"{names[CANDIDATE]}'s p95 in {source} is {value:.0f} ms, {names[LIVE]}'s {live:.0f} ms; "
                        f"up to {most:.0f} ms are tolerated"
                    )
        return ""

    def _of(self, source: str, colour: str = CANDIDATE) -> list:
        return [stream for stream in self._streams if stream.source == source and (stream.name == "unattributed") == (colour == ANY)]

    def _counts(self, name: str, sample: Sample) -> Counts:
        if name == "slow":
            limit = self.slow_ms
            return Counts(len(sample.latencies_ms), sum(value > limit for value in sample.latencies_ms))
        return Counts(sample.requests, sample.client_errors if name == "client_errors" else sample.errors)


def _floors(limits: Limits) -> dict:
    return {"errors": limits.error_rate, "client_errors": limits.client_error_rate, "slow": 0.05, "unattributed": limits.error_rate}


def _share(source: str, sources) -> float:
    """The part of each test's alpha that a source may spend; all parts add up to 1."""
    others = [name for name in sources if name != FAST]
    if source == FAST:
        return FAST_SHARE if others else 1.0
    return (1 - FAST_SHARE if FAST in sources else 1.0) / len(others)
