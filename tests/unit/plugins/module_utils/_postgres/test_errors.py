# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences for what a server refuses."""

from __future__ import annotations

from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.errors import ServerError


def test_the_sentence_has_attempt_cause_and_remedy():
    error = ServerError("create role a in database postgres on h:1 as m", "42501", "permission denied to create role")
    assert str(error) == (
        "Failed to create role a in database postgres on h:1 as m: permission denied to create role (SQLSTATE 42501). "
        "The master user lacks the right; let the role's or database's owner grant it."
    )
    assert error.code == "42501"


def test_a_code_without_a_remedy_of_ours():
    assert str(ServerError("ask", "XX001", "broken.")) == "Failed to ask: broken (SQLSTATE XX001)."
