# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts images into the registry and takes them out, keeping ECR's records and the registry's storage in step; for API and proxy alike."""

from __future__ import annotations

import asyncio
import json
import time
import typing as t

from .ecr_backend import Backend
from .ecr_manifest import Manifest
from .ecr_state import ImageRecord, Repository, State


class TagTaken(Exception):
    """The tag is immutable and another image has it."""


class RepositoryGone(Exception):
    """The repository was deleted while something was being put into it."""


class ManifestRefused(Exception):
    """The registry does not take the manifest; `code` is the registry's own (such as MANIFEST_BLOB_UNKNOWN)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Images:
    """Manifests and layers of all repositories. The records say which tag means which digest; the registry holds bytes by digest."""

    def __init__(self, state: State, backend: Backend, clock: t.Callable[[], float] = time.time) -> None:
        self._state = state
        self._backend = backend
        self._upstream = backend.upstream
        self._clock = clock
        # Storing and deleting one digest must not cross each other: the later of two would be lost on one of the two sides.
        self._lock = asyncio.Lock()

    async def put(self, repository: Repository, manifest: Manifest, raw: bytes, tag: str | None) -> ImageRecord:
        """Store a manifest, then record it. Raises TagTaken, RepositoryGone, ManifestRefused, RegistryDown."""
        async with self._lock:
            self._check(repository, manifest, tag)
            status, body = await self._upstream.put_manifest(repository.name, manifest.digest, manifest.media_type, raw)
            if status != 201:
                code, message = _first_error(body)
                raise ManifestRefused(status, code, message)
            self._check(repository, manifest, tag)
            image = repository.record(manifest, tag, self._clock())
            self._state.save()
            return image

    async def delete(self, repository: Repository, image: ImageRecord) -> None:
        """Remove an image, its bytes first: an image without bytes can be deleted once more, bytes without an image cannot."""
        async with self._lock:
            await self._upstream.delete_manifest(repository.name, image.digest)
            repository.images.pop(image.digest, None)
            self._state.save()

    async def manifest(self, repository: str, digest: str) -> bytes | None:
        """A manifest as it was pushed, byte for byte; None when the registry does not have it."""
        return await self._upstream.manifest(repository, digest)

    async def layer_size(self, repository: str, digest: str) -> int | None:
        """Bytes of a layer, None when the repository does not have it."""
        return await self._upstream.layer_size(repository, digest)

    async def forget(self, repository: str) -> None:
        """Remove everything that the registry keeps of a deleted repository."""
        async with self._lock:
            if repository not in self._state.repositories:
                await self._backend.forget(repository)

    def pulled(self, image: ImageRecord) -> None:
        """Note that an image was fetched; written with the next change, as nobody waits for it."""
        image.pulled_at = self._clock()

    def _check(self, repository: Repository, manifest: Manifest, tag: str | None) -> None:
        if self._state.repositories.get(repository.name) is not repository:
            raise RepositoryGone(repository.name)
        if repository.is_taken(tag, manifest.digest):
            raise TagTaken(tag)


def _first_error(body: bytes) -> tuple[str, str]:
    try:
        error = json.loads(body)["errors"][0]
        detail = error.get("detail")
        return error["code"], f"{error['message']}{f': {json.dumps(detail)}' if detail else ''}"
    except (ValueError, KeyError, IndexError, TypeError):
        return "UNKNOWN", body.decode(errors="replace").strip()
