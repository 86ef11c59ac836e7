# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets NAT gateways be pending for a while after their creation, as on AWS; moto's are available at once."""

from __future__ import annotations

import time
import typing as t

from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend

_create = NatGatewayBackend.create_nat_gateway
_describe = NatGatewayBackend.describe_nat_gateways


def install(seconds: t.Callable[[], float], clock: t.Callable[[], float] = time.monotonic) -> None:
    """Correct moto; `seconds` is asked at each creation."""
    ready: dict[str, float] = {}

    def create(backend: NatGatewayBackend, *arguments: t.Any, **named: t.Any) -> NatGateway:
        gateway = _create(backend, *arguments, **named)
        wanted = seconds()
        if wanted > 0:
            gateway.state = "pending"
            ready[gateway.id] = clock() + wanted
        return gateway

    def describe(backend: NatGatewayBackend, *arguments: t.Any, **named: t.Any) -> list[NatGateway]:
        for gateway in backend.nat_gateways.values():
            if gateway.state == "pending" and clock() >= ready.get(gateway.id, 0.0):
                gateway.state = "available"
        return _describe(backend, *arguments, **named)

    NatGatewayBackend.create_nat_gateway = create  # type: ignore[method-assign]
    NatGatewayBackend.describe_nat_gateways = describe  # type: ignore[method-assign]
