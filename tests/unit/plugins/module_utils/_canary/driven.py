# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout that is driven by hand: a clock, counts to feed, and the weights that its actions would set."""

from __future__ import annotations

from ansible_collections.bluegreen.aws.plugins.module_utils._canary import plan
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.judge import Judge, Limits
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.rollout import Ask, Finish, Options, Record, Rollout, Shift
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import CANDIDATE, FAST, LIVE, Sample

PLAN = [[90, 10], [50, 50], [10, 90], [0, 100]]


class Driven:
    """Does at once what the rollout asks for; ``broken`` shifts fail that many times. ``log`` has every action in order."""

    def __init__(self, raw=None, *, sources=(FAST,), live=(100, 0), gate=None, names=None, **options):
        steps = plan.parse(raw or PLAN, {"hold_s": 10, "timeout_s": 60, **(gate or {})})
        metric = [source for source in sources if source != FAST]
        self.rollout = Rollout(steps, Judge(Limits(), sources, names), Options(**options), weights=live, metric_sources=metric, names=names)
        self.now, self.log, self.live, self.broken, self.factor = 100.0, [], live, 0, 1.0

    def start(self):
        self.do(self.rollout.start(self.now))
        return self

    def do(self, actions):
        for action in actions:
            self.log.append(action)
            if isinstance(action, Shift):
                self.now = max(self.now, action.not_before)
                if self.broken:
                    self.broken -= 1
                    self.do(self.rollout.on_shift_failed(self.now, "Rate exceeded"))
                else:
                    self.live = action.weights
                    self.do(self.rollout.on_shifted(self.now, 0.05))
            elif isinstance(action, Ask):
                self.factor = action.factor

    def wait(self, seconds, live=(60, 0), candidate=(60, 0)):
        """Let time pass; each second the probes bring (requests, errors) of both colours."""
        for _second in range(int(seconds)):
            if self.rollout.finished:
                return self
            self.now += 1.0
            samples = [Sample(FAST, LIVE, *live, latencies_ms=(30.0,) * live[0])]
            if self.live[1]:
                samples.append(Sample(FAST, CANDIDATE, *candidate, latencies_ms=(30.0,) * candidate[0]))
            self.do(self.rollout.on_samples(self.now, samples))
            self.do(self.rollout.on_tick(self.now))
        return self

    def idle(self, seconds):
        """Let time pass in which no source says anything."""
        for _second in range(int(seconds)):
            self.now += 1.0
            self.do(self.rollout.on_tick(self.now))
        return self

    def to_step(self, number):
        """On to judging step ``number`` (from 1)."""
        while self.rollout.state in ("ready", "lead_in") or self.rollout.step + 1 < number:
            self.wait(1)
            assert not self.rollout.finished, self.rollout.why
        return self

    @property
    def shifts(self):
        return [action.weights for action in self.log if isinstance(action, Shift)]

    @property
    def records(self):
        return [action for action in self.log if isinstance(action, Record)]

    @property
    def finish(self):
        found = [action for action in self.log if isinstance(action, Finish)]
        assert len(found) <= 1
        return found[0] if found else None

    def said(self, kind):
        return [entry["text"] for entry in self.rollout.timeline if entry["kind"] == kind]
