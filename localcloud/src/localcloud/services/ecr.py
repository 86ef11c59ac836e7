# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR: the API's HTTP envelope, and the life of the registry behind it; the operations themselves are in ecr_operations."""

from __future__ import annotations

import json
import logging
import re
import secrets
import typing as t

from .ecr_backend import Backend, BackendError
from .ecr_errors import ApiError, no_repository
from .ecr_images import Images
from .ecr_input import check
from .ecr_operations import OPERATIONS, Operations, Settings
from .ecr_proxy import Proxy
from .ecr_state import State
from .ecr_tags import install as install_tags
from .ecr_upstream import RegistryDown

if t.TYPE_CHECKING:
    from ..cloud import Cloud

log = logging.getLogger("localcloud.ecr")

_CREDENTIAL_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/(?P<region>[a-z0-9-]+)/ecr/aws4_request")
_EMPTY_ELSEWHERE = frozenset({"DescribeRepositories", "DescribeRegistry", "GetAuthorizationToken"})
"""Operations that name no repository, and so have an answer in a region that has none."""


class Ecr:
    """The service; see `Service` in this package for the interface."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._state = State(cloud.state_dir / "ecr.json")
        self._backend = Backend(cloud)
        self._images = Images(self._state, self._backend)
        settings = Settings(account_id=cloud.account_id, region=cloud.region, port=cloud.ports.registry)
        self._operations = Operations(settings, self._state, self._images)
        install_tags(self._state, region=cloud.region, account_id=cloud.account_id)
        self._proxy = Proxy(account_id=cloud.account_id, state=self._state, images=self._images, upstream=self._backend.upstream)

    @property
    def operations(self) -> frozenset[str]:
        """Names of the operations that are answered here."""
        return frozenset(OPERATIONS)

    async def start(self) -> None:
        """Start registry and proxy. Images are remembered as long as the volume that holds them. Raises BackendError."""
        storage = await self._backend.start()
        if storage != self._state.storage:
            self._state.reset(storage)
        try:
            await self._proxy.start(self._cloud.ports.registry)
        except OSError as error:
            await self._backend.stop()
            raise BackendError(f"Failed to listen on 127.0.0.1:{self._cloud.ports.registry} for the registry: {error}") from error

    async def stop(self) -> None:
        """Stop proxy and registry; the images stay."""
        await self._proxy.stop()
        self._state.save()
        await self._backend.stop()

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, t.Any]
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer one call of the JSON 1.1 protocol."""
        names = {name.lower(): value for name, value in headers.items()}
        operation = names.get("x-amz-target", "").rpartition(".")[2]
        try:
            return _envelope(200, await self._dispatch(operation, names, body))
        except ApiError as error:
            return _envelope(error.status, {"__type": error.code, "message": error.message})
        except (RegistryDown, BackendError) as error:
            log.warning("%s failed: %s", operation, error)
            return _envelope(500, {"__type": "ServerException", "message": str(error)})

    async def _dispatch(self, operation: str, headers: dict[str, str], body: bytes) -> dict[str, t.Any]:
        if operation not in OPERATIONS:
            raise ApiError("UnknownOperationException", f"The operation '{operation}' is not one of this registry's")
        try:
            members = json.loads(body or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", "The request's body is not valid JSON") from error
        check(operation, members)
        scope = _CREDENTIAL_SCOPE.search(headers.get("authorization", ""))
        if scope and scope["region"] != self._cloud.region:
            return self._elsewhere(operation, scope["region"], members)
        return await self._operations.handle(operation, members)

    def _elsewhere(self, operation: str, region: str, members: dict[str, t.Any]) -> dict[str, t.Any]:
        """The answer in a region other than the cloud's: a registry with nothing in it, to which nothing can be added."""
        home = self._cloud.region
        if operation == "CreateRepository":
            raise ApiError("LimitExceededException", f"This cloud has its registry in {home}; no repository can be created in {region}")
        if operation not in _EMPTY_ELSEWHERE or members.get("repositoryNames"):
            name = members.get("repositoryName") or next(iter(members.get("repositoryNames", [])), members.get("resourceArn", ""))
            raise ApiError("RepositoryNotFoundException", no_repository(name, self._cloud.account_id))
        if operation == "DescribeRepositories":
            return {"repositories": []}
        if operation == "DescribeRegistry":
            return {"registryId": self._cloud.account_id, "replicationConfiguration": {"rules": []}}
        raise ApiError("InvalidParameterException", f"This cloud has its registry in {home}; there is none in {region}")


def create(cloud: Cloud) -> Ecr:
    """The service of this cloud; nothing is started yet."""
    return Ecr(cloud)


def _envelope(status: int, members: dict[str, t.Any]) -> tuple[int, dict[str, str], bytes]:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": _request_id()}
    return status, headers, json.dumps(members).encode()


def _request_id() -> str:
    text = secrets.token_hex(16)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
