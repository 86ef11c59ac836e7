# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a NAT gateway is pending."""

from __future__ import annotations

import pytest
from moto.ec2.models.nat_gateways import NatGatewayBackend

from localcloud.emulation import nat_gateways


class Gateway:
    def __init__(self, name):
        self.id, self.state = name, "available"


class Backend(NatGatewayBackend):
    """A backend whose gateways stand in no subnet."""


@pytest.fixture
def moments(monkeypatch):
    """The clock and the seconds of a creation, to be set; moto is put back afterwards."""
    found = {"now": 100.0, "seconds": 15.0}
    for name in ("create_nat_gateway", "describe_nat_gateways"):
        monkeypatch.setattr(NatGatewayBackend, name, getattr(NatGatewayBackend, name))

    def create(backend, name):
        backend.nat_gateways[name] = Gateway(name)
        return backend.nat_gateways[name]

    monkeypatch.setattr(nat_gateways, "_create", create)
    nat_gateways.install(lambda: found["seconds"], lambda: found["now"])
    return found


def states(backend):
    return [gateway.state for gateway in backend.describe_nat_gateways(None, None)]


def test_it_is_available_when_its_time_has_come(moments):
    backend = Backend()
    backend.create_nat_gateway("nat-1")
    assert states(backend) == ["pending"]
    moments["now"] += 14.9
    assert states(backend) == ["pending"]
    assert backend.describe_nat_gateways({"state": ["available"]}, None) == []
    moments["now"] += 0.1
    assert states(backend) == ["available"]


def test_without_seconds_it_is_available_at_once(moments):
    moments["seconds"] = 0.0
    backend = Backend()
    backend.create_nat_gateway("nat-1")
    assert states(backend) == ["available"]


def test_a_deleted_one_does_not_come_back(moments):
    backend = Backend()
    backend.create_nat_gateway("nat-1")
    backend.nat_gateways["nat-1"].state = "deleted"
    moments["now"] += 60
    assert states(backend) == ["deleted"]
