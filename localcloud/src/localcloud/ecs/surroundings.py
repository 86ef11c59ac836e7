# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ECS asks of the services around it before it accepts something: subnets, target groups, roles; changes nothing."""

from __future__ import annotations

import typing as t

from ..cloud import TargetGroups
from .errors import invalid
from .state import Definition, Members


class Surroundings:
    """`network_problem(subnets, security groups)` and `assume_problem(role ARN)` tell what EC2 and IAM have against them, or None.

    `groups` is asked each time: the service that has them may come later.
    """

    def __init__(
        self,
        network_problem: t.Callable[[list[str], list[str]], str | None],
        assume_problem: t.Callable[[str], str | None],
        groups: t.Callable[[], TargetGroups],
    ) -> None:
        self._network_problem = network_problem
        self._assume_problem = assume_problem
        self._groups = groups

    @property
    def groups(self) -> TargetGroups:
        """The load balancers' target groups."""
        return self._groups()

    def check_network(self, network: Members) -> None:
        """Raises ApiError when a subnet or security group does not exist, or they are of different VPCs."""
        problem = self._network_problem(network["subnets"], network["securityGroups"])
        if problem:
            raise invalid(problem)

    def check_load_balancers(self, balancers: list[Members], definition: Definition) -> None:
        """Raises ApiError when a group, container or port of a service's load balancers does not exist."""
        if len(balancers) > 5:
            raise invalid("load balancers can have at most 5 items.")
        for item in balancers:
            arn, name, port = item.get("targetGroupArn"), item.get("containerName"), item.get("containerPort")
            if not arn:
                raise invalid("targetGroupArn should not be null or empty for a service on Fargate.")
            if not name or not port:
                raise invalid("containerName and containerPort should not be null or empty.")
            if not self.groups.exists(arn):
                raise invalid(f"The target group with targetGroupArn {arn} does not exist.")
            try:
                container = definition.container(name)
            except KeyError:
                raise invalid(f"The container {name} does not exist in the task definition.") from None
            if port not in {mapping["containerPort"] for mapping in container["portMappings"]}:
                raise invalid(f"The container {name} did not have a container port {port} defined.")

    def role_problem(self, definition: Definition, overrides: Members | None = None) -> str | None:
        """What ECS says when it cannot assume a role of the task; None when it can."""
        roles = {**definition.members, **(overrides or {})}
        for name in ("taskRoleArn", "executionRoleArn"):
            arn = roles.get(name)
            if arn and self._assume_problem(arn) is not None:
                return (
                    f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the role being "
                    "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
                )
        return None
