# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which step follows from EC2's record and Docker's container."""

from __future__ import annotations

import pytest

from localcloud.dataplane.plan import Do, Found, Record, decide

ABSENT = None


@pytest.mark.parametrize(
    ("record", "container", "step"),
    [
        ("pending", ABSENT, Do.CREATE),
        ("pending", "created", Do.START),
        ("pending", "exited", Do.START),
        ("pending", "running", Do.SHOW_RUNNING),
        ("running", "running", None),
        ("running", "restarting", None),
        ("running", "exited", Do.SHOW_DEAD),
        ("running", "dead", Do.SHOW_DEAD),
        ("running", ABSENT, Do.SHOW_LOST),
        ("stopping", "running", Do.STOP),
        ("stopping", "exited", Do.SHOW_STOPPED),
        ("stopping", ABSENT, Do.SHOW_LOST),
        ("stopped", "exited", None),
        ("stopped", "running", Do.STOP),
        ("stopped", ABSENT, Do.SHOW_LOST),
        ("shutting-down", "running", Do.REMOVE),
        ("shutting-down", "exited", Do.REMOVE),
        ("shutting-down", ABSENT, Do.SHOW_TERMINATED),
        ("terminated", ABSENT, None),
        ("terminated", "exited", Do.REMOVE),
    ],
)
def test_step(record, container, step):
    containers = [] if container is ABSENT else [Found("i-1", "c1", container)]
    assert decide([Record("i-1", record)], containers, set()) == ({} if step is None else {"i-1": step})


def test_a_wanted_reboot_restarts_only_what_runs():
    record = Record("i-1", "running", reboot_wanted=True)
    assert decide([record], [Found("i-1", "c1", "running")], set()) == {"i-1": Do.RESTART}
    assert decide([record], [Found("i-1", "c1", "exited")], set()) == {"i-1": Do.SHOW_DEAD}


def test_a_container_that_nobody_knows_is_removed():
    assert decide([], [Found("i-9", "c9", "running")], set()) == {"i-9": Do.REMOVE}


def test_what_is_busy_is_left_alone():
    assert decide([Record("i-1", "pending")], [Found("i-9", "c9", "running")], {"i-1", "i-9"}) == {}
