# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What can go wrong between an instance and its database, in sentences for the user; no I/O."""

from __future__ import annotations

WRONG_PASSWORD = ("28P01", "28000")
"""invalid_password and invalid_authorization_specification: https://www.postgresql.org/docs/17/errcodes-appendix.html"""

_REMEDIES = {
    "28P01": "Check the user and the password in Parameter Store.",
    "28000": "Check the user, and whether the server asks for TLS.",
    "3D000": "Check the database's name.",
    "42501": "The master user lacks the right; let the role's or database's owner grant it.",
    "53300": "All connections are taken; try again, or raise max_connections.",
    "57P03": "The server is starting; try again.",
}


class PostgresError(Exception):
    """The wish is wrong, or the database cannot be reached; the message is complete."""


class ServerError(PostgresError):
    """The server refused something; `code` is its SQLSTATE."""

    def __init__(self, attempt: str, code: str, words: str):
        remedy = _REMEDIES.get(code, "")
        super().__init__(f"Failed to {attempt}: {words.rstrip('.')} (SQLSTATE {code}). {remedy}".strip())
        self.code = code
        self.words = words
