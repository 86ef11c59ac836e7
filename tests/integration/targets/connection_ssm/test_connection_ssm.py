# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of this target under pytest: every variant on a healthy service. test_session.py has the bad networks."""

from __future__ import annotations

import run


def test_every_variant():
    assert run.main([]) == 0
