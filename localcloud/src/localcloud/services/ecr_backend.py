# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry's container: its image, its volume, its start and its end; speaks no HTTP beyond asking whether it is up."""

from __future__ import annotations

import asyncio
import logging
import secrets
import typing as t

import docker.errors

from .. import images
from ..errors import LocalCloudError
from .ecr_upstream import Upstream

if t.TYPE_CHECKING:
    import docker

    from ..cloud import Cloud

log = logging.getLogger("localcloud.ecr")

STORAGE = "/var/lib/docker-registry"
STORAGE_LABEL = "localcloud.storage"
PATIENCE = 60.0
"""Seconds; collecting garbage in a large storage comes before the first answer."""


class BackendError(LocalCloudError):
    """The registry cannot be started; the message says why and what helps."""


class Backend:
    """The container `<cloud>-registry` and the volume of the same name."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._name = f"localcloud-{cloud.name}-registry"
        self._directory = cloud.state_dir / "registry"
        self.upstream = Upstream(self._directory)

    async def start(self) -> str:
        """Start the registry afresh on the storage that is there; returns the storage's identity. Raises BackendError."""
        try:
            storage = await asyncio.to_thread(self._start)
        except docker.errors.DockerException as error:
            raise BackendError(f"Failed to start the registry's container {self._name}: {error}") from error
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not await self.upstream.is_up():
            if asyncio.get_running_loop().time() > deadline:
                logs = await asyncio.to_thread(self._logs)
                raise BackendError(f"The registry {self._name} does not answer after {PATIENCE:.0f} s; its last lines: {logs}")
            await asyncio.sleep(0.05)  # the interval of a poll, not a guess at how long the start takes
        return storage

    async def stop(self) -> None:
        """Remove the container; the volume stays until the cloud is taken down."""
        await asyncio.to_thread(self._remove)

    async def forget(self, repository: str) -> None:
        """Remove what the storage keeps of one repository, and nothing of those whose names begin with it."""
        root = f"{STORAGE}/docker/registry/v2/repositories/{repository}"
        command = ["rm", "-rf", *(f"{root}/{part}" for part in ("_layers", "_manifests", "_uploads"))]
        try:
            await asyncio.to_thread(self._run, command)
        except docker.errors.DockerException as error:
            raise BackendError(f"Failed to remove repository {repository} from the registry's storage: {error}") from error

    def _start(self) -> str:
        image = images.ensure(self._cloud.docker, "registry", log.info)
        self._remove()
        storage = self._volume()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        self._cloud.docker.containers.run(
            image,
            name=self._name,
            detach=True,
            init=True,
            network_mode="none",
            labels=self._cloud.labels,
            restart_policy={"Name": "on-failure", "MaximumRetryCount": 5},
            volumes={self._name: {"bind": STORAGE, "mode": "rw"}, str(self._directory): {"bind": "/run/registry", "mode": "rw"}},
            mem_limit="512m",
        )
        return storage

    def _volume(self) -> str:
        try:
            volume = self._cloud.docker.volumes.get(self._name)
        except docker.errors.NotFound:
            labels = {**self._cloud.labels, STORAGE_LABEL: secrets.token_hex(8)}
            volume = self._cloud.docker.volumes.create(self._name, labels=labels)
        return volume.attrs["Labels"][STORAGE_LABEL]

    def _remove(self) -> None:
        try:
            self._cloud.docker.containers.get(self._name).remove(force=True)
        except docker.errors.NotFound:
            return

    def _run(self, command: list[str]) -> None:
        code, output = self._cloud.docker.containers.get(self._name).exec_run(command)
        if code != 0:
            raise docker.errors.DockerException(f"{' '.join(command)} ended with {code}: {output.decode(errors='replace')}")

    def _logs(self) -> str:
        try:
            return self._cloud.docker.containers.get(self._name).logs(tail=5).decode(errors="replace").strip()
        except docker.errors.DockerException as error:
            return str(error)
