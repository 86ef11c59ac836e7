"""One HTTP/1.1 exchange over a stream, and what can go wrong with it, by name; schedules nothing and repeats nothing."""

from __future__ import annotations

import asyncio
import enum
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

_HEAD_LIMIT = 64 * 1024
_BODY_LIMIT = 8 * 1024 * 1024


class Failure(enum.Enum):
    """Why a request counts as failed."""

    REFUSED = "connection refused"
    NO_CONNECTION = "connection could not be made"
    RESET = "connection reset"
    CLOSED_BEFORE_ANSWER = "connection closed before an answer"
    CUT_SHORT = "answer cut short"
    TIMEOUT = "no answer in time"
    STATUS = "status not 2xx or 3xx"
    NOT_HTTP = "answer is not HTTP/1.1"
    NOT_SENT = "not sent: too many requests in flight"


class ExchangeError(Exception):
    """An exchange failed. `detail` says more than the kind, such as the status code."""

    def __init__(self, kind: Failure, detail: str = ""):
        super().__init__(f"{kind.value}{': ' if detail else ''}{detail}")
        self.kind = kind
        self.detail = detail


class TargetError(ValueError):
    """A URL that load must not be sent to, or that is none; the message is one sentence."""


@dataclass(frozen=True)
class Target:
    """Where load goes: a loopback address and port, and the URL it came from."""

    url: str
    host: str
    port: int


def parse_target(url: str) -> Target:
    """Read `http://127.0.0.1:8080`, or a name that stands for loopback addresses alone. Raises TargetError for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError as error:
        raise TargetError(f"Cannot send load to {url!r}: {error}; give a URL such as http://127.0.0.1:8080.") from None
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.username:
        raise TargetError(f"Cannot send load to {url!r}: it is not a base URL; give one such as http://127.0.0.1:8080.")
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    addresses = _addresses(host)
    if not addresses or not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        raise TargetError(f"Refused to send load to {parts.hostname}: it is not a loopback address, and nothing else is ever a target.")
    return Target(url.rstrip("/"), addresses[0], port)


def _addresses(host: str) -> list[str]:
    """What an address or a name stands for on this machine; nothing when it is unknown."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except OSError:
        return []


@dataclass(frozen=True)
class Request:
    """What to ask for. `body` is JSON text or None; `fresh` asks for a connection of its own that is closed afterwards."""

    method: str
    path: str
    body: str | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Response:
    """An answer; header names are small."""

    status: int
    headers: dict[str, str]
    body: bytes
    reusable: bool


class Connection:
    """One connection to a target."""

    def __init__(self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._target = target
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, target: Target) -> Connection:
        """Connect. Raises ExchangeError."""
        try:
            reader, writer = await asyncio.open_connection(target.host, target.port, limit=_HEAD_LIMIT)
        except ConnectionRefusedError as error:
            raise ExchangeError(Failure.REFUSED) from error
        except OSError as error:
            raise ExchangeError(Failure.NO_CONNECTION, error.strerror or str(error)) from error
        return cls(target, reader, writer)

    @property
    def usable(self) -> bool:
        """False once the other end is known to have closed; every client looks before it uses a connection again."""
        return not (self._reader.at_eof() or self._writer.is_closing() or self._reader.exception() is not None)

    def close(self) -> None:
        self._writer.close()

    async def ask(self, request: Request) -> Response:
        """Send and read the whole answer. Raises ExchangeError."""
        try:
            self._writer.write(self._bytes(request))
            return await self._answer(request)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise ExchangeError(Failure.RESET) from error
        except OSError as error:
            raise ExchangeError(Failure.RESET, error.strerror or str(error)) from error

    def _bytes(self, request: Request) -> bytes:
        lines = [
            f"{request.method} {request.path} HTTP/1.1",
            f"Host: {self._target.host}:{self._target.port}",
            "User-Agent: open-loop",
            f"Connection: {'close' if request.fresh else 'keep-alive'}",
        ]
        body = b"" if request.body is None else request.body.encode()
        if request.body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

    async def _answer(self, request: Request) -> Response:
        status, headers = await self._head()
        while status in range(100, 200):
            status, headers = await self._head()
        try:
            body, delimited = await self._body(request, status, headers)
        except asyncio.IncompleteReadError as error:
            raise ExchangeError(Failure.CUT_SHORT) from error
        except (ValueError, asyncio.LimitOverrunError) as error:
            raise ExchangeError(Failure.NOT_HTTP, "framing of the body") from error
        reusable = delimited and not request.fresh and headers.get("connection", "").lower() != "close"
        return Response(status, headers, body, reusable)

    async def _head(self) -> tuple[int, dict[str, str]]:
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise ExchangeError(Failure.CUT_SHORT if error.partial else Failure.CLOSED_BEFORE_ANSWER) from error
        except asyncio.LimitOverrunError as error:
            raise ExchangeError(Failure.NOT_HTTP, "head too long") from error
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        version, _, rest = first.partition(" ")
        if version != "HTTP/1.1" or not rest[:3].isdigit():
            raise ExchangeError(Failure.NOT_HTTP, first[:60])
        return int(rest[:3]), {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    async def _body(self, request: Request, status: int, headers: dict[str, str]) -> tuple[bytes, bool]:
        """The body, and whether its end was marked (else it ends with the connection)."""
        if request.method == "HEAD" or status in (204, 304):
            return b"", True
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunks(), True
        if "content-length" in headers:
            length = int(headers["content-length"])
            if not 0 <= length <= _BODY_LIMIT:
                raise ValueError(length)
            return await self._reader.readexactly(length), True
        body = await self._reader.read(_BODY_LIMIT)
        while piece := await self._reader.read(_BODY_LIMIT):
            body += piece
        return body, False

    async def _chunks(self) -> bytes:
        body = b""
        while True:
            line = await self._reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0].strip(), 16)
            if not 0 <= size <= _BODY_LIMIT - len(body):
                raise ValueError(size)
            body += (await self._reader.readexactly(size + 2))[:-2]
            if size == 0:
                return body
