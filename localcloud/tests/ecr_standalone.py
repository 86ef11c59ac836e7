# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ECR's handler alone behind an HTTP port of its own, without the rest of the cloud; for tests."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import pathlib
import secrets
import socket
import threading
import types
import typing as t

import boto3
import botocore.config
import docker
import h11
import pytest

from localcloud.cloud import LABEL, Cloud, Ports
from localcloud.services import ecr
from localcloud.services.ecr_upstream import CHUNK, Connection

ACCOUNT = "123456789012"
REGION = "ap-northeast-2"


class NoInstances:
    """An instance directory with nothing in it."""

    def get(self, instance_id: str) -> None:
        return None

    def all(self) -> list[t.Any]:
        return []

    def by_address(self, address: str) -> None:
        return None


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cloud_of(name: str, state_dir: pathlib.Path) -> Cloud:
    """A cloud of which only ECR is going to run; what ECR does not ask for is None."""
    ports = Ports(api=free_port(), registry=free_port(), ssmmessages=free_port())
    client = docker.from_env()
    members: dict[str, t.Any] = {
        field.name: None
        for field in dataclasses.fields(Cloud)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    members |= {"name": name, "account_id": ACCOUNT, "region": REGION, "state_dir": state_dir, "ports": ports, "docker": client}
    return Cloud(**{**members, "instances": NoInstances()})


def remove(cloud: Cloud) -> None:
    """Remove every container and volume of this cloud."""
    for container in cloud.docker.containers.list(all=True, filters={"label": f"{LABEL}={cloud.name}"}):
        container.remove(force=True)
    for volume in cloud.docker.volumes.list(filters={"label": f"{LABEL}={cloud.name}"}):
        volume.remove()


class Running:
    """ECR of one cloud, on an event loop in a thread."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.service = ecr.create(cloud)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Running:
        self._thread.start()
        self.run(self.service.start())
        self._server = self.run(asyncio.start_server(self._serve, "127.0.0.1", self.cloud.ports.api, limit=CHUNK))
        return self

    def __exit__(self, *error: types.TracebackType | object) -> None:
        if self._server is not None:
            self._loop.call_soon_threadsafe(self._server.close)
        self.run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _end(self) -> None:
        await self.service.stop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def run(self, coroutine: t.Coroutine[t.Any, t.Any, t.Any]) -> t.Any:
        """Run a coroutine on the service's loop and give its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=300)

    def client(self, region: str = REGION, *, retries: int = 4) -> t.Any:
        """A boto3 client of this ECR."""
        return boto3.client(
            "ecr",
            region_name=region,
            endpoint_url=self.cloud.api_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=botocore.config.Config(retries={"max_attempts": retries}),
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, h11.SERVER)
        with contextlib.suppress(ConnectionError, h11.ProtocolError):
            while isinstance(request := await connection.receive(), h11.Request):
                body = b""
                while isinstance(event := await connection.receive(), h11.Data):
                    body += event.data
                headers = {name.decode(): value.decode() for name, value in request.headers}
                answer = await self.service.handle_request(request.method.decode(), request.target.decode(), headers, body, {})
                status, answer_headers, answer_body = answer
                sent = [*answer_headers.items(), ("Content-Length", str(len(answer_body)))]
                await connection.send(h11.Response(status_code=status, headers=sent))
                await connection.send(h11.Data(data=answer_body))
                await connection.send(h11.EndOfMessage())
                connection.h11.start_next_cycle()
        await connection.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Running]:
    """ECR of a cloud that exists for one test module."""
    cloud = cloud_of(f"ecr-test-{secrets.token_hex(3)}", tmp_path_factory.mktemp("ecr"))
    try:
        with Running(cloud) as ecr_running:
            yield ecr_running
    finally:
        remove(cloud)
