# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that the cloud hands out."""

from __future__ import annotations

import pytest

from localcloud.emulation.addresses import AddressesExhaustedError, PublicAddresses, mac_of


def test_the_hardware_address_follows_from_the_private_one() -> None:
    assert mac_of("10.0.1.255") == "02:42:0a:00:01:ff"


def test_public_addresses_are_not_used_again_soon() -> None:
    used: set[str] = set()
    addresses = PublicAddresses("127.77.0", lambda: used)
    assert [addresses.take(), addresses.take()] == ["127.77.0.2", "127.77.0.3"]
    used |= {f"127.77.0.{host}" for host in range(2, 255)} - {"127.77.0.2"}
    assert addresses.take() == "127.77.0.2"
    used.add("127.77.0.2")
    with pytest.raises(AddressesExhaustedError):
        addresses.take()
