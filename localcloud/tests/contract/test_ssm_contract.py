# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Systems Manager's answers, operation by operation, against botocore's model; with a real agent, without a container."""

from __future__ import annotations

import itertools
import time
import typing as t

import pytest
import ssm_world

from .cases import Case, check, gaps
from .ssm_cases import CANNOT_FAIL, CASES, World

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[ssm_world.World]:
    with ssm_world.World(tmp_path_factory.mktemp("ssm")) as world:
        world.role("managed", ssm_world.MANAGED)
        yield world


@pytest.fixture(scope="module")
def node(service: ssm_world.World) -> str:
    """The id of an instance whose agent is connected."""
    instance = service.instance(1, "managed")
    service.start_agent(instance)
    deadline = time.monotonic() + 20
    while service.ssm.get_connection_status(Target=instance.id)["Status"] != "connected":
        assert time.monotonic() < deadline, "the agent did not connect"
        time.sleep(0.05)
    return instance.id


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, service: ssm_world.World, node: str) -> None:
    check(case, World(service.ssm, node, f"case-{next(_numbers)}"))


def test_every_operation_has_cases(service: ssm_world.World) -> None:
    assert gaps(operations_of(service.service), CASES, cannot_fail=CANNOT_FAIL) == []


def operations_of(service: t.Any) -> set[str]:
    """Every operation that the handler does not leave to MiniStack."""
    from localcloud.services.ssm_parameters import Parameters

    async def nothing(operation: str, content: dict[str, t.Any]) -> tuple[int, dict[str, t.Any]]:
        return 200, {}

    return set(service._sessions.operations) | set(service._plain) | set(Parameters(nothing).operations)
