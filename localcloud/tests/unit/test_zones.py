# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses the records of hosted zones stand for."""

from __future__ import annotations

import pytest

from localcloud.emulation.zones import Record
from localcloud.names import Name
from localcloud.services.route53 import resolved

KNOWN = {"balancer.test": Name(("10.0.1.4",), ("127.77.0.4",)), "cache.test": Name(("10.0.2.4",))}


def a(name, *values, alias=None, private=False):
    return Record(name, "A", values, alias, private)


def cname(name, target, private=False):
    return Record(name, "CNAME", (target,), None, private)


@pytest.mark.parametrize(
    ("records", "names"),
    [
        ([], {}),
        ([a("x.example", "192.0.2.1", "192.0.2.2")], {"x.example": Name(("192.0.2.1", "192.0.2.2"), ("192.0.2.1", "192.0.2.2"))}),
        ([a("x.example", alias="balancer.test")], {"x.example": KNOWN["balancer.test"]}),
        ([cname("x.example", "cache.test")], {"x.example": Name(("10.0.2.4",), ("10.0.2.4",))}),
        ([cname("x.example", "elsewhere.example")], {}),
        (
            [cname("x.example", "y.example"), a("y.example", alias="balancer.test")],
            {"x.example": KNOWN["balancer.test"], "y.example": KNOWN["balancer.test"]},
        ),
        ([cname("x.example", "y.example"), cname("y.example", "x.example")], {}),
        (
            [a("x.example", "192.0.2.1"), a("x.example", "10.0.0.9", private=True)],
            {"x.example": Name(("10.0.0.9",), ("192.0.2.1",))},
        ),
        ([a("x.example", "10.0.0.9", private=True)], {"x.example": Name(("10.0.0.9",), ("10.0.0.9",))}),
        ([Record("x.example", "TXT", ("10.0.0.9",), None, False)], {}),
    ],
)
def test_resolved(records, names):
    assert resolved(records, KNOWN.get, set()) == names


def test_a_name_that_a_record_once_gave_is_not_its_own_proof():
    register = {**KNOWN, "y.example": Name(("10.9.9.9",))}
    assert resolved([cname("x.example", "y.example")], register.get, {"y.example"}) == {}
