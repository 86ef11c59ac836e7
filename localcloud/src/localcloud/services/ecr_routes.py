# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what a request to the registry's HTTP API is about; pure, decides nothing."""

from __future__ import annotations

import dataclasses
import enum
import re
import urllib.parse

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = rf"(?P<name>{_COMPONENT}(?:/{_COMPONENT})*)"
_DIGEST = r"[a-z0-9]+:[0-9a-f]{32,128}"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"


class Kind(enum.Enum):
    """What a path names."""

    BASE = "base"
    CATALOG = "catalog"
    TAGS = "tags"
    MANIFEST = "manifest"
    BLOB = "blob"
    UPLOADS = "uploads"
    UPLOAD = "upload"


_ROUTES = [
    (Kind.BASE, re.compile(r"/v2/?")),
    (Kind.CATALOG, re.compile(r"/v2/_catalog")),
    (Kind.TAGS, re.compile(rf"/v2/{_NAME}/tags/list")),
    (Kind.MANIFEST, re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>{_DIGEST}|{_TAG})")),
    (Kind.UPLOADS, re.compile(rf"/v2/{_NAME}/blobs/uploads/?")),
    (Kind.UPLOAD, re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<reference>[A-Za-z0-9_.=-]+)")),
    (Kind.BLOB, re.compile(rf"/v2/{_NAME}/blobs/(?P<reference>{_DIGEST})")),
]

METHODS = {
    Kind.BASE: ("GET", "HEAD"),
    Kind.CATALOG: ("GET",),
    Kind.TAGS: ("GET",),
    Kind.MANIFEST: ("GET", "HEAD", "PUT"),
    Kind.BLOB: ("GET", "HEAD"),
    Kind.UPLOADS: ("POST",),
    Kind.UPLOAD: ("GET", "PATCH", "PUT", "DELETE"),
}
"""ECR deletes through its API only."""


@dataclasses.dataclass(frozen=True)
class Route:
    """One request's subject; `path` and `query` are as they are to be sent on."""

    kind: Kind
    name: str
    reference: str
    path: str
    query: str

    def parameter(self, name: str) -> str | None:
        """The last value of a query parameter."""
        return dict(urllib.parse.parse_qsl(self.query)).get(name)


def route_of(target: str) -> Route | None:
    """The route of a request target, or None for a path that the registry does not have."""
    path, _, query = target.partition("?")
    path = urllib.parse.unquote(path)
    for kind, pattern in _ROUTES:
        match = pattern.fullmatch(path)
        if match:
            groups = match.groupdict()
            return Route(kind=kind, name=groups.get("name", ""), reference=groups.get("reference", ""), path=path, query=query)
    return None
