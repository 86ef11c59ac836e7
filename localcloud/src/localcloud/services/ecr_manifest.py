# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads image manifests and indexes, Docker's and OCI's: what they refer to and how large that is; pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json

INDEXES = frozenset({"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json"})
IMAGES = frozenset({"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json"})
MEDIA_TYPES = INDEXES | IMAGES

LARGEST = 4 * 1024 * 1024
"""Bytes; the distribution specification's limit for one manifest."""


class BadManifest(ValueError):
    """Not a manifest that a registry can take; the message says why."""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a manifest says; `size` is the sum of what it refers to directly, in bytes, and 0 for an index."""

    digest: str
    media_type: str
    artifact_media_type: str | None
    size: int
    layers: dict[str, str]
    """Digest -> media type of every layer."""
    children: tuple[str, ...]
    """Digests of the manifests that an index lists."""
    subject: str | None


def digest_of(raw: bytes) -> str:
    """The digest that names these bytes."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def parse(raw: bytes, content_type: str | None) -> Manifest:
    """Read one manifest; `content_type` is what the client said that it is. Raises BadManifest."""
    if len(raw) > LARGEST:
        raise BadManifest(f"the manifest is larger than {LARGEST} bytes")
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise BadManifest("the manifest is not valid JSON") from error
    if not isinstance(document, dict):
        raise BadManifest("the manifest is not a JSON object")
    media_type = document.get("mediaType") or content_type or ""
    media_type = media_type.partition(";")[0].strip()
    if media_type not in MEDIA_TYPES:
        raise BadManifest(f"the manifest's media type '{media_type}' is not supported")
    try:
        return _index(document, raw, media_type) if media_type in INDEXES else _image(document, raw, media_type)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadManifest(f"the manifest lacks or distorts the member {error}") from error


def _index(document: dict, raw: bytes, media_type: str) -> Manifest:
    return Manifest(
        digest=digest_of(raw),
        media_type=media_type,
        artifact_media_type=document.get("artifactType"),
        size=0,
        layers={},
        children=tuple(child["digest"] for child in document["manifests"]),
        subject=_subject(document),
    )


def _image(document: dict, raw: bytes, media_type: str) -> Manifest:
    config = document["config"]
    return Manifest(
        digest=digest_of(raw),
        media_type=media_type,
        artifact_media_type=document.get("artifactType") or config["mediaType"],
        size=config["size"] + sum(layer["size"] for layer in document["layers"]),
        layers={layer["digest"]: layer["mediaType"] for layer in document["layers"]},
        children=(),
        subject=_subject(document),
    )


def _subject(document: dict) -> str | None:
    subject = document.get("subject")
    return subject["digest"] if subject else None
