# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in text."""

from __future__ import annotations

import json

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.redact import MASK, Redactor


def test_the_longest_is_taken_first():
    assert Redactor(["pass", "password"])("a password, a pass") == f"a {MASK}, a {MASK}"


def test_every_form_is_taken():
    secret = 'pa$s"word\nsecond line'
    redact = Redactor([secret])
    for text in (secret, json.dumps(secret), secret.replace("$", "$$"), json.dumps(secret.replace("$", "$$")), "only the second line"):
        assert "word" not in redact(text)
        assert "second" not in redact(text)


def test_short_values_stay():
    assert Redactor(["", "1", "ab"])("1 ab") == "1 ab"


def test_it_learns():
    redact = Redactor()
    redact.add(["hunter2"])
    assert redact("hunter2") == MASK
