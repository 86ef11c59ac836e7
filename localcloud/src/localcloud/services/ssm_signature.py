# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the Signature Version 4 of a request that an agent made; knows no policy and fetches no secret."""

from __future__ import annotations

import datetime
import hmac
import re
import typing as t
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if t.TYPE_CHECKING:
    from ..session.http import Request

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_SKEW = datetime.timedelta(minutes=5)


class SignatureError(Exception):
    """The request is not signed, or not with this secret, or not now."""


class Signature:
    """The signature that a request carries. Raises SignatureError when it has none."""

    def __init__(self, request: Request) -> None:
        found = _HEADER.fullmatch(request.headers.get("authorization", ""))
        if found is None:
            raise SignatureError("the request is not signed")
        self.access_key_id = found["key"]
        self._found = found
        self._request = request

    def verify(self, secret: str, now: datetime.datetime) -> None:
        """Raises SignatureError unless it was made with this secret access key, within five minutes of `now` (UTC)."""
        date = self._request.headers.get("x-amz-date", "")
        try:
            made = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        except ValueError:
            raise SignatureError("the request has no date") from None
        if abs(now - made) > _SKEW:
            raise SignatureError(f"Signature expired: {date} is not within five minutes of {now:%Y%m%dT%H%M%SZ}")
        if not hmac.compare_digest(self._expected(secret, date), self._found["signature"]):
            raise SignatureError("The request signature we calculated does not match the signature you provided.")

    def _expected(self, secret: str, date: str) -> str:
        request = self._request
        names = self._found["headers"].split(";")
        query = f"?{urllib.parse.urlencode(request.query)}" if request.query else ""
        rebuilt = AWSRequest(
            method=request.method,
            url=f"http://{request.headers.get('host', '')}{request.path}{query}",
            data=request.body,
            headers={name: request.headers.get(name, "") for name in names},
        )
        rebuilt.context["timestamp"] = date
        auth = SigV4Auth(Credentials(self.access_key_id, secret), self._found["service"], self._found["region"])
        return auth.signature(auth.string_to_sign(rebuilt, auth.canonical_request(rebuilt)), rebuilt)
