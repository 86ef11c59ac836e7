# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long creations take, as the environment and the controls set it."""

from __future__ import annotations

import json

import pytest

from localcloud.errors import LocalCloudError
from localcloud.services.pace import VARIABLE, Pace, from_environment


def test_words_of_the_environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, "rds=60 elasticache=0.5")
    assert Pace("rds", 2.0).seconds == 60.0
    assert Pace("elasticache", 2.0).seconds == 0.5
    assert Pace("nat-gateway", 3.0).seconds == 3.0


@pytest.mark.parametrize("text", ["rds", "rds=", "=5", "rds=soon", "rds=-1"])
def test_words_that_are_none(text):
    with pytest.raises(LocalCloudError, match="kind=seconds"):
        from_environment(text)


def test_the_control():
    pace = Pace("rds", 2.0)
    assert json.loads(pace.admin("GET", "seconds", b"")[2]) == {"seconds": 2.0}
    assert pace.admin("PUT", "seconds", b"7")[0] == 200
    assert pace.seconds == 7.0
    for body in (b"-1", b"true", b'"5"', b"", b"{"):
        assert pace.admin("PUT", "seconds", body)[0] == 400
    assert pace.seconds == 7.0
    assert pace.admin("GET", "hours", b"")[0] == 404
