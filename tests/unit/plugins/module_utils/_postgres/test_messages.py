# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the protocol as bytes."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._postgres import messages


def test_startup_names_user_and_database():
    data = messages.startup("keeper", "shop")
    assert struct.unpack("!II", data[:8]) == (len(data), 3 << 16)
    assert b"user\0keeper\0database\0shop\0" in data
    assert data.endswith(b"\0\0")


def test_query_has_its_length():
    assert messages.query("SELECT 1") == b"Q" + struct.pack("!I", 13) + b"SELECT 1\0"
    assert messages.header(messages.query("SELECT 1")[:5]) == (b"Q", 9)


def test_row_with_a_null_and_an_empty_text():
    body = struct.pack("!H", 3) + struct.pack("!i", 2) + b"ab" + struct.pack("!i", -1) + struct.pack("!i", 0)
    assert messages.row(body) == ("ab", None, "")


def test_error_has_code_and_words():
    assert messages.error(b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0") == ("28P01", "password authentication failed")
    assert messages.error(b"\0") == ("XX000", "no message")


def test_sasl():
    assert messages.mechanisms(b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0") == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]
    assert messages.authentication(struct.pack("!I", 10) + b"x") == (messages.SASL, b"x")
    assert messages.sasl_initial("S", b"n,,") == b"p" + struct.pack("!I", 13) + b"S\0" + struct.pack("!I", 3) + b"n,,"


@pytest.mark.parametrize(("text", "quoted"), [("plain", "'plain'"), ("it's", "'it''s'"), ("back\\slash", "'back\\slash'"), ("", "''")])
def test_literals(text, quoted):
    assert messages.literal(text) == quoted


@pytest.mark.parametrize(("name", "quoted"), [("plain", '"plain"'), ('a"b', '"a""b"'), ("Order", '"Order"')])
def test_identifiers(name, quoted):
    assert messages.identifier(name) == quoted
