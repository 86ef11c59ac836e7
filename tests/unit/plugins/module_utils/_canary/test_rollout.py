# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout as a state machine: what leads forward, what leads back, and that the way back is always known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.rollout import COMMANDS, FINISHED, Record, Shift
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import CANDIDATE, FAST, LIVE, Sample

from .driven import PLAN, Driven

STEPS = [1, 2, 3, 4]


def test_a_good_candidate_gets_everything():
    one = Driven().start().wait(200)
    assert one.shifts == [tuple(pair) for pair in PLAN]
    assert one.finish.outcome == "done"
    assert one.live == (0, 100)
    assert one.rollout.weights == (0, 100)


def test_live_is_watched_before_candidate_gets_anything():
    one = Driven(lead_in_s=5).start().wait(4)
    assert one.shifts == []
    assert one.wait(1).shifts == [(90, 10)]


def test_each_step_is_held():
    one = Driven(lead_in_s=0).start()
    assert one.wait(9).live == (90, 10)
    assert one.wait(2).live == (50, 50)


def test_the_way_back_is_recorded_before_each_shift():
    one = Driven().start().wait(200)
    places = [index for index, action in enumerate(one.log) if isinstance(action, Shift)]
    for place in places:
        before = one.log[place - 1]
        assert isinstance(before, Record)
        assert before.rollback_weights == (100, 0)
        assert before.state == "shifting"
    assert one.records[-1].state == "done"
    assert one.records[-1].rollback_weights == (100, 0)


@pytest.mark.parametrize("step", STEPS)
def test_errors_lead_back_at_once(step):
    one = Driven().start().to_step(step)
    began = one.now
    one.wait(10, candidate=(60, 6))
    assert one.live == (100, 0)
    assert one.finish.outcome == "rolled_back"
    assert "5xx or no answer" in one.finish.why
    assert one.now - began <= 2


@pytest.mark.parametrize("step", STEPS)
def test_no_healthy_target_leads_back_after_the_grace(step):
    one = Driven(grace_s=3).start().to_step(step)
    one.do(one.rollout.on_health(one.now, CANDIDATE, 0, 1))
    assert not one.rollout.finished
    one.wait(2)
    one.do(one.rollout.on_health(one.now, CANDIDATE, 1, 1))
    one.wait(3)
    one.do(one.rollout.on_health(one.now, CANDIDATE, 0, 1))
    one.wait(3)
    one.do(one.rollout.on_health(one.now, CANDIDATE, 0, 1))
    assert one.finish.outcome == "rolled_back"
    assert one.finish.why == "candidate has no healthy target (of 1)"


@pytest.mark.parametrize("step", STEPS)
def test_a_task_that_ends_leads_back_at_once(step):
    one = Driven().start().to_step(step)
    one.do(one.rollout.on_task_exit(one.now, CANDIDATE, "exit code 137"))
    assert (one.live, one.finish.outcome) == ((100, 0), "rolled_back")


def test_a_task_of_live_is_noted_only():
    one = Driven().start().to_step(1)
    one.do(one.rollout.on_task_exit(one.now, LIVE, "exit code 137"))
    assert one.finish is None
    assert one.said("exit") == ["live: exit code 137"]


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupt_leads_back_at_once(step):
    one = Driven().start().to_step(step)
    one.do(one.rollout.on_interrupt(one.now, "SIGTERM"))
    assert (one.live, one.finish.outcome, one.finish.why) == ((100, 0), "rolled_back", "SIGTERM")


def test_an_interrupt_before_the_first_shift_shifts_nothing():
    one = Driven().start()
    one.do(one.rollout.on_interrupt(one.now, "SIGINT"))
    assert one.shifts == []
    assert one.finish.outcome == "rolled_back"


def test_an_alarm_that_fires_before_the_switch_is_noted():
    one = Driven().start()
    one.do(one.rollout.on_alarm(one.now, "5xx", True))
    one.wait(200)
    one.do(one.rollout.on_alarm(one.now, "5xx", True))
    assert one.finish.outcome == "done"
    assert one.said("alarm") == ["5xx fires already, before the switch; it will not stop it"]


def test_an_alarm_that_fires_during_the_switch_leads_back():
    one = Driven().start().to_step(2)
    one.do(one.rollout.on_alarm(one.now, "5xx", True))
    assert one.finish.why == "alarm 5xx fires"


def test_an_alarm_that_was_noted_and_fires_again_leads_back():
    one = Driven().start()
    one.do(one.rollout.on_alarm(one.now, "5xx", True))
    one.to_step(2)
    one.do(one.rollout.on_alarm(one.now, "5xx", False))
    one.do(one.rollout.on_alarm(one.now, "5xx", True))
    assert one.finish.why == "alarm 5xx fires"


def test_without_any_traffic_the_step_ends_inconclusive():
    one = Driven(lead_in_s=0).start().idle(61)
    assert one.finish.outcome == "rolled_back"
    assert one.finish.why == "step 1 was still inconclusive after 60 s: 73 more requests to candidate needed"


def test_an_inconclusive_step_can_wait_for_a_human():
    one = Driven(lead_in_s=0, on_inconclusive="pause").start().idle(61)
    assert one.rollout.state == "paused"
    why = "step 1 was still inconclusive after 60 s: "
    assert one.rollout.timeline[-1]["text"].startswith(f"waiting for a human: resume, promote or abort; {why}")
    one.do(one.rollout.on_command(one.now, "resume", "kim"))
    assert one.live == (50, 50)


def test_a_gate_can_pause():
    one = Driven([{"weights": [90, 10], "pause": True}, [0, 100]]).start().wait(40)
    assert one.rollout.state == "paused"
    assert one.rollout.timeline[-1]["text"] == "waiting for a human: resume, promote or abort"
    assert one.wait(300).live == (90, 10)
    one.do(one.rollout.on_command(one.now, "resume"))
    assert one.live == (0, 100)


def test_errors_lead_back_from_a_pause():
    one = Driven([{"weights": [90, 10], "pause": True}, [0, 100]]).start().wait(40)
    one.wait(5, candidate=(60, 6))
    assert (one.live, one.finish.outcome) == ((100, 0), "rolled_back")


def test_pause_takes_hold_at_the_next_gate():
    one = Driven().start().to_step(2)
    one.do(one.rollout.on_command(one.now, "pause", "kim"))
    assert one.wait(100).rollout.state == "paused"
    assert one.live == (50, 50)


def test_skip_ends_the_wait_of_this_step_only():
    one = Driven(lead_in_s=0).start().wait(2)
    one.do(one.rollout.on_command(one.now, "skip"))
    assert one.live == (50, 50)
    assert one.wait(2).live == (50, 50)


def test_promote_goes_to_the_last_step():
    one = Driven().start().to_step(1)
    one.do(one.rollout.on_command(one.now, "promote"))
    assert one.shifts == [(90, 10), (0, 100)]
    one.wait(1)
    assert one.finish.outcome == "done"


def test_promote_does_not_outvote_an_abort():
    one = Driven().start().to_step(1)
    one.rollout.judge.observe([Sample(FAST, CANDIDATE, 60, 20)])
    one.do(one.rollout.on_command(one.now, "promote"))
    assert one.finish.outcome == "rolled_back"


def test_abort_leads_back():
    one = Driven().start().to_step(3)
    one.do(one.rollout.on_command(one.now, "abort", "kim"))
    assert (one.live, one.finish.why) == ((100, 0), "aborted by kim")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_comes_too_late_is_noted(command):
    one = Driven().start().wait(200)
    one.do(one.rollout.on_command(one.now, command))
    assert one.live == (0, 100)
    assert "too late" in one.said("command")[0]


def test_a_shift_that_fails_leads_back():
    one = Driven().start()
    one.broken = 1
    one.wait(6)
    assert (one.shifts, one.live) == ([(90, 10), (100, 0)], (100, 0))
    assert one.finish.why == "Rate exceeded"


def test_the_way_back_is_tried_until_it_works():
    one = Driven().start().to_step(2)
    one.broken = 6
    one.do(one.rollout.on_interrupt(one.now, "SIGTERM"))
    assert one.live == (100, 0)
    assert one.finish.outcome == "rolled_back"
    assert len(one.said("error")) == 6


def test_a_way_back_that_never_works_is_said():
    one = Driven(give_up_s=30).start().to_step(2)
    one.broken = 10_000
    one.do(one.rollout.on_interrupt(one.now, "SIGTERM"))
    assert one.finish.outcome == "stuck"
    assert "could not be put back" in one.finish.why
    assert one.records[-1].state == "stuck"


def test_weights_that_somebody_else_set_are_left_alone():
    one = Driven().start().to_step(2)
    one.do(one.rollout.on_taken_over(one.now, (100, 0)))
    assert one.shifts == [(90, 10), (50, 50)]
    assert one.finish.outcome == "taken_over"
    assert one.records[-1].weights == (100, 0)
    assert one.finish.why == "the weights are live 100 %, candidate 0 %, which this rollout did not set; they stay"


def test_a_source_that_stays_silent_leads_back():
    one = Driven(silence_s=30).start().to_step(2)
    one.do(one.rollout.on_source_failed(one.now, "target health", "refused"))
    one.wait(29)
    assert one.finish is None
    one.wait(1)
    assert one.finish.why == "target health has not answered for 30 s"


def test_a_source_that_answers_again_is_forgiven():
    one = Driven(silence_s=30).start().to_step(2)
    one.do(one.rollout.on_source_failed(one.now, FAST, "refused"))
    one.wait(60)
    assert one.finish is None or one.finish.outcome == "done"


@pytest.mark.case("B1")
def test_the_gate_waits_for_the_candidates_datapoint_of_each_metric_source():
    one = Driven(sources=(FAST, "cloudwatch"), lead_in_s=0, gate={"timeout_s": 100}).start().wait(40)
    assert one.live == (90, 10)
    assert one.rollout.verdict.why == "waiting for cloudwatch"
    one.do(one.rollout.on_samples(one.now, [Sample("cloudwatch", LIVE, 900)]))
    assert one.live == (90, 10), "the live colour's datapoint says nothing of the candidate"
    one.do(one.rollout.on_samples(one.now, [Sample("cloudwatch", CANDIDATE, 100)]))
    assert one.live == (50, 50)


def test_a_gate_can_do_without_metrics():
    one = Driven(sources=(FAST, "cloudwatch"), gate={"metrics": False}).start().wait(100)
    assert one.finish.outcome == "done"


def test_the_whole_plan_has_a_deadline():
    one = Driven([{"weights": [90, 10], "pause": True}, [0, 100]], deadline_s=120).start().wait(200)
    assert one.finish.why == "the plan was not through after 120 s"
    assert [entry["at"] for entry in one.rollout.timeline if entry["kind"] in ("start", "abort")] == [0, 121]


def test_suspicion_asks_more_often_and_good_answers_end_it():
    one = Driven(lead_in_s=0).start().wait(1, candidate=(20, 1))
    assert one.factor > 1
    one.wait(3)
    assert one.factor == 1


def test_the_time_left_counts_the_holds():
    one = Driven(lead_in_s=0).start()
    assert one.rollout.left_s(one.now) == 40
    assert one.wait(4).rollout.left_s(one.now) == 36


EVENTS = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("errors"), st.integers(1, 3)),
    st.tuples(st.just("idle"), st.integers(1, 70)),
    st.tuples(st.just("command"), st.sampled_from(COMMANDS)),
    st.tuples(st.just("health"), st.integers(0, 1)),
    st.tuples(st.just("exit"), st.sampled_from([LIVE, CANDIDATE])),
    st.tuples(st.just("alarm"), st.booleans()),
    st.tuples(st.just("fail"), st.sampled_from([FAST, "target health"])),
    st.tuples(st.just("broken"), st.integers(0, 4)),
    st.tuples(st.just("interrupt"), st.just(None)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=25))
def test_whatever_happens_the_weights_are_the_plans_or_the_way_back(events):
    one = Driven().start()
    for kind, value in events:
        finished = one.rollout.finished
        before = len(one.log)
        {
            "wait": one.wait,
            "errors": lambda n: one.wait(n, candidate=(60, 6)),
            "idle": one.idle,
            "command": lambda word: one.do(one.rollout.on_command(one.now, word)),
            "health": lambda n: one.do(one.rollout.on_health(one.now, CANDIDATE, n, 1)),
            "exit": lambda colour: one.do(one.rollout.on_task_exit(one.now, colour, "code 1")),
            "alarm": lambda firing: one.do(one.rollout.on_alarm(one.now, "a", firing)),
            "fail": lambda source: one.do(one.rollout.on_source_failed(one.now, source, "refused")),
            "broken": lambda n: setattr(one, "broken", n),
            "interrupt": lambda _none: one.do(one.rollout.on_interrupt(one.now, "SIGTERM")),
        }[kind](value)
        if finished:
            assert len(one.log) == before, "a finished rollout does nothing more"
    allowed = [tuple(pair) for pair in PLAN]
    for index, action in enumerate(one.log):
        if isinstance(action, Shift):
            assert action.weights in [*allowed, (100, 0)]
            if not action.back:
                assert isinstance(one.log[index - 1], Record)
    assert (one.rollout.state in FINISHED) == (one.finish is not None)
    if one.rollout.state == "rolled_back" and one.shifts:
        assert one.live == (100, 0)
    if one.rollout.state == "done":
        assert one.live == (0, 100)
    assert one.rollout.weights == one.live or one.rollout.state == "stuck"
