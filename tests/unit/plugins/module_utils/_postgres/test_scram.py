# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCRAM-SHA-256 against the example of RFC 7677, and against servers that are not what they say."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._postgres import scram
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.errors import PostgresError

NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


@pytest.fixture
def login():
    return scram.Login("pencil", NONCE, "user")


def test_the_example_of_the_rfc(login):
    assert login.first == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert login.final(SERVER_FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    login.check(SERVER_FINAL)


def test_a_server_that_does_not_know_the_password(login):
    login.final(SERVER_FIRST)
    with pytest.raises(PostgresError, match="does not know the password itself|does not know the password"):
        login.check(b"v=" + base64.b64encode(bytes(32)))


@pytest.mark.parametrize("nonce", ["other", NONCE])
def test_a_server_that_answers_somebody_else(login, nonce):
    with pytest.raises(PostgresError, match="does not answer this login"):
        login.final(f"r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode())


def test_the_verifier_belongs_to_the_login_s_signature():
    """Stored and server key are what the example's proof and signature come from; no password is in the text."""
    text = scram.verifier("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    assert text == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert "pencil" not in text
