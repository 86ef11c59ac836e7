# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process of one cloud: puts control plane, services and data plane together and runs them until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
import typing as t

import docker

from . import images
from . import settings as settings_module
from .calls import Calls
from .certificates import Authority
from .cloud import Cloud
from .dataplane import rules
from .dataplane.networks import Networks
from .emulation import environment
from .errors import LocalCloudError
from .names import Names
from .settings import Settings

_log = logging.getLogger("localcloud.server")

Asgi = t.Callable[[dict[str, t.Any], t.Any, t.Any], t.Awaitable[None]]


class Server:
    """Everything of one cloud that lives in one process."""

    def __init__(self, settings: Settings) -> None:
        environment.apply(settings)
        # MiniStack and moto read the environment when they are imported
        from .dataplane.dataplane import DataPlane
        from .dataplane.dns import DnsServer
        from .dataplane.hosts import Hosts
        from .dataplane.imds import Imds
        from .emulation import (
            alarms,
            buckets,
            identity,
            instances,
            key_conditions,
            launch_templates,
            required,
            tags,
            unsupported,
        )  # fmt: skip
        from .emulation.directory import MotoDirectory
        from .emulation.edges import Edges
        from .emulation.images import public_parameters
        from .emulation.interfaces import Interfaces
        from .emulation.records import MotoRecords

        required.check()
        import ministack.app
        import ministack.services.ssm

        self.settings = settings
        self.calls = Calls()
        self.fingerprint = images.fingerprint()
        client = docker.from_env(timeout=120)
        chains = rules.Chains(settings.short)
        networks = Networks(client, settings.name, settings.short)
        directory = MotoDirectory(lambda: self.dataplane.container_ids())
        interfaces = Interfaces(settings.region, networks, lambda: self.dataplane.changed())
        edges = Edges(settings.public_prefix, lambda: self.dataplane.changed())
        self.dataplane = DataPlane(
            client, settings.name, MotoRecords(settings, directory, interfaces), networks, chains, settings.public_prefix,
            [settings.ports.api, settings.ports.registry, settings.ports.ssmmessages, settings.imds_port],
            settings.dns_port, edges.all,
        )  # fmt: skip
        instances.install(settings.public_prefix, instances.Hooks(place=networks.place))
        tags.install()
        launch_templates.install()
        alarms.install()
        unsupported.install()
        buckets.install()
        key_conditions.install()
        ministack.services.ssm._PUBLIC_AMI_PARAMETERS.update(public_parameters())

        async def credentials(role_name: str, instance_id: str) -> identity.Credentials | None:
            arn = identity.role_arn(role_name)
            return await identity.assume_role(arn, instance_id) if arn else None

        names = Names()
        Hosts(settings.name, names)
        self.dns = DnsServer(names)
        self.imds = Imds(directory.metadata, credentials)
        self.cloud = Cloud(
            name=settings.name,
            account_id=settings.account_id,
            region=settings.region,
            state_dir=settings.state_dir,
            ports=settings.ports,
            docker=client,
            instances=directory,
            interfaces=interfaces,
            edges=edges,
            names=names,
            dns_server=networks.gateway_of,
            certificates=Authority(settings.name, settings.state_dir),
            changed=self.dataplane.changed,
            link_local=self.dataplane.link_local,
        )
        from .services import create_all

        self.services = create_all(self.cloud)
        for name, service in self.services.items():
            ministack.app.SERVICE_HANDLERS[name] = service.handle_request
        self.networks = networks
        self.asgi = _with_admin(ministack.app.app, self)

    async def start(self) -> None:
        """Start what listens beside the API."""
        await self.imds.start(self.settings.imds_port)
        await self.dns.start(self.settings.dns_port)
        await self.dataplane.start()
        for name, service in self.services.items():
            if hasattr(service, "start"):
                await service.start()
                _log.info("service %s has started", name)

    async def stop(self) -> None:
        """Stop it, the last one first."""
        for name, service in reversed(self.services.items()):
            if hasattr(service, "stop"):
                try:
                    await service.stop()
                except Exception:  # the others must still be stopped
                    _log.exception("service %s did not stop", name)
        await self.dataplane.stop()
        await self.imds.stop()
        await self.dns.stop()

    def status(self) -> dict[str, t.Any]:
        """What `localcloud status` shows."""
        return {
            "name": self.settings.name,
            "pid": os.getpid(),
            "instances": [
                {
                    "id": instance.id,
                    "name": instance.tags.get("Name"),
                    "state": instance.state,
                    "private_ip": instance.private_ip,
                    "public_ip": instance.public_ip,
                    "availability_zone": instance.availability_zone,
                    "container_id": instance.container_id,
                }
                for instance in self.cloud.instances.all()
            ],
            "networks": [
                {"vpc_id": network.vpc_id, "name": network.name, "vpc_cidr": str(network.vpc_cidr), "cidr": str(network.cidr)}
                for network in self.networks.all()
            ],
            "services": sorted(self.services),
        }


def _with_admin(app: Asgi, server: Server) -> Asgi:
    """The application with `/_localcloud/…` in front: health, status, calls, and each service's own controls."""

    async def asgi(scope: dict[str, t.Any], receive: t.Any, send: t.Any) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith("/_localcloud/"):
            began = time.monotonic()
            try:
                await app(scope, receive, send)
            finally:
                if scope["type"] == "http":
                    server.calls.add(scope["headers"], time.monotonic() - began)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, headers, answer = await _admin(server, scope["method"], path.removeprefix("/_localcloud/"), body)
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer})

    return asgi


async def _admin(server: Server, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    json_type = {"Content-Type": "application/json"}
    if path == "health":
        return 200, json_type, json.dumps({"name": server.settings.name, "pid": os.getpid(), "fingerprint": server.fingerprint}).encode()
    if path == "calls":
        return 200, json_type, json.dumps(server.calls.listed()).encode()
    if path == "status":
        return 200, json_type, json.dumps(await asyncio.to_thread(server.status)).encode()
    name, _, rest = path.partition("/")
    service = server.services.get(name)
    if service is None or not hasattr(service, "admin"):
        return 404, json_type, json.dumps({"message": f"no service with controls is called {name}"}).encode()
    return await service.admin(method, rest, body)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    import hypercorn.asyncio
    import hypercorn.config

    server = Server(settings)
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    await server.start()
    config = hypercorn.config.Config()
    config.bind = [f"127.0.0.1:{settings.ports.api}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.loglevel = "WARNING"
    try:
        await hypercorn.asyncio.serve(server.asgi, config, shutdown_trigger=ending.wait)  # type: ignore[arg-type]
    finally:
        await server.stop()


def main() -> int:
    """Entry point of the process that `localcloud up` starts."""
    parser = argparse.ArgumentParser(prog="localcloud.server")
    parser.add_argument("--name", required=True)
    settings = settings_module.load(parser.parse_args().name)
    if settings is None:
        print("Failed to start the server: its settings are missing; start it with `localcloud up`.", file=sys.stderr)
        return 1
    try:
        asyncio.run(run(settings))
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
