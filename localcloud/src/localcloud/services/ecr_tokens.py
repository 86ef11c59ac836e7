# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issues and checks the registry's authorization tokens; stateless (the token carries its expiry, signed), no clock of its own."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

LIFETIME = 12 * 3600
"""Seconds that a token is valid, as in ECR."""

USER = "AWS"


class BadToken(Exception):
    """The credentials are not ones that were issued here, or have expired; the message says which."""


def issue(key: bytes, now: float) -> tuple[str, int]:
    """The token of GetAuthorizationToken (base64 of `AWS:<password>`) and when it expires, in seconds since the epoch."""
    expires = int(now) + LIFETIME
    claims = json.dumps({"version": "2", "type": "DATA_KEY", "expiration": expires}, separators=(",", ":")).encode()
    password = base64.urlsafe_b64encode(claims).decode() + "." + _sign(key, claims)
    return base64.b64encode(f"{USER}:{password}".encode()).decode(), expires


def check(key: bytes, authorization: str, now: float) -> None:
    """Check the value of an Authorization header; raises BadToken."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise BadToken("Not Authorized")
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        claims_text, _, signature = password.partition(".")
        claims = base64.urlsafe_b64decode(claims_text.encode())
    except (binascii.Error, UnicodeError) as error:
        raise BadToken("Your authorization token is malformed.") from error
    if user != USER or not hmac.compare_digest(_sign(key, claims), signature):
        raise BadToken("Not Authorized")
    if json.loads(claims)["expiration"] <= now:
        raise BadToken("Your authorization token has expired. Reauthenticate and try again.")


def _sign(key: bytes, claims: bytes) -> str:
    return hmac.new(key, claims, hashlib.sha256).hexdigest()
