# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route tables and NAT gateways of a network."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bluegreen.aws.plugins.filter.routes import nat_subnets, route_tables

SUBNETS = [{"name": f"{tier}-{zone}", "tier": tier, "zone": zone} for tier in ("public", "private") for zone in ("a", "c")]
WAY_OUT = {"dest": "0.0.0.0/0", "gateway_id": "igw"}


@pytest.mark.parametrize(
    ("nat", "first", "names"),
    [
        ("none", "", []),
        ("one", "", ["public-a"]),
        ("one", "public-c", ["public-c"]),
        ("one", "nowhere", []),
        ("per_zone", "", ["public-a", "public-c"]),
    ],
)
def test_nat_subnets(nat, first, names):
    assert nat_subnets(SUBNETS, nat, first) == names


def test_an_unknown_number_of_gateways():
    with pytest.raises(AnsibleFilterError, match=r"nat is 'two'; it can be none, one, per_zone\."):
        nat_subnets(SUBNETS, "two")


def test_without_nat_the_private_tier_has_no_way_out():
    private, public = route_tables(SUBNETS, "none")
    assert private == {"name": "private", "tier": "private", "subnets": ["private-a", "private-c"], "routes": []}
    assert public == {"name": "public", "tier": "public", "subnets": ["public-a", "public-c"], "routes": [WAY_OUT]}


@pytest.mark.parametrize(
    ("nat", "gateways", "ways"),
    [
        ("one", {"public-a": "nat-a"}, ["nat-a", "nat-a"]),
        ("per_zone", {"public-a": "nat-a", "public-c": "nat-c"}, ["nat-a", "nat-c"]),
    ],
)
def test_from_one_gateway_to_one_per_zone_only_routes_change(nat, gateways, ways):
    tables = route_tables(SUBNETS, nat, gateways)
    assert [(table["name"], table["subnets"]) for table in tables] == [
        ("private-a", ["private-a"]),
        ("private-c", ["private-c"]),
        ("public", ["public-a", "public-c"]),
    ]
    assert [table["routes"][0].get("gateway_id") for table in tables[:2]] == ways


def test_in_check_mode_there_is_no_gateway_yet():
    assert [table["routes"] for table in route_tables(SUBNETS, "one", {})] == [[], [], [WAY_OUT]]
