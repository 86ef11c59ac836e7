# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS server of one cloud, over UDP and TCP on a loopback port: sockets and forwarding; what to answer is in dns_answers.

Packet rules lead port 53 of every gateway, and AWS's 169.254.169.253, to it; it answers the cloud's names with private addresses.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pathlib
import typing as t

from ..errors import LocalCloudError
from ..names import Names
from . import dns_answers

FORWARD_SECONDS = 2.0
TCP_IDLE_SECONDS = 10.0
DNS_PORT = 53

_log = logging.getLogger("localcloud.dns")

Upstream = tuple[str, int]
_Ask = t.Callable[[bytes, Upstream], t.Awaitable[bytes]]


def machine_servers(resolv_conf: pathlib.Path = pathlib.Path("/etc/resolv.conf")) -> list[Upstream]:
    """The name servers that this machine uses (resolv.conf(5)), in their order."""
    try:
        lines = resolv_conf.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [(words[1], DNS_PORT) for words in map(str.split, lines) if len(words) > 1 and words[0] == "nameserver"]


class DnsServer:
    """Serves until `stop`. `upstreams` are asked for every other name; None stands for this machine's own servers, read each time."""

    def __init__(self, names: Names, upstreams: list[Upstream] | None = None) -> None:
        self._names = names
        self._upstreams = upstreams
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> None:
        """Listen on this port of 127.0.0.1; LocalCloudError when somebody else does."""
        loop = asyncio.get_running_loop()
        try:
            self._tcp = await asyncio.start_server(self._serve_tcp, "127.0.0.1", port)
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Receiver(self), local_addr=("127.0.0.1", port))
        except OSError as error:
            await self.stop()
            raise LocalCloudError(
                f"Failed to listen on 127.0.0.1:{port} for the cloud's DNS: {error}. `down` and `up` take another."
            ) from error

    async def stop(self) -> None:
        """Close both sockets."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for task in list(self._answering):
            task.cancel()

    def received(self, message: bytes, client: tuple[str, int]) -> None:
        """One datagram has come."""
        task = asyncio.get_running_loop().create_task(self._answer_udp(message, client))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer_udp(self, message: bytes, client: tuple[str, int]) -> None:
        with contextlib.suppress(ValueError):  # not a DNS message: nobody to answer
            reply = dns_answers.answer(message, self._names, udp=True) or await self._forward(message, _ask_udp)
            if self._udp is not None and not self._udp.is_closing():
                self._udp.sendto(reply, client)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            while True:
                message = await asyncio.wait_for(_read_framed(reader), TCP_IDLE_SECONDS)
                reply = dns_answers.answer(message, self._names, udp=False) or await self._forward(message, _ask_tcp)
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await writer.drain()
        writer.close()

    async def _forward(self, message: bytes, ask: _Ask) -> bytes:
        """The answer of the first server that gives one in time."""
        for upstream in machine_servers() if self._upstreams is None else self._upstreams:
            try:
                return await asyncio.wait_for(ask(message, upstream), FORWARD_SECONDS)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                _log.info("name server %s did not answer: %s", upstream[0], error or type(error).__name__)
        return dns_answers.server_failure(message)


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.received(data, addr)


class _Question(asyncio.DatagramProtocol):
    """One question to one server; an answer counts only with the question's id (RFC 1035, 4.1.1)."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.sendto(self._message)  # type: ignore[attr-defined]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data[:2] == self._message[:2] and not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _ask_udp(message: bytes, upstream: Upstream) -> bytes:
    transport, question = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Question(message), remote_addr=upstream)
    try:
        return await question.answer
    finally:
        transport.close()


async def _ask_tcp(message: bytes, upstream: Upstream) -> bytes:
    reader, writer = await asyncio.open_connection(*upstream)
    try:
        writer.write(len(message).to_bytes(2, "big") + message)
        await writer.drain()
        return await _read_framed(reader)
    finally:
        writer.close()


async def _read_framed(reader: asyncio.StreamReader) -> bytes:
    """One message of a TCP connection: two octets of length before it (RFC 1035, 4.2.2)."""
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
