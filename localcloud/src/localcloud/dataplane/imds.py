# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance metadata service: HTTP on one loopback port, which instances reach as 169.254.169.254; the asker is known by address."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import logging
import secrets
import socket
import time
import typing as t

from . import metadata

if t.TYPE_CHECKING:
    from ..emulation.directory import Metadata
    from ..emulation.identity import Credentials

IDLE_SECONDS = 30.0
RENEW_SECONDS = 15 * 60
MAX_TOKEN_SECONDS = 21600
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 500: "Error"}

_log = logging.getLogger("localcloud.imds")

Answer = tuple[int, dict[str, str], bytes]


class Imds:
    """The metadata service of one cloud."""

    def __init__(
        self,
        find: t.Callable[[str], Metadata | None],
        credentials: t.Callable[[str, str], t.Awaitable[Credentials | None]],
        clock: t.Callable[[], float] = time.time,
    ) -> None:
        """`find` tells by source address who asks; `credentials(role, instance id)` issues credentials."""
        self._find = find
        self._issue = credentials
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}
        self._credentials: dict[tuple[str, str], tuple[Credentials, str]] = {}
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        """Listen on 127.0.0.1."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")[0]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ValueError):
            while await self._one(peer, reader, writer):
                pass
        writer.close()

    async def _one(self, peer: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request on a connection; whether another may follow."""
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
        request, *lines = head.decode("latin-1").split("\r\n")
        method, path, version = request.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if value}
        if length := int(headers.get("content-length", "0")):
            await reader.readexactly(length)
        try:
            data = await asyncio.to_thread(self._find, peer)
            status, extra, body = await self.answer(data, method, path.partition("?")[0], headers)
        except Exception:
            _log.exception("metadata for %s: %s %s", peer, method, path)
            data, (status, extra, body) = None, (500, {}, b"")
        if method == "PUT" and data is not None:
            # containers inside the instance are one hop further than the instance
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, socket.IP_TTL, data.hop_limit)
        keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        extra = {"Content-Type": "text/plain", **extra, "Content-Length": str(len(body)), "Server": "EC2ws"}
        extra["Connection"] = "keep-alive" if keep else "close"
        text = f"HTTP/1.1 {status} {REASONS[status]}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in extra.items()) + "\r\n"
        writer.write(text.encode("latin-1") + (b"" if method == "HEAD" else body))
        await writer.drain()
        return keep

    async def answer(self, data: Metadata | None, method: str, path: str, headers: dict[str, str]) -> Answer:
        """What an instance is told."""
        if data is None:
            return 404, {}, b"404 - Not Found"
        if not data.endpoint_enabled:
            return 403, {}, b"403 - Forbidden"
        path = path.strip("/")
        if method == "PUT":
            return self._token(data, path, headers)
        if method not in ("GET", "HEAD"):
            return 405, {}, b"405 - Method Not Allowed"
        token = headers.get("x-aws-ec2-metadata-token")
        if (token is None and data.tokens_required) or (token is not None and not self._valid(token, data.instance.id)):
            return 401, {}, b"401 - Unauthorized"
        version, _, rest = path.partition("/")
        if not version:
            return 200, {}, b"1.0\nlatest"
        if not rest:
            return 200, {}, b"dynamic\nmeta-data\nuser-data" if data.user_data else b"dynamic\nmeta-data"
        return await self._content(data, rest)

    async def _content(self, data: Metadata, path: str) -> Answer:
        if path == "user-data":
            if data.user_data is None:
                return 404, {}, b"404 - Not Found"
            return 200, {"Content-Type": "application/octet-stream"}, data.user_data
        role = data.instance.role_name
        if role and path == metadata.CREDENTIALS + role:
            return await self._role(data.instance.id, role)
        text = metadata.lookup(metadata.build(data), path)
        return (404, {}, b"404 - Not Found") if text is None else (200, {}, text.encode())

    def _token(self, data: Metadata, path: str, headers: dict[str, str]) -> Answer:
        if path != "latest/api/token":
            return 404, {}, b"404 - Not Found"
        if "x-forwarded-for" in headers:
            return 403, {}, b"403 - Forbidden"
        asked = headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if not asked.isdigit() or not 1 <= int(asked) <= MAX_TOKEN_SECONDS:
            return 400, {}, b"400 - Bad Request"
        now = self._clock()
        self._tokens = {token: known for token, known in self._tokens.items() if known[1] > now}
        token = secrets.token_urlsafe(42)
        self._tokens[token] = (data.instance.id, now + int(asked))
        return 200, {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": asked}, token.encode()

    def _valid(self, token: str, instance_id: str) -> bool:
        owner, until = self._tokens.get(token, ("", 0.0))
        return owner == instance_id and until > self._clock()

    async def _role(self, instance_id: str, role: str) -> Answer:
        """Credentials, renewed a quarter of an hour before they expire."""
        now = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC)
        held = self._credentials.get((instance_id, role))
        if held is None or _parse(held[0].expiration) - now < datetime.timedelta(seconds=RENEW_SECONDS):
            issued = await self._issue(role, instance_id)
            if issued is None:
                return 404, {}, b"404 - Not Found"
            held = (issued, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
            self._credentials[(instance_id, role)] = held
        credentials, updated = held
        body = {
            "Code": "Success",
            "LastUpdated": updated,
            "Type": "AWS-HMAC",
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "Token": credentials.session_token,
            "Expiration": credentials.expiration,
        }
        return 200, {}, json.dumps(body, indent=2).encode()


def _parse(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
