# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver with weights in memory and probes that answer at once: what it does in which order, and what it leaves."""

from __future__ import annotations

import json
import threading

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils import _traffic as traffic
from ansible_collections.bluegreen.aws.plugins.module_utils._canary import plan
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.judge import Judge, Limits
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.rollout import Options, Rollout
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import CANDIDATE, FAST, LIVE, Sample
from ansible_collections.bluegreen.aws.plugins.module_utils._traffic import TrafficError
from ansible_collections.bluegreen.aws.plugins.plugin_utils._canary import driver as driving
from ansible_collections.bluegreen.aws.plugins.plugin_utils._canary.guard import GuardError

GROUPS = {LIVE: "chat-blue", CANDIDATE: "chat-green"}
ABOUT = {"id": "r1", "listener": "listener chat:80", "colours": ["blue", "green"], "started_at": "-", "by": "kim"}
PLAN = [[90, 10], [50, 50], [0, 100]]


class Weights:
    """In memory; ``failures``: how many of the next writes fail; ``sick``: groups without a healthy target."""

    def __init__(self, log):
        self.live, self.log, self.failures, self.sick = {"chat-blue": 100, "chat-green": 0}, log, 0, set()
        self.meanwhile = lambda: None

    def read(self):
        return dict(self.live)

    def write(self, weights, expected):
        traffic.expect(self.live, expected, "listener chat:80")
        if self.failures:
            self.failures -= 1
            self.log.append(("failed", weights))
            raise OSError("Rate exceeded")
        self.live = dict(weights)
        self.log.append(("write", weights["chat-green"]))
        return 0.01

    def await_healthy(self, names, _timeout):
        self.meanwhile()
        if self.sick & set(names):
            raise TrafficError("target group chat-green has no healthy target")


class Probes:
    """Every sample has 200 answers of each colour that has weight; ``bad`` of the candidate's are errors. ``stale``: answers of the
    candidate that still come after its weight is 0."""

    def __init__(self, weights):
        self.weights, self.bad, self.factor, self.stale = weights, 0, 1.0, 0

    def start(self):
        pass

    stop = start

    def ask_more(self, factor):
        self.factor = factor

    def take(self):
        samples = [Sample(FAST, LIVE, 200, latencies_ms=(20.0,) * 200)] if self.weights.live["chat-blue"] else []
        if self.weights.live["chat-green"]:
            samples.append(Sample(FAST, CANDIDATE, 200, self.bad, latencies_ms=(20.0,) * 200))
        return samples

    def once(self):
        if self.stale:
            self.stale -= 1
            return CANDIDATE
        return LIVE


class Store:
    def __init__(self, log):
        self.log, self.states, self.broken = log, [], False

    def write(self, state):
        if self.broken:
            raise GuardError("the record cannot be written")
        self.states.append(state)
        self.log.append(("record", state["state"]))

    def back(self, weights, entry):
        self.log.append(("back", weights["chat-blue"], entry["state"]))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(driving, "TICK_S", 0.01)
    monkeypatch.setattr(driving, "SAMPLE_S", 0.02)


class World:
    def __init__(self, tmp_path, **options):
        self.log, self.said = [], []
        self.weights = Weights(self.log)
        self.probes, self.record, self.guard = Probes(self.weights), Store(self.log), Store(self.log)
        steps = plan.parse(PLAN, {"hold_s": 0.1, "timeout_s": 3})
        self.rollout = Rollout(steps, Judge(Limits(), [FAST]), Options(lead_in_s=0.05, **options), weights=(100, 0))
        self.path = str(tmp_path / "rollout-r1")
        self.driver = driving.Driver(
            self.rollout, self.weights, GROUPS, ABOUT, self.said.append,
            probes=self.probes, guard=self.guard, record=self.record, evidence_path=self.path,
        )  # fmt: skip

    def run(self, *pollers):
        return self.driver.run(pollers)


class Later:
    """A source that puts one event, or calls a function, once the candidate has weight."""

    def __init__(self, world, act):
        self.world, self.act, self.stopped = world, act, threading.Event()

    def start(self):
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while not self.stopped.wait(0.005):
            if self.world.weights.live["chat-green"]:
                self.act()
                return

    def stop(self):
        self.stopped.set()


def test_a_good_candidate_gets_everything_and_the_record_says_so(tmp_path):
    world = World(tmp_path)
    found = world.run()
    assert found["outcome"] == "done"
    assert [entry for entry in world.log if entry[0] == "write"] == [("write", 10), ("write", 50), ("write", 100)]
    assert world.record.states[-1]["state"] == "done"
    assert world.record.states[-1]["weights"] == {"chat-blue": 0, "chat-green": 100}
    assert world.record.states[-1]["rollback_weights"] == {"chat-blue": 100, "chat-green": 0}
    kinds = [(tmp_path / f"rollout-r1.{kind}").exists() for kind in ("json", "md", "html")]
    assert kinds == [True, True, True]
    assert json.loads((tmp_path / "rollout-r1.json").read_text())["outcome"] == "done"
    assert any("step 1/3" in line for line in world.said)


def test_watchdog_and_record_know_the_way_back_before_each_shift(tmp_path):
    world = World(tmp_path)
    world.run()
    for place, entry in enumerate(world.log):
        if entry[0] == "write":
            assert world.log[place - 2 : place] == [("back", 100, "shifting"), ("record", "shifting")]


def test_errors_lead_back(tmp_path):
    world = World(tmp_path)
    world.probes.bad = 20
    found = world.run()
    assert found["outcome"] == "rolled_back"
    assert world.weights.live == {"chat-blue": 100, "chat-green": 0}
    assert found["rollback"]["first_bad_answer_to_restored_s"] < 2


def test_back_means_that_nobody_sees_the_candidate_any_more(tmp_path):
    world = World(tmp_path)
    world.probes.bad, world.probes.stale = 20, 7
    found = world.run()
    assert found["outcome"] == "rolled_back"
    assert world.probes.stale == 0


def test_a_way_back_that_is_throttled_is_tried_again(tmp_path):
    world = World(tmp_path)
    world.probes.bad = 20

    def break_it():
        world.weights.failures = 2

    found = world.run(Later(world, break_it))
    assert found["outcome"] == "rolled_back"
    assert sum(entry[0] == "failed" for entry in world.log) == 2
    assert world.weights.live["chat-green"] == 0


def test_an_interrupt_leads_back(tmp_path):
    world = World(tmp_path)
    found = world.run(Later(world, lambda: world.driver.interrupt("SIGTERM")))
    assert (found["outcome"], found["why"]) == ("rolled_back", "SIGTERM")
    assert world.weights.live["chat-green"] == 0


def test_a_candidate_without_a_healthy_target_is_not_shifted_to(tmp_path):
    world = World(tmp_path)
    world.weights.sick = {"chat-green"}
    found = world.run()
    assert found["outcome"] == "rolled_back"
    assert "no healthy target" in found["why"]
    assert [entry for entry in world.log if entry[0] == "write"] == [("write", 0)]


def test_weights_of_somebody_else_are_left_alone(tmp_path):
    world = World(tmp_path)
    theirs = {"chat-blue": 70, "chat-green": 30}

    def take_over():
        world.weights.live = dict(theirs)

    found = world.run(Later(world, take_over))
    assert found["outcome"] == "taken_over"
    assert world.weights.live == theirs


@pytest.mark.case("B4")
def test_a_rollback_while_targets_are_waited_for_is_not_undone(tmp_path):
    world = World(tmp_path)

    def roll_back():
        if world.weights.live["chat-green"] == 10:
            world.weights.live = {"chat-blue": 100, "chat-green": 0}

    world.weights.meanwhile = roll_back
    found = world.run()
    assert (found["outcome"], found["weights"]) == ("taken_over", [100, 0])
    assert [entry for entry in world.log if entry[0] == "write"] == [("write", 10)]


@pytest.mark.case("B5")
def test_a_rollback_does_not_overwrite_newer_weights(tmp_path):
    world = World(tmp_path)
    theirs = {"chat-blue": 70, "chat-green": 30}

    def take_over():
        world.weights.live = dict(theirs)
        world.driver.interrupt("SIGTERM")

    found = world.run(Later(world, take_over))
    assert (found["outcome"], found["weights"]) == ("taken_over", [70, 30])
    assert world.weights.live == theirs


def test_a_shift_whose_answer_was_lost_is_rolled_back(tmp_path):
    world = World(tmp_path)

    def lose():
        if world.weights.live["chat-green"] == 10:
            world.weights.live = {"chat-blue": 50, "chat-green": 50}
            raise OSError("the answer was lost")

    world.weights.meanwhile = lose
    found = world.run()
    assert (found["outcome"], found["weights"]) == ("rolled_back", [100, 0])


def test_what_is_seen_of_the_weights_counts_when_it_is_seen_twice(tmp_path):
    world = World(tmp_path)

    def see():
        world.driver.put(("seen", (100, 0)))
        world.driver.put(("seen", (100, 0)))

    world.rollout.options.__dict__["lead_in_s"] = 0.0
    world.rollout.steps[0].gate.__dict__.update(hold_s=2.0)
    found = world.run(Later(world, see))
    assert found["outcome"] == "taken_over"


def test_nothing_is_shifted_when_the_way_back_cannot_be_recorded(tmp_path):
    world = World(tmp_path)
    world.record.broken = True
    found = world.run()
    assert found["outcome"] == "rolled_back"
    assert ("write", 10) not in world.log


def test_an_exception_anywhere_leads_back(tmp_path):
    world = World(tmp_path)

    def explode():
        raise RuntimeError("a bug")

    found = world.run(Later(world, lambda: setattr(world.probes, "take", explode)))
    assert found["outcome"] == "rolled_back"
    assert "RuntimeError: a bug" in found["why"]
    assert world.weights.live["chat-green"] == 0


def test_the_end_of_the_ansible_process_leads_back(tmp_path):
    world = World(tmp_path)
    found = world.run(Later(world, lambda: setattr(world.driver, "_parent", 1)))
    assert found["outcome"] == "rolled_back"
    assert "the Ansible process" in found["why"]
