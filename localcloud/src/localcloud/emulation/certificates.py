# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ACM's certificates with their keys, read from MiniStack, whose API gives no keys away; one that was only requested gets a body here."""

from __future__ import annotations

import dataclasses
import threading

from ministack.core.responses import request_scope
from ministack.services import acm


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate in PEM; `key` is empty for one that ACM was asked to issue."""

    domains: list[str]
    body: str
    chain: str
    key: str = dataclasses.field(repr=False)


class Acm:
    """The certificates of one account and region."""

    def __init__(self, account_id: str, region: str) -> None:
        self._scope = account_id, region
        self._lock = threading.Lock()

    def find(self, arn: str) -> Certificate | None:
        """The issued certificate with this ARN, or None."""
        with self._lock, request_scope(*self._scope):
            found = acm._certificates.get(arn)
        if found is None or found["Status"] != "ISSUED":
            return None
        key = found.get("_private_key") or ""
        return Certificate(list(found["SubjectAlternativeNames"]), found.get("_pem_body", ""), found.get("_pem_chain", ""), key)

    def issue(self, arn: str, body: str, chain: str) -> None:
        """Let GetCertificate answer with this certificate."""
        with self._lock, request_scope(*self._scope):
            found = acm._certificates.get(arn)
            if found is not None:
                found["_pem_body"], found["_pem_chain"] = body, chain
