# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which route tables a network's subnets need, and where NAT gateways stand; pure."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

NAT = ("none", "one", "per_zone")


def nat_subnets(subnets, nat, first=""):
    """Names of the public subnets that get a NAT gateway: none, one (``first``, or the first public one), or one per zone."""
    if nat not in NAT:
        raise AnsibleFilterError(f"nat is '{nat}'; it can be {', '.join(NAT)}.")
    public = [subnet for subnet in subnets if subnet["tier"] == "public"]
    if nat == "one":
        named = [subnet for subnet in public if subnet["name"] == first] or ([] if first else public)
        return [subnet["name"] for subnet in named[:1]]
    by_zone = {}
    for subnet in public:
        by_zone.setdefault(subnet["zone"], subnet["name"])
    return list(by_zone.values()) if nat == "per_zone" else []


def route_tables(subnets, nat, gateways=None):
    """[{"name", "tier", "subnets": [name, …], "routes": […]}], a table per tier; with NAT a private table per zone.

    Tables per zone from the first gateway on: going from one gateway to one per zone then changes routes and no table, and what is
    attached to the tables (gateway endpoints) stays. ``gateways`` is {public subnet's name: NAT gateway id}.
    """
    gateways = gateways or {}
    tables = {}
    for subnet in subnets:
        own = subnet["tier"] == "private" and nat != "none"
        name = f"private-{subnet['zone']}" if own else subnet["tier"]
        table = tables.setdefault(name, {"name": name, "tier": subnet["tier"], "subnets": [], "routes": []})
        table["subnets"].append(subnet["name"])
        if subnet["tier"] == "public":
            table["routes"] = [{"dest": "0.0.0.0/0", "gateway_id": "igw"}]
        elif own and gateways:
            in_zone = [one["name"] for one in subnets if one["zone"] == subnet["zone"] and one["name"] in gateways]
            table["routes"] = [{"dest": "0.0.0.0/0", "gateway_id": gateways[(in_zone or list(gateways))[0]]}]
    return [tables[name] for name in sorted(tables)]


class FilterModule:
    def filters(self):
        return {"nat_subnets": nat_subnets, "route_tables": route_tables}
