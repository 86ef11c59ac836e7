# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided about weights: bad input, the forward action among others, percentages, and what a split looks like from outside."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils import _traffic as traffic

BLUE, GREEN = "arn:blue", "arn:green"
FORWARD = {
    "Type": "forward",
    "Order": 2,
    "ForwardConfig": {
        "TargetGroups": [{"TargetGroupArn": BLUE, "Weight": 90}, {"TargetGroupArn": GREEN, "Weight": 10}],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
    },
}
LOGIN = {"Type": "authenticate-cognito", "Order": 1}


def test_weights_may_be_text():
    assert traffic.check({"blue": "90", "green": 10}) == {"blue": 90, "green": 10}


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({}, "No weights are given"),
        ({"blue": 90, "green": 20}, "blue 90, green 20 add up to 110"),
        ({"blue": -10, "green": 110}, "the weight of blue is -10"),
        ({"blue": 99.5, "green": 0.5}, "the weight of blue is 99.5"),
        ({"blue": True, "green": 99}, "the weight of blue is True"),
        ({"blue": "all"}, "the weight of blue is 'all'"),
        ({"blue": None}, "the weight of blue is None"),
    ],
)
def test_a_mistake_is_one_sentence(weights, words):
    with pytest.raises(traffic.TrafficError) as error:
        traffic.check(weights)
    assert words.lower() in str(error.value).lower()


def test_a_listener_that_does_not_forward_is_refused():
    with pytest.raises(traffic.TrafficError, match=r"Listener a:80 does not forward .* redirect"):
        traffic.forward([{"Type": "redirect"}], "Listener a:80")


def test_the_forward_action_is_found_behind_a_login():
    assert traffic.forward([LOGIN, FORWARD], "x") is FORWARD


def test_weights_are_read_from_both_shapes():
    assert traffic.tuples(FORWARD) == {BLUE: 90, GREEN: 10}
    assert traffic.tuples({"Type": "forward", "TargetGroupArn": BLUE}) == {BLUE: 1}
    assert traffic.tuples({"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": BLUE}]}}) == {BLUE: 1}


def test_new_weights_leave_everything_else_as_it_was():
    actions = [LOGIN, FORWARD]
    before = copy.deepcopy(actions)
    changed = traffic.with_weights(actions, {BLUE: 0, GREEN: 100})
    assert actions == before
    assert changed[0] == LOGIN
    assert changed[1]["Order"] == 2
    assert changed[1]["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 60}
    assert traffic.tuples(changed[1]) == {BLUE: 0, GREEN: 100}


def test_a_single_group_becomes_a_list():
    changed = traffic.with_weights([{"Type": "forward", "TargetGroupArn": BLUE}], {BLUE: 50, GREEN: 50})
    assert "TargetGroupArn" not in changed[0]
    assert traffic.tuples(changed[0]) == {BLUE: 50, GREEN: 50}


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 999), min_size=1, max_size=5))
def test_percentages_add_up_and_keep_zeros(weights):
    found = traffic.percent(weights)
    assert sum(found.values()) == (100 if sum(weights.values()) else 0)
    assert all(not found[name] for name, weight in weights.items() if not weight)


def test_percentages_of_percentages_are_the_same():
    assert traffic.percent({"a": 90, "b": 10}) == {"a": 90, "b": 10}
    assert traffic.percent({"a": 1}) == {"a": 100}
    assert traffic.percent({"a": 1, "b": 1, "c": 1}) == {"a": 34, "b": 33, "c": 33}


def test_groups_that_are_not_named_get_nothing():
    assert traffic.wanted({"a": 100}, {"b": 100}) == {"a": 0, "b": 100}


@pytest.mark.parametrize(
    ("live", "expected"),
    [({"b": 90, "g": 10}, ("b", "g")), ({"b": 0, "g": 100}, ("g", "b")), ({"b": 50, "g": 50}, ("b", "g")), ({}, ("b", "g"))],
)
def test_live_is_what_gets_most(live, expected):
    assert traffic.other(live, ["b", "g"]) == expected


@pytest.mark.parametrize(
    ("weights", "counts", "seen"),
    [
        ({"b": 100, "g": 0}, {"b": 40}, True),
        ({"b": 100, "g": 0}, {"b": 39, "g": 1}, False),
        ({"b": 50, "g": 50}, {"b": 25, "g": 15}, True),
        ({"b": 50, "g": 50}, {"b": 40}, False),
        ({"b": 90, "g": 10}, {"b": 40}, True),
        ({"b": 10, "g": 90}, {"b": 40}, False),
        ({"b": 100, "g": 0, "": 0}, {"b": 39, "": 1}, False),
        ({"b": 100}, {}, False),
    ],
)
def test_a_split_is_seen_within_chance(weights, counts, seen):
    assert traffic.split_seen(weights, counts) is seen


@pytest.mark.case("B7")
def test_a_login_before_the_forward_action_keeps_its_secret():
    login = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"Issuer": "https://id.test", "ClientId": "chat"}}
    cognito = {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolClientId": "chat"}}
    forwards = {"Type": "forward", "Order": 2, "TargetGroupArn": "arn:blue"}
    changed = traffic.with_weights([login, forwards], {"arn:blue": 90, "arn:green": 10})
    assert changed[0] == {**login, "AuthenticateOidcConfig": {**login["AuthenticateOidcConfig"], "UseExistingClientSecret": True}}
    assert changed[1]["Order"] == 2
    assert traffic.with_weights([cognito, forwards], {"arn:blue": 100})[0] == cognito


@pytest.mark.case("B4", "B5")
def test_weights_of_another_run_are_named():
    mine, theirs = {"blue": 90, "green": 10}, {"blue": 100, "green": 0}
    traffic.expect({"blue": 100}, [mine, theirs], "listener chat:80")
    with pytest.raises(traffic.WeightsChangedError) as caught:
        traffic.expect(theirs, [mine], "listener chat:80")
    assert caught.value.found == theirs
    assert "blue 100, green 0 are in force, where blue 90, green 10 were expected" in str(caught.value)
