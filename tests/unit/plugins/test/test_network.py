# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""inside_network and overlaps_network."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.test.network import inside_network, overlaps_network


@pytest.mark.parametrize(
    ("block", "network", "answer"),
    [
        ("10.0.1.0/24", "10.0.0.0/16", True),
        ("10.0.0.0/16", "10.0.0.0/16", True),
        ("10.1.0.0/24", "10.0.0.0/16", False),
        ("10.0.0.0/8", "10.0.0.0/16", False),
        ("10.0.0.1/24", "10.0.0.0/16", False),
        ("nonsense", "10.0.0.0/16", False),
        ("::/64", "10.0.0.0/16", False),
    ],
)
def test_inside_network(block, network, answer):
    assert inside_network(block, network) is answer


@pytest.mark.parametrize(
    ("block", "network", "answer"),
    [
        ("10.0.0.0/24", "10.0.1.0/24", False),
        ("10.0.0.0/23", "10.0.1.0/24", True),
        ("10.0.1.0/24", "10.0.0.0/23", True),
        ("10.0.0.0/24", "10.0.0.0/24", True),
        ("nonsense", "10.0.0.0/16", False),
        ("::/64", "10.0.0.0/16", False),
    ],
)
def test_overlaps_network(block, network, answer):
    assert overlaps_network(block, network) is answer
