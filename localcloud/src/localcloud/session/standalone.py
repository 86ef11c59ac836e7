# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Session Manager without a cloud: API, gateway and one agent as local processes, for tests of clients.

`python -m localcloud.session.standalone --port 0` prints one JSON line when it is ready and ends on SIGTERM or when its standard
input is closed (with --until-eof). Commands run as the user who started it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .answers import ApiError, HttpAnswer, failure, result
from .api import SessionApi
from .faults import Faults
from .gateway import Gateway
from .http import App, Request, Response, Server

INSTANCE_ID = "i-0123456789abcdef0"
_REGION = "ap-northeast-2"
_START_SECONDS = 20.0
_AGENT = Path(__file__).resolve().parents[3] / "images" / "instance" / "agent" / "main.py"


class Standalone:
    """The API of a world with a few managed instances."""

    def __init__(self, instances: int) -> None:
        self.gateway = Gateway(lambda instance_id, action, request: None)
        self.api = SessionApi(self.gateway, region=_REGION)
        self.server = Server(App(self._answer, lambda request: Response(404)))
        self.ready = asyncio.Event()
        connected = set()

        def on_agent_connected(instance_id: str) -> None:
            connected.add(instance_id)
            if len(connected) == instances:
                self.ready.set()

        self.gateway.on_agent_connected = on_agent_connected

    async def _answer(self, request: Request) -> Response:
        if request.path.startswith("/_localcloud/ssm/"):
            status, body = self.api.admin(request.method, request.path.removeprefix("/_localcloud/ssm/"), request.body)
            return _response(result(body, status=status))
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            await self.api.inject(operation)
            body = json.loads(request.body or b"{}")
            if operation == "DescribeInstanceInformation":
                return _response(result({"InstanceInformationList": self._instances()}))
            if operation not in self.api.operations:
                raise ApiError("UnknownOperationException", f"{operation} is not served here")
            return _response(result(self.api.operations[operation](body, "standalone")))
        except ApiError as error:
            return _response(failure(error, operation))

    def _instances(self) -> list[dict[str, Any]]:
        return [
            {
                "InstanceId": agent.instance_id,
                "PingStatus": "Online" if agent.socket is not None else "ConnectionLost",
                "LastPingDateTime": agent.last_ping.timestamp(),
                "AgentVersion": agent.info.get("AgentVersion", ""),
                "PlatformType": "Linux",
                "ResourceType": "EC2Instance",
            }
            for agent in self.gateway.agents.values()
        ]


def _response(answer: HttpAnswer) -> Response:
    status, headers, body = answer
    return Response(status, body, headers)


def instance_ids(number: int) -> list[str]:
    """The ids of the standalone service's instances, always the same ones."""
    return [INSTANCE_ID, *(f"i-{1 + index:017x}" for index in range(1, number))]


def start_agent(
    url: str, directory: str, *, instances: Sequence[str] = (INSTANCE_ID,), working_directory: str = "/usr/bin", log: Any = None
) -> subprocess.Popen[bytes]:
    """The agents of `instances`, all in one process of this machine, running commands as this user."""
    files = []
    for instance_id in instances:
        files.append(Path(directory) / f"{instance_id}.json")
        settings = {
            "instance_id": instance_id,
            "region": _REGION,
            "ssmmessages_url": url,
            "imds": "",
            "run_as_user": False,
            "working_directory": working_directory,
        }
        files[-1].write_text(json.dumps(settings), encoding="utf-8")
    environment = {"AWS_ACCESS_KEY_ID": "standalone", "AWS_SECRET_ACCESS_KEY": "standalone"} | os.environ
    words = [sys.executable, str(_AGENT), "--config", *map(str, files)]
    return subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stderr=log)


async def run(options: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ids = instance_ids(options.instances)
    world = Standalone(len(ids))
    world.api.set_faults(Faults.from_json(json.loads(options.faults)))
    await world.gateway.start("127.0.0.1", 0)
    await world.server.start("127.0.0.1", options.port)
    with tempfile.TemporaryDirectory(prefix="localcloud-standalone-") as directory:
        agent = start_agent(f"http://127.0.0.1:{world.gateway.port}", directory, instances=ids)
        try:
            try:
                await asyncio.wait_for(world.ready.wait(), _START_SECONDS)
            except TimeoutError:
                print("localcloud: the agent did not connect to the gateway in time; its log is above", file=sys.stderr)
                return 1
            facts = {
                "endpoint_url": f"http://127.0.0.1:{world.server.port}",
                "admin_url": f"http://127.0.0.1:{world.server.port}/_localcloud/ssm",
                "api_port": world.server.port,
                "ssmmessages_port": world.gateway.port,
                "instance_id": INSTANCE_ID,
                "instance_ids": ids,
                "region": _REGION,
                "agent_pid": agent.pid,
            }
            print(json.dumps(facts), flush=True)
            if options.until_eof:
                asyncio.get_running_loop().run_in_executor(None, lambda: (sys.stdin.read(), loop.call_soon_threadsafe(stop.set)))
            await stop.wait()
        finally:
            await world.gateway.stop()
            await world.server.stop()
            agent.terminate()
            agent.wait()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="A Session Manager without a cloud.")
    parser.add_argument("--port", type=int, default=0, help="port of the API on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--instances", type=int, default=1, help="how many managed instances there are")
    parser.add_argument("--faults", default="{}", help="faults to begin with, as JSON")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input is closed")
    options = parser.parse_args()
    try:
        Faults.from_json(json.loads(options.faults))
    except (ValueError, TypeError) as error:
        print(f"localcloud: --faults: {error}", file=sys.stderr)
        return 2
    return asyncio.run(run(options))


if __name__ == "__main__":
    sys.exit(main())
