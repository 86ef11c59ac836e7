# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ECR remembers: repositories, their settings and images; kept in one file that is replaced atomically. Serves no request."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
import os
import pathlib
import secrets
import typing as t

from .ecr_manifest import Manifest


@dataclasses.dataclass
class ImageRecord:
    """One manifest of a repository. Times are seconds since the epoch, `size` is in bytes."""

    digest: str
    media_type: str
    artifact_media_type: str | None
    size: int
    pushed_at: float
    layers: dict[str, str] = dataclasses.field(default_factory=dict)
    children: list[str] = dataclasses.field(default_factory=list)
    subject: str | None = None
    tags: list[str] = dataclasses.field(default_factory=list)
    pulled_at: float | None = None


@dataclasses.dataclass
class Repository:
    """One repository as the API shows it, and its images by digest, in the order of their first push."""

    name: str
    created_at: float
    mutability: str = "MUTABLE"
    exclusions: list[dict[str, str]] = dataclasses.field(default_factory=list)
    scan_on_push: bool = False
    encryption: dict[str, str] = dataclasses.field(default_factory=lambda: {"encryptionType": "AES256"})
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    policy: str | None = None
    lifecycle_policy: str | None = None
    images: dict[str, ImageRecord] = dataclasses.field(default_factory=dict)

    def by_tag(self, tag: str) -> ImageRecord | None:
        """The image that carries this tag now."""
        return next((image for image in self.images.values() if tag in image.tags), None)

    def resolve(self, reference: str) -> ImageRecord | None:
        """The image of a tag or of a digest."""
        return self.images.get(reference) if ":" in reference else self.by_tag(reference)

    def is_immutable(self, tag: str) -> bool:
        """Whether this tag may not move from one image to another."""
        excluded = any(fnmatch.fnmatchcase(tag, rule["filter"]) for rule in self.exclusions)
        return self.mutability.startswith("IMMUTABLE") is not excluded

    def is_taken(self, tag: str | None, digest: str) -> bool:
        """Whether a push of `digest` under `tag` would move an immutable tag."""
        if tag is None or not self.is_immutable(tag):
            return False
        holder = self.by_tag(tag)
        return holder is not None and holder.digest != digest

    def referrers(self, digest: str) -> list[str]:
        """Digests of the indexes that list this manifest."""
        return [image.digest for image in self.images.values() if digest in image.children]

    def record(self, manifest: Manifest, tag: str | None, now: float) -> ImageRecord:
        """Note a pushed manifest; a tag that another image carries moves to this one."""
        image = self.images.get(manifest.digest)
        if image is None:
            size = manifest.size or max((self.images[child].size for child in manifest.children if child in self.images), default=0)
            image = ImageRecord(
                digest=manifest.digest,
                media_type=manifest.media_type,
                artifact_media_type=manifest.artifact_media_type,
                size=size,
                pushed_at=now,
                layers=dict(manifest.layers),
                children=list(manifest.children),
                subject=manifest.subject,
            )
            self.images[manifest.digest] = image
        if tag is not None and tag not in image.tags:
            holder = self.by_tag(tag)
            if holder is not None:
                holder.tags.remove(tag)
            image.tags.append(tag)
            image.pushed_at = now
        return image


class State:
    """All repositories of one registry, loaded from and saved to one file."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self.repositories: dict[str, Repository] = {}
        self.storage = ""
        """Identity of the volume that holds the blobs; a state that belongs to another volume is worthless."""
        self.token_key = secrets.token_bytes(32)
        self._load()

    def reset(self, storage: str) -> None:
        """Forget everything; from now on the blobs are in this volume."""
        self.repositories = {}
        self.storage = storage
        self.save()

    def save(self) -> None:
        """Write the file; whoever reads it sees the old or the new content, never a part."""
        document = {
            "storage": self.storage,
            "token_key": self.token_key.hex(),
            "repositories": [dataclasses.asdict(repository) for repository in self.repositories.values()],
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)

    def _load(self) -> None:
        try:
            document: dict[str, t.Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        self.storage = document["storage"]
        self.token_key = bytes.fromhex(document["token_key"])
        for fields in document["repositories"]:
            images = {image["digest"]: ImageRecord(**image) for image in fields.pop("images").values()}
            self.repositories[fields["name"]] = Repository(**fields, images=images)
