# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The state machine of a rollout: gets what happened and when, answers what to do; no clock, no call.

States: ``ready`` → ``lead_in`` → ``shifting`` → ``judging`` (→ ``paused``) → ``shifting`` … → ``done``, and from each of them
``rolling_back`` → ``rolled_back``; ``stuck`` when the weights could not be put back in time, ``taken_over`` when others have set
other weights. Times are seconds of any clock that only goes forward; they are recorded relative to the start.
"""

from __future__ import annotations

from dataclasses import dataclass

from .judge import ABORT, PROMOTE, Judge, Verdict
from .plan import Gate
from .samples import CANDIDATE, FAST, LIVE, NAMES, Sample

COMMANDS = ("promote", "abort", "skip", "pause", "resume")
FINISHED = ("done", "rolled_back", "stuck", "taken_over")


@dataclass(frozen=True)
class Options:
    """``stable``: the weights to go back to. ``lead_in_s``: how long the live colour is watched before the first shift. ``deadline_s``:
    longest time for the whole plan (0: none). ``on_inconclusive``: ``rollback`` or ``pause`` at a gate's timeout. ``grace_s``: how long
    the candidate may be without a healthy target. ``silence_s``: how long a source may fail before the rollout ends. ``give_up_s``: how
    long a rollback is tried."""

    stable: tuple = (100, 0)
    lead_in_s: float = 5.0
    deadline_s: float = 0.0
    on_inconclusive: str = "rollback"
    grace_s: float = 3.0
    silence_s: float = 30.0
    give_up_s: float = 900.0
    boost: float = 5.0


@dataclass(frozen=True)
class Shift:
    """Set the weights if one of ``own`` is in force, read them back, and answer with ``on_shifted``, ``on_shift_failed`` or
    ``on_taken_over``. ``back``: these are the rollback weights."""

    weights: tuple
    why: str
    own: tuple
    back: bool = False
    not_before: float = 0.0


@dataclass(frozen=True)
class Record:
    """Write the rollback weights down before anything else is done: where the traffic goes when this process has ended, unless ``state``
    is one of FINISHED; after that it is where a rollback leads. ``own``: every weights that this rollout may have left in force by then;
    others were set by another run or a person."""

    state: str
    step: int
    weights: tuple
    rollback_weights: tuple
    own: tuple


@dataclass(frozen=True)
class Ask:
    """Let the probes ask ``factor`` times as often as usual."""

    factor: float


@dataclass(frozen=True)
class Finish:
    """The rollout is over; ``outcome`` is one of FINISHED."""

    outcome: str
    why: str


class Rollout:
    """One run of a plan. ``weights``: those found at the start; ``metric_sources``: names of the sources a gate waits for."""

    def __init__(self, steps, judge: Judge, options: Options, *, weights, metric_sources=(), names=None):
        self.steps = tuple(steps)
        self.judge = judge
        self.options = options
        self.state = "ready"
        self.step = 0  # index of the present step
        self.weights = tuple(weights)
        self.names = names or NAMES
        self.why = ""
        self.timeline: list = []
        self.started: float | None = None
        self.first_error: float | None = None
        self.abort_at: float | None = None
        self.ended: float | None = None
        self.totals: dict = {}
        self._metric_sources = tuple(metric_sources)
        self._published: set = set()
        self._step_began: float | None = None
        self._unhealthy_since: float | None = None
        self._healthy: dict = {}
        self._silent: dict = {}
        self._boosted = False
        self._skip = self._pause_wanted = self._full = False
        self._failures = 0
        self._noted: set = set()
        self._verdict = Verdict("inconclusive", "nothing was asked yet")

    # What the driver asks

    @property
    def gate(self) -> Gate:
        return self.steps[self.step].gate

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    @property
    def verdict(self) -> Verdict:
        return self._verdict

    def healthy(self, colour: str):
        """(healthy targets, all targets) as last seen, or None."""
        return self._healthy.get(colour)

    def in_step_s(self, now: float) -> float:
        return 0.0 if self._step_began is None else now - self._step_began

    def left_s(self, now: float) -> float:
        """The shortest time in which the plan can end, in seconds; 0 when it is over."""
        if self.state in ("rolling_back", *FINISHED):
            return 0.0
        rest = sum(step.gate.hold_s for step in self.steps[self.step + 1 :])
        return rest + max(0.0, self.gate.hold_s - self.in_step_s(now))

    # What happened

    def start(self, now: float) -> list:
        """Begin: watch the live colour, or shift at once when there is nothing to watch it with."""
        self.started = now
        plan = ", ".join(f"{step.live}/{step.candidate}" for step in self.steps)
        plan = f"plan {plan} ({self.names[LIVE]}/{self.names[CANDIDATE]})"
        self._note(now, "start", f"{plan}; in force: {self.text(self.weights)}; rollback weights: {self.text(self.options.stable)}")
        self.state = "lead_in"
        return self._record() + self.on_tick(now)

    def on_tick(self, now: float) -> list:
        """Time passed."""
        if self.state == "lead_in" and now - self.started >= self.options.lead_in_s:
            return self._shift_to(now, 0)
        if self.state in ("shifting", "judging", "paused"):
            if self.options.deadline_s and now - self.started > self.options.deadline_s:
                return self._roll_back(now, f"the plan was not through after {self.options.deadline_s:g} s")
            for source, since in self._silent.items():
                if now - since >= self.options.silence_s:
                    return self._roll_back(now, f"{source} has not answered for {now - since:.0f} s")
        if self.state == "judging":
            return self._judge(now)
        if self.state == "paused":
            return self._judge_paused(now)
        return []

    def on_shifted(self, now: float, seconds: float) -> list:
        """The weights asked for are in force; it took ``seconds``."""
        if self.state == "rolling_back":
            self.weights = self.options.stable
            self._note(now, "weights", f"{self.text(self.weights)} in force after {seconds * 1000:.0f} ms")
            return self._finish(now, "rolled_back", self.why)
        self.weights = self.steps[self.step].weights
        self._note(now, "weights", f"{self.text(self.weights)} in force after {seconds * 1000:.0f} ms")
        if self.state != "shifting":
            return []
        self.state = "judging"
        self._step_began = now
        self._published.clear()
        self._skip = False
        self.judge.begin_step()
        return self._record()

    def on_shift_failed(self, now: float, message: str) -> list:
        """The weights asked for could not be set, or did not read back."""
        if self.state == "rolling_back":
            self._failures += 1
            self._note(now, "error", f"the rollback weights could not be set ({self._failures}): {message}")
            if now - self.abort_at >= self.options.give_up_s:
                return self._finish(now, "stuck", f"{self.why}; the weights could not be put back: {message}")
            wait = min(5.0, 0.25 * 2 ** min(self._failures - 1, 5))
            return [self._back(not_before=now + wait)]
        self._note(now, "error", message)
        return self._roll_back(now, message)

    def on_taken_over(self, now: float, found) -> list:
        """The weights are not those that this rollout has set: the newer ones count, and nothing is written over them."""
        if self.finished:
            return []
        self.weights = tuple(found)
        return self._finish(now, "taken_over", f"the weights are {self.text(self.weights)}, which this rollout did not set; they stay")

    def on_samples(self, now: float, samples) -> list:
        """Counts of one interval, of any source."""
        if self.finished:
            return []
        for sample in samples:
            self._count(now, sample)
            self._silent.pop(sample.source, None)
        if self.state not in ("shifting", "judging", "paused") or self._step_began is None:
            for sample in samples:
                if sample.colour != CANDIDATE:
                    self.judge.lead_in(sample)
            return []
        self.judge.observe(samples)
        self._published.update(sample.source for sample in samples if sample.source != FAST and sample.colour == CANDIDATE)
        return self._boost() + self.on_tick(now)

    def on_health(self, now: float, colour: str, healthy: int, total: int) -> list:
        """Targets of a colour as the load balancer sees them."""
        if self._healthy.get(colour) != (healthy, total):
            self._note(now, "health", f"{self.names[colour]}: {healthy} of {total} targets healthy")
        self._healthy[colour] = (healthy, total)
        self._silent.pop("target health", None)
        if colour != CANDIDATE or self.state not in ("shifting", "judging", "paused"):
            return []
        if healthy:
            self._unhealthy_since = None
            return []
        self._unhealthy_since = now if self._unhealthy_since is None else self._unhealthy_since
        if now - self._unhealthy_since >= self.options.grace_s:
            return self._roll_back(now, f"{self.names[CANDIDATE]} has no healthy target (of {total})")
        return []

    def on_task_exit(self, now: float, colour: str, reason: str) -> list:
        """A task, container or process of a colour ended by itself."""
        self._note(now, "exit", f"{self.names[colour]}: {reason}")
        if colour == CANDIDATE and self.state in ("shifting", "judging", "paused"):
            return self._roll_back(now, f"a task of {self.names[CANDIDATE]} ended: {reason}")
        return []

    def on_alarm(self, now: float, name: str, firing: bool) -> list:
        """An alarm's state. One that fires before the candidate has any traffic is noted: it cannot be the candidate's doing."""
        if not firing:
            self._noted.discard(name)
            return []
        if name in self._noted:
            return []
        if self.state in ("ready", "lead_in"):
            self._noted.add(name)
            self._note(now, "alarm", f"{name} fires already, before the switch; it will not stop it")
            return []
        if self.state in ("shifting", "judging", "paused"):
            return self._roll_back(now, f"alarm {name} fires")
        return []

    def on_source_failed(self, now: float, source: str, message: str) -> list:
        """A source did not answer."""
        if source not in self._silent:
            self._silent[source] = now
            self._note(now, "error", f"{source}: {message}")
        return self.on_tick(now)

    def on_command(self, now: float, command: str, by: str = "") -> list:
        """A human's word: one of COMMANDS."""
        who = f" by {by}" if by else ""
        if self.state in ("ready", "rolling_back", *FINISHED):
            self._note(now, "command", f"{command}{who}: too late, the rollout is {self.state.replace('_', ' ')}")
            return []
        self._note(now, "command", f"{command}{who}")
        if command == "abort":
            return self._roll_back(now, f"aborted{who}")
        if command == "promote":
            self._full = True
        elif command == "skip":
            self._skip = True
        elif command == "pause":
            self._pause_wanted = True
        elif command == "resume":
            self._pause_wanted = False
            if self.state == "paused":
                return self._advance(now)
        return self.on_tick(now)

    def on_interrupt(self, now: float, reason: str) -> list:
        """A signal or an exception: back at once."""
        if self.state == "rolling_back" or self.finished:
            return []
        if self.state in ("ready", "lead_in"):
            return self._finish(now, "rolled_back", f"{reason}, before anything was shifted")
        return self._roll_back(now, reason)

    # What follows

    def _judge(self, now: float) -> list:
        self._verdict = verdict = self.judge.verdict(self.gate.min_requests)
        if verdict.action == ABORT:
            return self._roll_back(now, verdict.why)
        if self._full:
            return self._advance(now)
        missing = [source for source in self._metric_sources if self.gate.metrics and source not in self._published]
        if verdict.action == PROMOTE and missing:
            self._verdict = verdict = Verdict("inconclusive", f"waiting for {', '.join(missing)}", 0, verdict.arithmetic)
        waited = self.in_step_s(now) >= self.gate.hold_s
        if self._skip or (verdict.action == PROMOTE and waited):
            if (self.gate.pause or self._pause_wanted) and not self._skip:
                return self._pause(now)
            return self._advance(now)
        if self.in_step_s(now) >= self.gate.timeout_s:
            why = f"step {self.step + 1} was still inconclusive after {self.gate.timeout_s:g} s: {verdict.why}"
            if self.options.on_inconclusive == "pause":
                return self._pause(now, why)
            return self._roll_back(now, why)
        return []

    def _judge_paused(self, now: float) -> list:
        self._verdict = verdict = self.judge.verdict(0)
        if verdict.action == ABORT:
            return self._roll_back(now, verdict.why)
        if self._full or self._skip:
            return self._advance(now)
        return []

    def _pause(self, now: float, why: str = "") -> list:
        self.state = "paused"
        self._pause_wanted = False
        self._note(now, "pause", f"waiting for a human: resume, promote or abort{'; ' + why if why else ''}")
        return self._record()

    def _advance(self, now: float) -> list:
        passed = self.steps[self.step]
        self._note(now, "gate", f"{self.text(passed.weights)} passed: {self._verdict.why}", arithmetic=list(self._verdict.arithmetic))
        last = len(self.steps) - 1
        if self.step == last:
            return self._finish(now, "done", f"{self.text(passed.weights)} is in force")
        return self._shift_to(now, last if self._full else self.step + 1)

    def _shift_to(self, now: float, step: int) -> list:
        self.step = step
        self.state = "shifting"
        weights = self.steps[step].weights
        self._verdict = Verdict("inconclusive", "nothing was asked yet")
        why = f"step {step + 1} of {len(self.steps)}"
        self._note(now, "shift", f"{why}: {self.text(weights)}")
        return [*self._record(), Shift(weights, why, (self.weights,))]

    def _roll_back(self, now: float, why: str) -> list:
        self.state = "rolling_back"
        self.why = why
        self.abort_at = now
        self._note(now, "abort", why, arithmetic=list(self._verdict.arithmetic))
        return [self._back()]

    def _back(self, not_before: float = 0.0) -> Shift:
        return Shift(self.options.stable, self.why, self._own(), back=True, not_before=not_before)

    def _own(self) -> tuple:
        """Weights that this rollout may have left in force: a shift whose answer was lost may have worked, a rollback too."""
        shifted = () if self.state in ("ready", "lead_in") else (self.steps[self.step].weights,)
        return tuple(dict.fromkeys((self.weights, *shifted, self.options.stable)))

    def _finish(self, now: float, outcome: str, why: str) -> list:
        self.state = outcome
        self.why = why
        self.ended = now
        self._note(now, "end", f"{outcome.replace('_', ' ')}: {why}")
        return [*self._record(), Finish(outcome, why)]

    def _record(self) -> list:
        return [Record(self.state, self.step, self.weights, self.options.stable, self._own())]

    def _boost(self) -> list:
        wanted = self.state in ("judging", "paused") and self.judge.suspicious
        if wanted == self._boosted:
            return []
        self._boosted = wanted
        return [Ask(self.options.boost if wanted else 1.0)]

    def _count(self, now: float, sample: Sample) -> None:
        if sample.colour != LIVE and sample.errors and self.first_error is None and self.weights[1]:
            self.first_error = now
            whose = f"of {self.names[CANDIDATE]}" if sample.colour == CANDIDATE else "that no colour signed"
            self._note(now, "error", f"first bad answer {whose} ({sample.source})")
        key = (sample.source, sample.colour)
        total = self.totals.get(key, (0, 0, 0))
        self.totals[key] = (total[0] + sample.requests, total[1] + sample.errors, total[2] + sample.client_errors)

    def _note(self, now: float, kind: str, text: str, **more) -> None:
        at = round(now - (self.started if self.started is not None else now), 3)
        entry = {"at": at, "kind": kind, "step": self.step + 1, "weights": list(self.weights), "text": text, **more}
        self.timeline.append(entry)

    def text(self, weights) -> str:
        """Weights for people: "blue 90 %, green 10 %"."""
        return f"{self.names[LIVE]} {weights[0]} %, {self.names[CANDIDATE]} {weights[1]} %"
