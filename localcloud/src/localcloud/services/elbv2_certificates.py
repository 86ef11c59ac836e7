# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of HTTPS listeners as PEM files for the proxy; ACM has them with their keys."""

from __future__ import annotations

import hashlib
import threading
import typing as t

from .query_protocol import ApiError

if t.TYPE_CHECKING:
    from ..certificates import Authority


class Certificates:
    """PEM files by certificate ARN; safe for threads."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._lock = threading.Lock()
        self._last: dict[str, str] = {}

    def exists(self, arn: str) -> bool:
        """Whether ACM has issued it, or has it imported."""
        try:
            self._authority.pem(arn)
        except KeyError:
            return False
        return True

    @staticmethod
    def name(arn: str) -> str:
        """The name of its PEM file."""
        return f"certificate-{hashlib.sha256(arn.encode()).hexdigest()[:16]}.pem"

    def pem(self, arn: str) -> str:
        """Certificate, chain and key, as they were last when ACM does not have it any more; ApiError when it never had."""
        with self._lock:
            try:
                found = self._authority.pem(arn)
            except KeyError:
                if arn not in self._last:
                    raise ApiError("CertificateNotFound", f"Certificate '{arn}' not found") from None
            else:
                parts = (found.certificate, found.chain, found.key)
                self._last[arn] = "".join(part.strip() + "\n" for part in parts if part.strip())
            return self._last[arn]
