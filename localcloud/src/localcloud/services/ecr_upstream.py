# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speaks HTTP to the registry behind ECR over its unix socket: one connection per request; knows neither tokens nor repositories."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import typing as t

import h11

from .ecr_manifest import INDEXES, MEDIA_TYPES

CHUNK = 256 * 1024
"""Bytes that are read at once; also what one direction of one connection holds in memory."""


class RegistryDown(Exception):
    """The registry does not answer."""


class Connection:
    """One HTTP/1.1 connection, either side of it; reads events and writes them with back-pressure."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, role: type[h11.CLIENT] | type[h11.SERVER]) -> None:
        self.h11 = h11.Connection(role)
        self._reader = reader
        self._writer = writer

    async def receive(self) -> t.Any:
        """The next h11 event. Raises h11.RemoteProtocolError, ConnectionError."""
        while True:
            event = self.h11.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.h11.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self.h11.receive_data(await self._reader.read(CHUNK))

    async def send(self, event: t.Any) -> None:
        """Write one h11 event."""
        data = self.h11.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def close(self) -> None:
        """Close the connection; what was written is still sent."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Upstream:
    """The registry, reached through the socket in `directory`."""

    SOCKET = "registry.sock"

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory

    @contextlib.asynccontextmanager
    async def connect(self) -> t.AsyncIterator[Connection]:
        """A connection of its own. Raises RegistryDown."""
        # Through the directory's descriptor: the path itself may be longer than the 107 bytes that a socket address takes.
        try:
            descriptor = os.open(self._directory, os.O_PATH)
        except OSError as error:
            raise RegistryDown(f"the registry's socket directory cannot be opened: {error}") from error
        try:
            reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{descriptor}/{self.SOCKET}", limit=CHUNK)
        except OSError as error:
            raise RegistryDown(f"the registry does not answer: {error}") from error
        finally:
            os.close(descriptor)
        connection = Connection(reader, writer, h11.CLIENT)
        try:
            yield connection
        finally:
            await connection.close()

    async def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """One request with small bodies; header names of the answer are in lower case. Raises RegistryDown."""
        sent = {"Host": "registry", "Content-Length": str(len(body)), **(headers or {})}
        async with self.connect() as connection:
            try:
                await connection.send(h11.Request(method=method, target=path, headers=list(sent.items())))
                if body:
                    await connection.send(h11.Data(data=body))
                await connection.send(h11.EndOfMessage())
                response = await connection.receive()
                parts: list[bytes] = []
                while isinstance(event := await connection.receive(), h11.Data):
                    parts.append(bytes(event.data))
            except (h11.RemoteProtocolError, OSError) as error:
                raise RegistryDown(f"the registry broke off its answer to {method} {path}: {error}") from error
            if not isinstance(response, h11.Response) or not isinstance(event, h11.EndOfMessage):
                raise RegistryDown(f"the registry closed the connection in its answer to {method} {path}")
        return response.status_code, {name.decode(): value.decode() for name, value in response.headers}, b"".join(parts)

    async def is_up(self) -> bool:
        """Whether the registry answers."""
        try:
            status, _, _ = await self.request("GET", "/v2/")
        except RegistryDown:
            return False
        return status == 200

    async def manifest(self, repository: str, digest: str) -> bytes | None:
        """A manifest's bytes, or None when the registry has none with this digest."""
        accept = ", ".join(sorted(MEDIA_TYPES, key=lambda media_type: media_type not in INDEXES))
        status, _, body = await self.request("GET", f"/v2/{repository}/manifests/{digest}", {"Accept": accept})
        return body if status == 200 else None

    async def put_manifest(self, repository: str, digest: str, media_type: str, raw: bytes) -> tuple[int, bytes]:
        """Store a manifest under its digest; the registry refuses one whose blobs or children it does not have."""
        status, _, body = await self.request("PUT", f"/v2/{repository}/manifests/{digest}", {"Content-Type": media_type}, raw)
        return status, body

    async def delete_manifest(self, repository: str, digest: str) -> None:
        """Remove a manifest; one that is not there is as good as removed. Raises RegistryDown."""
        status, _, body = await self.request("DELETE", f"/v2/{repository}/manifests/{digest}")
        if status not in (202, 404):
            raise RegistryDown(f"the registry refused to delete {digest} of {repository}: {status} {body.decode(errors='replace')}")

    async def delete_layer(self, repository: str, digest: str) -> None:
        """Remove a repository's link to a layer; other repositories keep theirs. Raises RegistryDown."""
        await self.request("DELETE", f"/v2/{repository}/blobs/{digest}")

    async def layer_size(self, repository: str, digest: str) -> int | None:
        """Bytes of a layer, or None when this repository does not have it."""
        status, headers, _ = await self.request("HEAD", f"/v2/{repository}/blobs/{digest}")
        return int(headers["content-length"]) if status == 200 else None
