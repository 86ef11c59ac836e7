# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of this target under pytest: every variant on a healthy service, one variant on a bad network."""

from __future__ import annotations

import json

import run


def test_every_variant():
    assert run.main([]) == 0


def test_bad_network():
    link = {"loss": 0.03, "duplicate": 0.05, "reorder": 0.1, "latency_ms": 10, "jitter_ms": 5}
    assert run.main(["--limit", "pipelining", "--faults", json.dumps({"to_client": link, "to_agent": link})]) == 0
