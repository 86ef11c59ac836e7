# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting, with a clock that the test turns."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._aws import errors, wait


class Clock:
    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def wait_for(states, timeout=600):
    clock, left = Clock(), list(states)
    done = wait.wait_until(
        lambda: left.pop(0) if len(left) > 1 else left[0], lambda state: state == "available",
        lambda state: f"chat to be available (it is {state})", timeout, clock=clock, sleep=clock.sleep,
    )  # fmt: skip
    return done, clock


def test_what_is_there_is_not_waited_for():
    assert wait_for(["available"])[1].slept == []


def test_it_looks_less_often_the_longer_it_takes():
    _done, clock = wait_for(["creating"] * 60 + ["available"])
    assert clock.slept[:3] == [1.0, 1.0, 1.0]
    assert clock.slept[-1] == 15.0
    assert clock.slept == sorted(clock.slept)


def test_the_end_of_patience_is_said():
    with pytest.raises(errors.BluegreenAWSError) as caught:
        wait_for(["creating"], timeout=30)
    assert errors.sentence(caught.value) == (
        "Timeout after 30 s waiting for chat to be available (it is creating): run again to go on waiting, or set a longer wait_timeout."
    )
