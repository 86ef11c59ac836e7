# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a request without credentials an anonymous one for S3: it sees what a bucket's owner has made public, and nothing else.

MiniStack has this rule, but only together with the authentication of every other request.
"""

from __future__ import annotations

import typing as t

from ministack.core.responses import set_request_account_id
from ministack.services import s3

_Scope = t.Callable[..., t.Any]


def _anonymous_scope(original: _Scope) -> _Scope:
    def scope(
        method: str,
        bucket: str,
        key: str,
        headers: dict[str, str],
        query_params: dict[str, t.Any],
        body: bytes = b"",
        internal: bool = False,
    ) -> t.Any:
        if bucket and not internal and not s3._request_access_key(method, key, headers, query_params, body):
            owner = s3._bucket_owner_account(bucket)
            if owner is not None and not s3._foreign_bucket_allows(owner, bucket, key, method, query_params, "", headers):
                return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}/{key}" if key else f"/{bucket}")
            if owner is not None:
                set_request_account_id(owner)
                return None
        return original(method, bucket, key, headers, query_params, body, internal)

    return scope


def install() -> None:
    """Once per process."""
    s3._apply_bucket_scope = _anonymous_scope(s3._apply_bucket_scope)
