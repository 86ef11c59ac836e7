# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of cache nodes and the talk with the servers in them; blocking, and decides nothing."""

from __future__ import annotations

import contextlib
import io
import logging
import ssl
import tarfile
import threading
import time
import typing as t

import docker.errors
import redis
import redis.exceptions
from docker.types import EndpointConfig
from redis.backoff import NoBackoff
from redis.retry import Retry

from .. import images
from ..cloud import LABEL
from ..dataplane.containers import SERVING_SHARES
from . import elasticache_config as config
from .elasticache_plan import Seen
from .elasticache_state import Group, Node
from .stores import Condition

if t.TYPE_CHECKING:
    import docker

    from ..cloud import Cloud

NODE_LABEL = f"{LABEL}.cache"
ANSWER_SECONDS = 1.0
HAND_OVER_MILLISECONDS = 5000
COPY_SECONDS = 60.0

_log = logging.getLogger("localcloud.elasticache")

NodeError = (redis.exceptions.RedisError, OSError)
"""What talking to a server raises."""


class Nodes:
    """The data plane of one cloud's ElastiCache; safe for threads."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._clients: dict[str, redis.Redis] = {}
        self._lock = threading.Lock()
        self._few = threading.Semaphore(2)  # Docker Engine 20.10 can deadlock when many containers come and go at once

    # -- containers

    def create(self, group: Group, node: Node, text: str, tls: dict[str, bytes], data: bytes | None) -> None:
        """Make the node's container anew and start it with this configuration, and with this data when there is any."""
        self.remove(node)
        with self._few:
            api = self._cloud.docker.api
            interface = node.interface
            endpoint = EndpointConfig(api._version, ipv4_address=interface.private_ip)
            container = api.create_container(
                images.ensure(self._cloud.docker, "cache", _log.info),
                command=[f"/usr/bin/{group.engine}-server", f"{config.DIRECTORY}/node.conf"],
                name=self._name(node),
                hostname=node.id,
                labels={**self._cloud.labels, NODE_LABEL: node.id},
                host_config=api.create_host_config(
                    network_mode=interface.network_name,
                    dns=[self._cloud.dns_server(interface.network_name)],
                    cpu_shares=SERVING_SHARES,
                ),
                networking_config=api.create_networking_config({interface.network_name: endpoint}),
                mac_address=interface.mac_address,
            )
            files = {f"{config.DIRECTORY}/node.conf": text.encode()}
            files |= {f"{config.DIRECTORY}/{name}": content for name, content in tls.items()}
            if data is not None:
                files[config.DATA] = data
            api.put_archive(container["Id"], "/", _archive(files))
            api.start(container["Id"])

    def remove(self, node: Node) -> None:
        """End the node at once and remove its data; nothing happens when there is no container."""
        self.forget(node)
        with self._few, contextlib.suppress(docker.errors.NotFound):
            self._cloud.docker.api.remove_container(self._name(node), v=True, force=True)

    def kill(self, node: Node) -> None:
        """End the server as a failure would."""
        with contextlib.suppress(docker.errors.NotFound, docker.errors.APIError):  # gone, or ended already
            self._cloud.docker.api.kill(self._name(node))

    def restart(self, node: Node) -> None:
        """Restart the server; what it holds is lost, as on AWS, unless a primary sends it again."""
        self.forget(node)
        self._cloud.docker.api.restart(self._name(node), timeout=5)

    def containers(self) -> dict[str, str]:
        """Node id → Docker's word for its container's state."""
        listed = self._cloud.docker.api.containers(all=True, filters={"label": [f"{LABEL}={self._cloud.name}", NODE_LABEL]})
        return {item["Labels"][NODE_LABEL]: item["State"] for item in listed}

    # -- servers

    def look(self, group: Group, node: Node) -> Seen | None:
        """How the node is, as its server says; None when it does not answer."""
        try:
            info: dict[str, t.Any] = self._client(group, node).info("replication")  # type: ignore[assignment]
        except NodeError:
            self.forget(node)
            return None
        if info["role"] == "master":
            return Seen(Condition.UP, offset=int(info["master_repl_offset"]))
        return Seen(
            Condition.UP,
            follows=str(info["master_host"]),
            in_step=info["master_link_status"] == "up",
            offset=int(info.get("slave_repl_offset", 0)),
        )

    def promote(self, group: Group, node: Node) -> None:
        """Let a replica take writes, whatever has become of its primary."""
        self._client(group, node).execute_command("REPLICAOF", "NO", "ONE")

    def hand_over(self, group: Group, node: Node) -> None:
        """Let a replica take over from its living primary, which stops writes until the replica has them all; else just promote it."""
        follows = (self.look(group, node) or Seen(Condition.UP)).follows
        old = next((other for other in group.nodes if other.address == follows), None)
        if old is not None:
            with contextlib.suppress(*NodeError):
                command = ["FAILOVER", "TO", node.address, str(group.port), "TIMEOUT", str(HAND_OVER_MILLISECONDS)]
                self._client(group, old).execute_command(*command)
                deadline = time.monotonic() + 2 * HAND_OVER_MILLISECONDS / 1000
                while time.monotonic() < deadline:
                    seen = self.look(group, node)
                    if seen is not None and seen.follows is None:
                        return
                    time.sleep(0.05)  # the interval of a poll
        self.promote(group, node)

    def follow(self, group: Group, node: Node, primary: Node) -> None:
        """Make a node a replica of this primary."""
        self._client(group, node).execute_command("REPLICAOF", primary.address, str(group.port))

    def configure(self, group: Group, node: Node, settings: dict[str, str]) -> None:
        """Change settings of a running server; those that only count from a start are left to the next one."""
        client = self._client(group, node)
        for name, value in settings.items():
            try:
                client.config_set(name, value)
            except redis.exceptions.ResponseError as error:
                _log.info("%s: %s is not changed while it runs: %s", node.id, name, error)

    def authorise(self, group: Group, node: Node) -> None:
        """Let the group's present tokens in, and no others."""
        self._client(group, node).execute_command("ACL", "SETUSER", "default", *config.client_rules(group.auth_tokens))

    def copy_data(self, group: Group, node: Node) -> bytes:
        """The node's data as an RDB file, saved now."""
        client = self._client(group, node)
        client.bgsave()
        deadline = time.monotonic() + COPY_SECONDS
        while True:
            info: dict[str, t.Any] = client.info("persistence")  # type: ignore[assignment]
            if not info["rdb_bgsave_in_progress"]:
                break
            if time.monotonic() > deadline:
                raise redis.exceptions.TimeoutError(f"{node.id} has not saved its data within {COPY_SECONDS:.0f} s")
            time.sleep(0.05)  # the interval of a poll
        chunks, _ = self._cloud.docker.api.get_archive(self._name(node), config.DATA)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            member = archive.extractfile(archive.getmembers()[0])
            return member.read() if member else b""

    def forget(self, node: Node) -> None:
        """Close the connection to a node's server."""
        with self._lock:
            client = self._clients.pop(node.id, None)
        if client is not None:
            client.close()

    def _client(self, group: Group, node: Node) -> redis.Redis:
        with self._lock:
            if node.id not in self._clients:
                secure: dict[str, t.Any] = {}
                if group.transit:
                    # to its own container at its own address: nothing that a certificate could add
                    secure = {"ssl": True, "ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False}
                self._clients[node.id] = redis.Redis(
                    host=node.address, port=group.port, username=config.MANAGER, password=group.secret, protocol=2,
                    socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0),
                    decode_responses=True, **secure,
                )  # fmt: skip
            return self._clients[node.id]

    def _name(self, node: Node) -> str:
        return f"localcloud-{self._cloud.name}-cache-{node.id}"


def _archive(files: dict[str, bytes]) -> bytes:
    """A tar archive of files that only their owner, the server's user, may read."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size, info.mode = len(content), 0o600
            info.uid = info.gid = 65534
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
