# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed calls are counted by who made them and for which service."""

from __future__ import annotations

from localcloud.calls import Calls


def signed(access_key, service):
    scope = f"Credential={access_key}/20261121/ap-northeast-2/{service}/aws4_request"
    return [(b"host", b"x"), (b"authorization", f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0".encode())]


def test_calls_are_counted_by_key_and_service():
    calls = Calls()
    calls.add(signed("AKIAONE", "ec2"), 0.25)
    calls.add(signed("AKIAONE", "ec2"), 0.5)
    calls.add(signed("AKIAONE", "ssm"), 1)
    calls.add(signed("ASIATWO", "ssm"), 2)
    assert calls.listed() == [
        {"access_key": "AKIAONE", "service": "ec2", "calls": 2, "seconds": 0.75},
        {"access_key": "AKIAONE", "service": "ssm", "calls": 1, "seconds": 1},
        {"access_key": "ASIATWO", "service": "ssm", "calls": 1, "seconds": 2},
    ]


def test_what_is_not_signed_is_not_counted():
    calls = Calls()
    calls.add([(b"host", b"x")], 1)
    calls.add([(b"authorization", b"Bearer token")], 1)
    assert calls.listed() == []
