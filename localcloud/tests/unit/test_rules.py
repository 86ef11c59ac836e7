# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packet rules as text."""

from __future__ import annotations

import pytest

from localcloud.dataplane.rules import Chains, Edge, Exposure, Guard, Link, OpenPorts, is_outside, ports_of, render


@pytest.mark.parametrize(
    ("cidr", "outside"),
    [
        ("0.0.0.0/0", True),
        ("203.0.113.7/32", True),
        ("8.0.0.0/7", True),
        ("10.0.0.0/7", True),  # reaches beyond 10.0.0.0/8
        ("10.0.0.0/8", False),
        ("10.1.2.0/24", False),
        ("172.16.0.0/12", False),
        ("172.15.0.0/16", True),
        ("192.168.1.1/32", False),
        ("::/0", False),
        ("nonsense", False),
    ],
)
def test_is_outside(cidr, outside):
    assert is_outside(cidr) is outside


@pytest.mark.parametrize(
    ("rule", "ports"),
    [
        (("tcp", 80, 80), [OpenPorts("tcp", 80, 80)]),
        (("6", 80, 90), [OpenPorts("tcp", 80, 90)]),
        (("17", 53, 53), [OpenPorts("udp", 53, 53)]),
        (("tcp", 0, 65535), [OpenPorts("tcp")]),
        (("-1", None, None), [OpenPorts("tcp"), OpenPorts("udp")]),
        (("icmp", -1, -1), []),
    ],
)
def test_ports_of(rule, ports):
    assert ports_of(*rule) == ports


def test_render():
    chains = Chains("0123abcd")
    exposures = [
        Exposure("127.77.0.3", "10.0.1.5", frozenset({OpenPorts("tcp")})),
        Exposure("127.77.0.2", "10.0.1.4", frozenset({OpenPorts("tcp", 80, 80), OpenPorts("udp", 5000, 5010)})),
    ]
    assert render(
        chains, "127.77.0", [Link("lcbridge", "10.0.0.1")], exposures, [Edge("127.77.0.9", 443, 5000)], ["10.0.2.4"], [4566], 4570
    ).splitlines() == [
        "*nat",
        ":LOCALCLOUD-0123abcd-OUT - [0:0]",
        ":LOCALCLOUD-0123abcd-PRE - [0:0]",
        ":LOCALCLOUD-0123abcd-POST - [0:0]",
        "-A LOCALCLOUD-0123abcd-OUT -d 127.77.0.2/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.1.4",
        "-A LOCALCLOUD-0123abcd-OUT -d 127.77.0.2/32 -p udp --dport 5000:5010 -j DNAT --to-destination 10.0.1.4",
        "-A LOCALCLOUD-0123abcd-OUT -d 127.77.0.3/32 -p tcp -j DNAT --to-destination 10.0.1.5",
        "-A LOCALCLOUD-0123abcd-OUT -d 127.77.0.9/32 -p tcp --dport 443 -j DNAT --to-destination 127.0.0.1:5000",
        "-A LOCALCLOUD-0123abcd-PRE -i lcbridge -d 10.0.0.1/32 -p tcp --dport 4566 -j DNAT --to-destination 127.0.0.1:4566",
        "-A LOCALCLOUD-0123abcd-PRE -i lcbridge -d 10.0.0.1/32 -p udp --dport 53 -j DNAT --to-destination 127.0.0.1:4570",
        "-A LOCALCLOUD-0123abcd-PRE -i lcbridge -d 10.0.0.1/32 -p tcp --dport 53 -j DNAT --to-destination 127.0.0.1:4570",
        "-A LOCALCLOUD-0123abcd-PRE -i lcbridge -d 169.254.169.253/32 -p udp --dport 53 -j DNAT --to-destination 127.0.0.1:4570",
        "-A LOCALCLOUD-0123abcd-PRE -i lcbridge -d 169.254.169.253/32 -p tcp --dport 53 -j DNAT --to-destination 127.0.0.1:4570",
        "-A LOCALCLOUD-0123abcd-POST -s 127.0.0.0/8 -o lcbridge -j MASQUERADE",
        "COMMIT",
        "*filter",
        ":LOCALCLOUD-0123abcd-OUT - [0:0]",
        ":LOCALCLOUD-0123abcd-IN - [0:0]",
        ":LOCALCLOUD-0123abcd-FWD - [0:0]",
        "-A LOCALCLOUD-0123abcd-OUT -d 127.77.0.0/24 -p tcp -j REJECT --reject-with tcp-reset",
        "-A LOCALCLOUD-0123abcd-OUT -d 127.77.0.0/24 -j REJECT",
        "-A LOCALCLOUD-0123abcd-IN -i lcbridge -d 127.0.0.0/8 -m conntrack --ctstate DNAT -j ACCEPT",
        "-A LOCALCLOUD-0123abcd-IN -i lcbridge -d 127.0.0.0/8 -m conntrack ! --ctstate DNAT -j DROP",
        "-A LOCALCLOUD-0123abcd-FWD -i lcbridge -o lcbridge -j RETURN",
        "-A LOCALCLOUD-0123abcd-FWD -s 10.0.2.4/32 -j REJECT --reject-with icmp-net-unreachable",
        "COMMIT",
    ]


def test_names_of_chains_fit():
    assert all(len(own) <= 28 for _, _, own in Chains("0123abcd").jumps)


def test_link_local_addresses_lead_to_this_machine():
    text = render(Chains("0123abcd"), "127.77.0", [Link("lcbridge", "10.0.0.1")], [], [], [], [], 5353, {"169.254.170.2": 5000})
    chain = "-A LOCALCLOUD-0123abcd-PRE -i lcbridge"
    assert f"{chain} -d 169.254.170.2/32 -p tcp --dport 80 -j DNAT --to-destination 127.0.0.1:5000" in text.splitlines()


def test_a_guarded_address_lets_in_what_its_groups_open_before_the_network_does():
    guard = Guard("10.0.1.9", frozenset({("10.0.1.4/32", OpenPorts("tcp", 5432, 5432)), ("10.0.2.0/24", OpenPorts("tcp"))}))
    text = render(Chains("0123abcd"), "127.77.0", [Link("lcbridge", "10.0.0.1")], [], [], [], [], 5353, guards=[guard]).splitlines()
    chain = "-A LOCALCLOUD-0123abcd-FWD"
    wanted = [
        f"{chain} -d 10.0.1.9/32 -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
        f"{chain} -s 10.0.1.4/32 -d 10.0.1.9/32 -p tcp --dport 5432 -j RETURN",
        f"{chain} -s 10.0.2.0/24 -d 10.0.1.9/32 -p tcp -j RETURN",
        f"{chain} -d 10.0.1.9/32 -j DROP",
        f"{chain} -i lcbridge -o lcbridge -j RETURN",
    ]
    assert [line for line in text if line in wanted] == wanted
