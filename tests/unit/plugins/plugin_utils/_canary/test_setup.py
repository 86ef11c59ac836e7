# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found and checked before a rollout touches anything, and what an earlier one left."""

from __future__ import annotations

import datetime
import json

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from canary_aws import Account

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.plan import PlanError
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import CANDIDATE, LIVE
from ansible_collections.bluegreen.aws.plugins.module_utils._traffic import TrafficError
from ansible_collections.bluegreen.aws.plugins.plugin_utils._canary import setup as setting
from ansible_collections.bluegreen.aws.plugins.plugin_utils._canary.options import SPEC

NOW = datetime.datetime(2026, 11, 21, 10, 15, tzinfo=datetime.UTC)
GIVEN = {
    "load_balancer": "chat",
    "colours": {"blue": "chat-blue", "green": "chat-green"},
    "plan": [[90, 10], [0, 100]],
    "record": "/bluegreen/chat/rollout",
    "cloudwatch": False,
    "probe": {"url": "http://{dns_name}/"},
    "watchdog": False,
}
STATE = "/bluegreen/chat/rollout/state"


@pytest.fixture
def account(monkeypatch):
    found = Account()
    monkeypatch.setattr(setting.Account, "of", classmethod(lambda _class, _options: found))
    monkeypatch.setattr(setting, "HEALTHY_S", 0)
    return found


def options(**more):
    found = ArgumentSpecValidator(SPEC).validate({**GIVEN, **more})
    assert not found.error_messages, found.error_messages
    return found.validated_parameters


def made(**more):
    return setting.Setup(options(**more), "kim@laptop", NOW, lambda _line: None)


def sentence(**more):
    with pytest.raises((TrafficError, PlanError)) as error, made(**more).prepared():
        pass
    return str(error.value)


def test_the_colour_without_traffic_is_the_candidate(account):
    assert made()._groups == {LIVE: "chat-blue", CANDIDATE: "chat-green"}
    account.client("elbv2").weights = {"chat-blue": 0, "chat-green": 100}
    assert made()._groups == {LIVE: "chat-green", CANDIDATE: "chat-blue"}


def test_a_candidate_may_be_named(account):
    account.client("elbv2").weights = {"chat-blue": 50, "chat-green": 50}
    assert made(candidate="blue")._groups == {LIVE: "chat-green", CANDIDATE: "chat-blue"}


@pytest.mark.usefixtures("account")
def test_check_mode_says_what_it_would_do():
    found = made().preview()["canary"]
    assert (found["outcome"], found["plan"], found["colours"]) == ("planned", [[90, 10], [0, 100]], ["blue", "green"])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"plan": [[90, 20]]}, "adds up to 110"),
        ({"listener_port": 8443}, "has no listener on port 8443"),
        ({"rule_priority": 77}, "has no rule of priority 77"),
        ({"colours": {"blue": "chat-blue", "green": "chat-grene"}}, "There is no target group chat-grene"),
        ({"colours": {"blue": "chat-blue"}}, "must name two colours"),
        ({"colours": {"blue": "chat-blue", "green": "chat-blue"}}, "must name two colours"),
        ({"required_tags": {"bluegreen:system": "popcon"}}, "is not this environment's and was left alone"),
        ({"candidate": "red"}, "is none of the colours blue, green"),
        ({"candidate": "blue"}, "has all of the traffic already"),
        ({"probe": None}, "nothing to judge the candidate by"),
        ({"ecs": {"cluster": "c", "services": {"blue": "b"}}}, "must name a service for each colour"),
    ],
)
def test_bad_input_is_one_sentence_and_touches_nothing(account, more, words):
    assert words in sentence(**more)
    assert account.client("elbv2").modified == []
    assert account.client("ssm").parameters == {}


def test_traffic_of_a_stranger_is_not_moved(account):
    account.client("elbv2").weights = {"chat-blue": 50, "other": 50}
    assert "sends traffic to other, which is neither of the two colours" in sentence()


def test_a_candidate_without_a_healthy_target_is_refused(account):
    account.client("elbv2").health["chat-green"] = ["unhealthy"]
    assert "target group chat-green has no healthy target (1 registered, unhealthy)" in sentence()
    assert account.client("elbv2").modified == []


def test_a_listener_that_redirects_is_refused(account):
    account.client("elbv2").actions = [{"Type": "redirect"}]
    assert "does not forward" in sentence()


def left(account, state="judging", back=None, own=None):
    way_back = {"chat-blue": 100, "chat-green": 0} if back is None else back
    account.client("ssm").parameters[STATE] = json.dumps({"id": "old", "state": state, "rollback_weights": way_back, "own": own})


@pytest.mark.parametrize("state", ["shifting", "judging", "paused", "rolling_back", "stuck"])
def test_what_an_earlier_run_left_goes_back_first(account, state):
    account.client("elbv2").weights = {"chat-blue": 50, "chat-green": 50}
    left(account, state)
    with made().prepared() as (driver, _pollers):
        assert account.client("elbv2").modified == [{"chat-blue": 100, "chat-green": 0}]
        assert driver.rollout.weights == (100, 0)


def test_a_run_that_left_candidate_with_most_of_the_traffic_does_not_make_it_live(account):
    account.client("elbv2").weights = {"chat-blue": 10, "chat-green": 90}
    left(account)
    assert made()._groups == {LIVE: "chat-blue", CANDIDATE: "chat-green"}


@pytest.mark.case("B4")
def test_weights_that_were_set_after_an_unfinished_run_stay(account):
    account.client("elbv2").weights = {"chat-blue": 0, "chat-green": 100}
    left(account, own=[{"chat-blue": 90, "chat-green": 10}, {"chat-blue": 100, "chat-green": 0}])
    with made().prepared() as (driver, _pollers):
        assert account.client("elbv2").modified == []
        assert driver.rollout.weights == (100, 0), "green is live now, and blue the candidate"


@pytest.mark.parametrize("state", ["done", "rolled_back", "taken_over"])
def test_an_earlier_run_that_ended_is_left_alone(account, state):
    account.client("elbv2").weights = {"chat-blue": 0, "chat-green": 100}
    left(account, state)
    with made().prepared() as (driver, _pollers):
        assert account.client("elbv2").modified == []
        assert driver.rollout.weights == (100, 0)


def test_a_record_of_other_colours_is_not_ours(account):
    account.client("elbv2").weights = {"chat-blue": 0, "chat-green": 100}
    left(account, "judging", {"a": 100, "b": 0})
    assert made()._in_force == (100, 0)


def test_rules_have_weights_too(account):
    assert made(rule_priority=10)._place.text == "rule 10 of listener chat:80"
    assert account.client("elbv2").modified == []
