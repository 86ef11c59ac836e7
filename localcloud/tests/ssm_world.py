# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ssm service without containers: its handler behind HTTP, instances that exist only as data, and real agents as processes."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import subprocess
import sys
import threading
import typing as t

import boto3
from botocore.config import Config
from contract import watch
from ministack.core.responses import request_scope
from ministack.services import iam, kms

from localcloud.cloud import Instance, Ports
from localcloud.emulation import identity
from localcloud.services import ssm
from localcloud.session.http import App, Request, Response, Server

watch.install()

ACCOUNT = "123456789012"
REGION = "ap-northeast-2"
MANAGED = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
AGENT = pathlib.Path(__file__).resolve().parents[1] / "images" / "instance" / "agent" / "main.py"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class Directory:
    """Instances as data."""

    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {}

    def get(self, instance_id: str) -> Instance | None:
        return self.instances.get(instance_id)

    def all(self) -> list[Instance]:
        return list(self.instances.values())

    def by_address(self, address: str) -> Instance | None:
        return next((item for item in self.instances.values() if item.private_ip == address), None)


@dataclasses.dataclass
class FakeCloud:
    """What the service reads of a cloud."""

    ports: Ports
    instances: Directory = dataclasses.field(default_factory=Directory)
    account_id: str = ACCOUNT
    region: str = REGION
    name: str = "test"


class World:
    """The running service; use as a context manager."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._agents: dict[str, subprocess.Popen[bytes]] = {}
        self.cloud = FakeCloud(Ports(api=0, registry=0, ssmmessages=0))
        self.service = ssm.create(t.cast(t.Any, self.cloud))
        self._server = Server(App(self._answer, lambda request: Response(404)))

    def __enter__(self) -> World:
        self._thread.start()
        self.run(self.service.start())
        self.run(self._server.start("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.port}"
        options: dict[str, t.Any] = {
            "region_name": REGION,
            "endpoint_url": self.url,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "config": Config(retries={"total_max_attempts": 1}),
        }
        self.ssm = boto3.client("ssm", **options)
        self.iam = boto3.client("iam", **options)
        self.kms = boto3.client("kms", **options)
        return self

    def __exit__(self, *_: object) -> None:
        for instance_id in list(self._agents):
            self.stop_agent(instance_id)
        self.run(self.service.stop())
        self.run(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: t.Coroutine[t.Any, t.Any, t.Any]) -> t.Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _answer(self, request: Request) -> Response:
        target = request.headers.get("x-amz-target", "")
        handler = self.service.handle_request if target.startswith("AmazonSSM") else kms.handle_request if target else iam.handle_request
        with request_scope(ACCOUNT, REGION):
            status, headers, body = await handler(request.method, request.path, request.headers, request.body, {})
        return Response(status, body if isinstance(body, bytes) else body.encode(), headers)

    def admin(self, method: str, path: str, body: t.Any = None) -> dict[str, t.Any]:
        async def call() -> tuple[int, dict[str, str], bytes]:
            return await self.service.admin(method, path, json.dumps(body).encode() if body is not None else b"")

        status, _, answer = self.run(call())
        assert status == 200, answer
        return json.loads(answer)

    # -- instances

    def role(self, name: str, *policies: str, inline: dict[str, t.Any] | None = None) -> str:
        with contextlib.suppress(self.iam.exceptions.EntityAlreadyExistsException):
            self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        for policy in policies:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        if inline is not None:
            self.iam.put_role_policy(
                RoleName=name, PolicyName="inline", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [inline]})
            )
        return name

    def instance(self, number: int, role: str | None, **changes: t.Any) -> Instance:
        instance = Instance(
            id=f"i-{number:017x}",
            state="running",
            private_ip=f"10.0.0.{number}",
            source_ip=f"10.0.0.{number}",
            public_ip=None,
            container_id=None,
            vpc_id="vpc-1",
            subnet_id="subnet-1",
            availability_zone=f"{REGION}a",
            image_id="ami-1",
            profile_arn=None,
            role_name=role,
            launch_time=datetime.datetime.now(datetime.UTC),
            tags={},
            reaches_internet=True,
        )
        instance = dataclasses.replace(instance, **changes)
        self.cloud.instances.instances[instance.id] = instance
        return instance

    def change(self, instance: Instance, **changes: t.Any) -> Instance:
        changed = self.cloud.instances.instances[instance.id] = dataclasses.replace(instance, **changes)
        return changed

    def start_agent(self, instance: Instance, *, credentials_of: str | None = None) -> None:
        role = credentials_of or instance.role_name

        async def assume() -> identity.Credentials:
            with request_scope(ACCOUNT, REGION):
                return await identity.assume_role(f"arn:aws:iam::{ACCOUNT}:role/{role}", instance.id)

        credentials = self.run(assume())
        settings = self._directory / f"{instance.id}.json"
        settings.write_text(
            json.dumps(
                {
                    "instance_id": instance.id,
                    "region": REGION,
                    "ssmmessages_url": f"http://127.0.0.1:{self.service.gateway.port}",
                    "imds": "",
                    "run_as_user": False,
                }
            )
        )
        environment = os.environ | {
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            "AWS_ENDPOINT_URL": self.url,
        }
        log = (self._directory / f"{instance.id}.log").open("ab")
        self._agents[instance.id] = subprocess.Popen([sys.executable, str(AGENT), "--config", str(settings)], env=environment, stderr=log)
        log.close()

    def agent_log(self, instance: Instance) -> str:
        return (self._directory / f"{instance.id}.log").read_text()

    def stop_agent(self, instance_id: str) -> None:
        process = self._agents.pop(instance_id)
        process.terminate()
        process.wait(20)
