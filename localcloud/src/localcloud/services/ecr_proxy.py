# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry as clients see it: checks token, repository and tag, then streams to and from the registry behind; answers no API call."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
import typing as t

import h11

from . import ecr_manifest, ecr_tokens
from .ecr_errors import RegistryError, immutable_tag, no_repository
from .ecr_images import Images, ManifestRefused, RepositoryGone, TagTaken
from .ecr_routes import METHODS, Kind, Route, route_of
from .ecr_state import Repository, State
from .ecr_upstream import CHUNK, Connection, RegistryDown, Upstream

log = logging.getLogger("localcloud.ecr")

_NOT_FORWARDED = {b"host", b"authorization", b"connection", b"expect", b"keep-alive", b"proxy-authorization", b"te", b"trailer", b"upgrade"}
_API_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
_DRAINED = 8 * 1024 * 1024
"""Bytes of an unwanted body that are read so that its sender gets to see the refusal."""


class Proxy:
    """Listens on 127.0.0.1; one task per client connection."""

    def __init__(
        self, *, account_id: str, state: State, images: Images, upstream: Upstream, clock: t.Callable[[], float] = time.time
    ) -> None:
        self._account_id = account_id
        self._state = state
        self._images = images
        self._upstream = upstream
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> None:
        """Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=CHUNK)

    async def stop(self) -> None:
        """Stop listening and cut the connections that are open."""
        if self._server is not None:
            self._server.close()
            for task in list(self._clients):
                task.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this callback in a task
        self._clients.add(task)
        client = Connection(reader, writer, h11.SERVER)
        try:
            while await self._one_request(client):
                client.h11.start_next_cycle()
        except (h11.RemoteProtocolError, h11.LocalProtocolError) as error:
            # A TLS greeting lands here too: Docker tries HTTPS first, and takes this answer as the reason to go on without.
            log.debug("not HTTP: %s", error)
            if client.h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                with contextlib.suppress(OSError, h11.LocalProtocolError):
                    await self._answer(client, 400, {"Connection": "close"}, b"not an HTTP request\n")
        except (OSError, asyncio.CancelledError) as error:
            log.debug("the client's connection ended: %r", error)
        finally:
            self._clients.discard(task)
            await client.close()

    async def _one_request(self, client: Connection) -> bool:
        """Whether the connection can take another request."""
        request = await client.receive()
        if not isinstance(request, h11.Request):
            return False
        try:
            await self._handle(client, request)
        except RegistryError as error:
            await self._answer(client, error.status, {"Content-Type": "application/json", **error.headers}, error.body())
        except RegistryDown as error:
            log.warning("%s", error)
            if client.h11.our_state is not h11.SEND_RESPONSE:
                return False
            answer = RegistryError(503, "UNAVAILABLE", "The registry is not available at the moment.")
            await self._answer(client, answer.status, {"Content-Type": "application/json"}, answer.body())
        await _drain(client)
        return client.h11.our_state is h11.DONE and client.h11.their_state is h11.DONE

    async def _handle(self, client: Connection, request: h11.Request) -> None:
        method = request.method.decode().upper()
        self._authorize(request)
        route = route_of(request.target.decode("latin-1"))
        if route is None:
            raise RegistryError(404, "NOT_FOUND", "The requested path does not exist.")
        if method not in METHODS[route.kind]:
            raise RegistryError(405, "UNSUPPORTED", "The operation is unsupported.", {"Allow": ", ".join(METHODS[route.kind])})
        if route.kind is Kind.BASE:
            await self._answer(client, 200, {"Content-Type": "application/json", **_API_VERSION}, b"{}")
        elif route.kind is Kind.CATALOG:
            await self._answer_list(client, route, "repositories", sorted(self._state.repositories), {})
        else:
            await self._handle_repository(client, request, method, route, self._repository(route.name))

    async def _handle_repository(self, client: Connection, request: h11.Request, method: str, route: Route, repository: Repository) -> None:
        if route.kind is Kind.TAGS:
            tags = sorted(tag for image in repository.images.values() for tag in image.tags)
            await self._answer_list(client, route, "tags", tags, {"name": repository.name})
        elif route.kind is Kind.MANIFEST and method == "PUT":
            await self._put_manifest(client, request, route, repository)
        elif route.kind is Kind.MANIFEST:
            await self._get_manifest(client, method, route, repository)
        else:
            query = route.query
            if route.kind is Kind.UPLOADS and route.parameter("mount") and route.parameter("from") not in self._state.repositories:
                query = ""  # nothing to mount from: the client gets an ordinary upload, as the specification allows
            await self._forward(client, request, method, route.path + (f"?{query}" if query else ""))

    # -- who and what

    def _authorize(self, request: h11.Request) -> None:
        header = next((value.decode("latin-1") for name, value in request.headers if name == b"authorization"), None)
        if header is None:
            challenge = {"WWW-Authenticate": 'Basic realm="localcloud",service="ecr.amazonaws.com"', **_API_VERSION}
            raise RegistryError(401, "UNAUTHORIZED", "Not Authorized", challenge)
        try:
            ecr_tokens.check(self._state.token_key, header, self._clock())
        except ecr_tokens.BadToken as error:
            raise RegistryError(403, "DENIED", str(error)) from error

    def _repository(self, name: str) -> Repository:
        repository = self._state.repositories.get(name)
        if repository is None:
            raise RegistryError(404, "NAME_UNKNOWN", no_repository(name, self._account_id))
        return repository

    # -- manifests

    async def _put_manifest(self, client: Connection, request: h11.Request, route: Route, repository: Repository) -> None:
        raw = await _small_body(client)
        content_type = next((value.decode("latin-1") for name, value in request.headers if name == b"content-type"), None)
        try:
            manifest = ecr_manifest.parse(raw, content_type)
        except ecr_manifest.BadManifest as error:
            raise RegistryError(400, "MANIFEST_INVALID", str(error)) from error
        tag = None if ":" in route.reference else route.reference
        if tag is None and route.reference != manifest.digest:
            raise RegistryError(400, "DIGEST_INVALID", f"the manifest's digest is {manifest.digest}, not {route.reference}")
        try:
            await self._images.put(repository, manifest, raw, tag)
        except TagTaken as error:
            raise RegistryError(400, "TAG_INVALID", immutable_tag(repository.name, str(tag))) from error
        except RepositoryGone as error:
            raise RegistryError(404, "NAME_UNKNOWN", no_repository(repository.name, self._account_id)) from error
        except ManifestRefused as error:
            raise RegistryError(error.status, error.code, str(error)) from error
        subject = {"OCI-Subject": manifest.subject} if manifest.subject else {}
        location = f"/v2/{repository.name}/manifests/{manifest.digest}"
        await self._answer(client, 201, {"Location": location, "Docker-Content-Digest": manifest.digest, **subject, **_API_VERSION}, b"")

    async def _get_manifest(self, client: Connection, method: str, route: Route, repository: Repository) -> None:
        image = repository.resolve(route.reference)
        raw = await self._images.manifest(repository.name, image.digest) if image else None
        if image is None or raw is None:
            raise RegistryError(404, "MANIFEST_UNKNOWN", "Requested image not found")
        if method == "GET":
            self._images.pulled(image)
        headers = {"Content-Type": image.media_type, "Docker-Content-Digest": image.digest, **_API_VERSION}
        await self._answer(client, 200, headers, raw, head=method == "HEAD")

    # -- answers

    async def _answer_list(self, client: Connection, route: Route, key: str, names: list[str], members: dict[str, str]) -> None:
        last, limit = route.parameter("last"), route.parameter("n")
        rest = [name for name in names if last is None or name > last]
        headers = {"Content-Type": "application/json"}
        if limit is not None:
            if not limit.isdigit() or int(limit) < 1:
                raise RegistryError(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
            if len(rest) > int(limit):
                rest = rest[: int(limit)]
                headers["Link"] = f'<{route.path}?last={rest[-1]}&n={limit}>; rel="next"'
        await self._answer(client, 200, headers, json.dumps({**members, key: rest}).encode())

    async def _answer(self, client: Connection, status: int, headers: dict[str, str], body: bytes, *, head: bool = False) -> None:
        sent = {**headers, "Content-Length": str(len(body))}
        await client.send(h11.Response(status_code=status, headers=list(sent.items())))
        if body and not head:
            await client.send(h11.Data(data=body))
        await client.send(h11.EndOfMessage())

    async def _forward(self, client: Connection, request: h11.Request, method: str, target: str) -> None:
        """Pass request and answer on as they come, in both directions at once: the registry may refuse before it has read everything."""
        headers = [(name, value) for name, value in request.headers if name not in _NOT_FORWARDED]
        async with self._upstream.connect() as upstream:
            await upstream.send(h11.Request(method=method, target=target, headers=[(b"Host", b"registry"), *headers]))
            sending = asyncio.create_task(_pump(client, upstream))
            try:
                try:
                    response = await upstream.receive()
                except (h11.RemoteProtocolError, OSError) as error:
                    raise RegistryDown(f"the registry broke off its answer to {method} {target}: {error}") from error
                if not isinstance(response, h11.Response):
                    raise RegistryDown(f"the registry closed the connection instead of answering {method} {target}")
                kept = [(name, value) for name, value in response.headers if name not in (b"connection", b"keep-alive")]
                await client.send(h11.Response(status_code=response.status_code, headers=kept))
                while isinstance(event := await upstream.receive(), h11.Data):
                    await client.send(h11.Data(data=event.data))
                await client.send(h11.EndOfMessage())
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError, h11.ProtocolError):
                    await sending


async def _pump(client: Connection, upstream: Connection) -> None:
    while isinstance(event := await client.receive(), h11.Data):
        await upstream.send(h11.Data(data=event.data))
    if isinstance(event, h11.EndOfMessage):
        await upstream.send(h11.EndOfMessage())
    else:
        await upstream.close()  # the client went away in the middle: the registry must not wait for the rest


async def _small_body(client: Connection) -> bytes:
    parts: list[bytes] = []
    length = 0
    while isinstance(event := await client.receive(), h11.Data):
        parts.append(bytes(event.data))
        length += len(parts[-1])
        if length > ecr_manifest.LARGEST:
            raise RegistryError(413, "MANIFEST_INVALID", f"the manifest is larger than {ecr_manifest.LARGEST} bytes")
    return b"".join(parts)


async def _drain(client: Connection) -> None:
    """Read what is left of a refused request, up to a limit."""
    length = 0
    while client.h11.their_state is h11.SEND_BODY and length < _DRAINED:
        event = await client.receive()
        if isinstance(event, h11.Data):
            length += len(event.data)
