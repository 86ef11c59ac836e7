# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VPC's network never covers an address that the machine itself depends on."""

from __future__ import annotations

import ipaddress

from localcloud.dataplane.networks import depended_on, substitute


def test_name_servers_and_proxies_are_left_reachable():
    text = "# comment\nnameserver 10.255.255.53\nnameserver ::1\nsearch example\nnameserver\n"
    environment = {"HTTPS_PROXY": "http://10.254.2.3:3128", "http_proxy": "proxy.example:80", "PATH": "10.1.1.1"}
    taken = depended_on(text, environment)
    assert [str(network) for network in taken] == ["10.255.255.53/32", "10.254.2.3/32"]
    assert str(substitute(ipaddress.IPv4Network("10.0.0.0/16"), taken)) == "10.253.0.0/16"
