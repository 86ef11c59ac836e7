# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Substitutes for CIDRs that are taken, and addresses in them."""

from __future__ import annotations

import ipaddress

import pytest

from localcloud.dataplane.networks import POOL, VpcNetwork, substitute
from localcloud.dataplane.rules import Link


def net(cidr):
    return ipaddress.IPv4Network(cidr)


@pytest.mark.parametrize(
    ("wanted", "taken", "found"),
    [
        ("10.0.0.0/16", ["10.0.0.0/16"], "10.255.0.0/16"),
        ("10.0.0.0/16", ["10.0.0.0/16", "10.255.3.0/24"], "10.254.0.0/16"),
        ("10.0.0.0/16", ["10.0.0.0/8"], "172.31.0.0/16"),
        ("10.0.0.0/16", ["10.0.0.0/8", "172.16.0.0/12"], "192.168.0.0/16"),
        ("10.0.0.0/24", ["10.128.0.0/9"], "10.127.255.0/24"),
        ("10.0.0.0/28", ["10.255.255.240/28"], "10.255.255.224/28"),
        ("10.0.0.0/16", ["0.0.0.0/1", "128.0.0.0/1"], None),
    ],
)
def test_substitute(wanted, taken, found):
    result = substitute(net(wanted), [net(cidr) for cidr in taken])
    assert result == (net(found) if found else None)


@pytest.mark.parametrize("prefix", range(16, 29))
def test_a_substitute_is_private_free_and_as_large(prefix):
    taken = [net("10.0.0.0/9"), net("10.255.0.0/20"), net("10.200.17.0/24"), net("172.17.0.0/16")]
    result = substitute(ipaddress.IPv4Network(("10.0.0.0", prefix)), taken)
    assert result is not None
    assert result.prefixlen == prefix
    assert any(result.subnet_of(pool) for pool in POOL)
    assert not any(result.overlaps(other) for other in taken)


def test_the_host_part_stays():
    network = VpcNetwork("vpc-1", "n", net("10.0.0.0/16"), net("10.254.0.0/16"), Link("b", "10.254.0.1"))
    assert network.place("10.0.3.77") == "10.254.3.77"
