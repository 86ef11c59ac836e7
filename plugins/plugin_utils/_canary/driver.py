# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a rollout: feeds the state machine with what sources say and does what it answers. The only place with its clock and its loop."""

from __future__ import annotations

import json
import os
import queue
import time

from ...module_utils._aws.errors import BluegreenAWSError, sentence
from ...module_utils._canary import evidence, page
from ...module_utils._canary.rollout import Ask, Finish, Record, Rollout, Shift
from ...module_utils._canary.samples import CANDIDATE, FAST, LIVE
from ...module_utils._traffic import TrafficError, WeightsChangedError
from .guard import GuardError

TICK_S = 0.25
SAMPLE_S = 0.5
SAY_S = 5.0
VERIFY_PROBES = 20
VERIFY_S = 10.0
HEALTHY_S = 10.0


class Driver:
    """``groups``: {LIVE: target group, CANDIDATE: target group}; ``about``: what evidence says of who and what; ``say(line)`` shows
    progress.

    ``probes``, ``guard`` and ``record`` may be None (no probes, no watchdog, nothing recorded).
    """

    def __init__(self, rollout: Rollout, weights, groups, about, say, *, probes=None, guard=None, record=None, evidence_path=None):
        self.rollout = rollout
        self._weights, self._groups, self._about, self._say = weights, groups, about, say
        self._probes, self._guard, self._record, self._path = probes, guard, record, evidence_path
        self._events: queue.SimpleQueue = queue.SimpleQueue()
        self._series = evidence.Series()
        self._postponed: Shift | None = None
        self._interrupt = ""
        self._shown = self._written = 0
        self._others_seen = 0
        self._parent = os.getppid()

    @property
    def put(self):
        """Where sources put their events."""
        return self._events.put

    def interrupt(self, reason: str) -> None:
        """Go back at once; safe in a signal handler."""
        self._interrupt = reason

    def run(self, pollers) -> dict:
        """Run to the end; the evidence. ``pollers`` are started and stopped here."""
        workers = [*pollers, *([self._probes] if self._probes else [])]
        for worker in workers:
            worker.start()
        self._about["began"] = round(time.time(), 3)
        try:
            self._do(self.rollout.start(self._now()))
            self._loop()
        finally:
            for worker in workers:
                worker.stop()
        found = evidence.record(self.rollout, self._series, self._about)
        self._write(found, final=True)
        return found

    def _loop(self) -> None:
        sampled = said = 0.0
        while not self.rollout.finished:
            try:
                self._step()
                if self._now() - sampled >= SAMPLE_S:
                    sampled = self._now()
                    self._sample()
                self._do(self.rollout.on_tick(self._now()))
                self._show()
                if self._now() - said >= SAY_S:
                    said = self._now()
                    self._say(self._line())
            except Exception as error:  # whatever breaks here, traffic goes back; what breaks in a rollback is tried again
                self._do(self.rollout.on_interrupt(self._now(), f"{type(error).__name__}: {error}"))
        self._show()

    def _step(self) -> None:
        """Wait for an event for at most a tick, and see to what does not come as one."""
        try:
            event = self._events.get(timeout=TICK_S)
        except queue.Empty:
            event = None
        now = self._now()
        if self._interrupt:
            self._do(self.rollout.on_interrupt(now, self._interrupt))
        elif os.getppid() != self._parent:
            self._do(self.rollout.on_interrupt(now, "the Ansible process that started this rollout has ended"))
        if self._postponed is not None and now >= self._postponed.not_before:
            shift, self._postponed = self._postponed, None
            self._shift(shift)
        if event is not None and event[0] == "seen":
            self._seen(event[1])
        elif event is not None:
            self._do(getattr(self.rollout, event[0])(self._now(), *event[1:]))

    def _seen(self, found) -> None:
        """Weights that are not ours, twice in a row (once may be a shift of ours that was just under way), were set by another run."""
        ours = self.rollout.state in ("shifting", "rolling_back") or tuple(found) == self.rollout.weights
        self._others_seen = 0 if ours else self._others_seen + 1
        if self._others_seen > 1:
            self._do(self.rollout.on_taken_over(self._now(), found))

    def _sample(self) -> None:
        samples = self._probes.take() if self._probes else []
        if samples:
            self._series.add(self._now() - self.rollout.started, self.rollout.weights, samples)
            self._do(self.rollout.on_samples(self._now(), samples))

    def _do(self, actions) -> None:
        for action in actions:
            if isinstance(action, Record):
                self._remember(action)
            elif isinstance(action, Shift):
                if action.not_before > self._now():
                    self._postponed = action
                else:
                    self._shift(action)
            elif isinstance(action, Ask) and self._probes:
                self._probes.ask_more(action.factor)
            elif isinstance(action, Finish):
                self._write(evidence.record(self.rollout, self._series, self._about))

    def _remember(self, action: Record) -> None:
        """Before a shift this must work; at other times a record that cannot be written is worth a line."""
        entry = {
            "id": self._about["id"],
            "state": action.state,
            "step": action.step + 1,
            "weights": self._named(action.weights),
            "rollback_weights": self._named(action.rollback_weights),
            "own": [self._named(weights) for weights in action.own],
            "listener": self._about["listener"],
            "by": self._about["by"],
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "why": self.rollout.why,
        }
        must = action.state == "shifting"
        try:
            if self._guard and not self.rollout.finished:
                self._guard.back(self._named(action.rollback_weights), entry)
            if self._record:
                self._record.write(entry)
        except (GuardError, BluegreenAWSError) as error:
            if must:
                raise
            self._say(f"the rollout's record could not be written: {_text(error)}")
        self._write(evidence.record(self.rollout, self._series, self._about))

    def _shift(self, shift: Shift) -> None:
        """Set the weights and tell the rollout how that went."""
        began = self._now()
        try:
            if not shift.back:
                receiving = [self._groups[colour] for colour, weight in zip((LIVE, CANDIDATE), shift.weights, strict=True) if weight]
                self._weights.await_healthy(receiving, HEALTHY_S)
            self._weights.write(self._named(shift.weights), [self._named(weights) for weights in shift.own])
            if shift.back:
                self._verify(shift.weights)
        except WeightsChangedError as changed:
            in_force = (changed.found.get(self._groups[LIVE], 0), changed.found.get(self._groups[CANDIDATE], 0))
            self._do(self.rollout.on_taken_over(self._now(), in_force))
            return
        except Exception as error:  # a refused call, a lost connection, weights that do not read back: all the same to the rollout
            self._do(self.rollout.on_shift_failed(self._now(), _text(error)))
            return
        self._do(self.rollout.on_shifted(self._now(), self._now() - began))

    def _verify(self, weights) -> None:
        """Ask until VERIFY_PROBES answers in a row came from no colour without weight. TrafficError after VERIFY_S."""
        without = {colour for colour, weight in zip((LIVE, CANDIDATE), weights, strict=True) if not weight}
        if not self._probes or not without:
            return
        deadline, row = self._now() + VERIFY_S, 0
        while row < VERIFY_PROBES:
            row = 0 if self._probes.once() in without else row + 1
            if self._now() > deadline:
                raise TrafficError(f"the weights read back, but a colour without weight still answers after {VERIFY_S:g} s")

    def _named(self, weights) -> dict:
        return {self._groups[LIVE]: weights[0], self._groups[CANDIDATE]: weights[1]}

    def _show(self) -> None:
        """Say what is new in the timeline."""
        for entry in self.rollout.timeline[self._shown :]:
            self._say(f"{entry['at']:7.1f} s  {entry['kind']}: {entry['text']}")
        self._shown = len(self.rollout.timeline)

    def _line(self) -> str:
        """Where the rollout stands, in one line."""
        rollout, now = self.rollout, self._now()
        parts = [f"{now - rollout.started:7.1f} s  step {rollout.step + 1}/{len(rollout.steps)} {rollout.text(rollout.weights)}"]
        points = self._series.points()[-5:]
        for colour, name in rollout.names.items():
            total = rollout.totals.get((FAST, colour))
            if total:
                p95 = next((point[colour]["p95_ms"] for point in reversed(points) if point[colour]), None)
                parts.append(f"{name} {total[0]} requests, {total[1]} errors" + (f", p95 {p95:.0f} ms" if p95 is not None else ""))
        parts.append(f"{rollout.state.replace('_', ' ')}: {rollout.verdict.why}")
        parts.append(f"at least {rollout.left_s(now):.0f} s left")
        return " | ".join(parts)

    def _write(self, found: dict, final: bool = False) -> None:
        """The evidence so far, so that a run that is killed leaves some; Markdown and the page at the end."""
        if not self._path:
            return
        _replace(f"{self._path}.json", json.dumps(found, indent=1) + "\n")
        if final:
            _replace(f"{self._path}.md", evidence.markdown(found))
            _replace(f"{self._path}.html", page.page(found))

    @staticmethod
    def _now() -> float:
        return time.monotonic()


def _replace(path: str, text: str) -> None:
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.new", path)


def _text(error: Exception) -> str:
    return sentence(error) if isinstance(error, BluegreenAWSError) else str(error)
