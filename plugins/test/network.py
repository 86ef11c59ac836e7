# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests on networks; pure."""

from __future__ import annotations

import ipaddress


def inside_network(block, network):
    """True when ``block`` is a subnet of ``network``, both IPv4 or both IPv6 in CIDR notation."""
    try:
        return ipaddress.ip_network(block).subnet_of(ipaddress.ip_network(network))
    except (ValueError, TypeError):
        return False


def overlaps_network(block, network):
    """True when the two blocks in CIDR notation share an address; what is no block shares none."""
    try:
        return ipaddress.ip_network(block).overlaps(ipaddress.ip_network(network))
    except (ValueError, TypeError):
        return False


class TestModule:
    def tests(self):
        return {"inside_network": inside_network, "overlaps_network": overlaps_network}
