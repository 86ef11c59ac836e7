# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers and volumes of PostgreSQL servers, and what is asked of the servers in them; blocking, and decides nothing.

A server's data is in a volume of its own, which outlives its container as a DB instance's storage outlives its host.
"""

from __future__ import annotations

import contextlib
import io
import logging
import pathlib
import tarfile
import threading
import typing as t

import docker.errors
from docker.types import EndpointConfig

from .. import images
from ..cloud import LABEL
from ..dataplane.containers import SERVING_SHARES
from . import rds_config as config
from . import rds_talk
from .rds_plan import Seen
from .rds_state import Instance, Server
from .rds_talk import Talk, TalkError
from .stores import Condition

if t.TYPE_CHECKING:
    import docker

    from ..cloud import Cloud

SERVER_LABEL = f"{LABEL}.database"
STOP_SECONDS = 10
OWNER = 70
"""User and group of the server in its container."""

_log = logging.getLogger("localcloud.rds")

Files = dict[str, str | bytes]


class CopyError(OSError):
    """A copy of a server's data could not be made; the message has the reason."""


class Servers:
    """The data plane of one cloud's RDS; safe for threads, but for two that ask the same server."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._talks: dict[str, Talk] = {}
        self._lock = threading.Lock()
        self._few = threading.Semaphore(2)  # Docker Engine 20.10 can deadlock when many containers come and go at once

    # -- containers

    def create(self, server: Server, files: Files, data: pathlib.Path | None = None) -> None:
        """Make the server's container and start it; `data` is a copy of another server's data to begin an empty volume with."""
        self.forget(server)
        with self._few:
            api = self._cloud.docker.api
            with contextlib.suppress(docker.errors.NotFound):
                api.remove_container(self._name(server), force=True)
            api.create_volume(self._name(server), labels={**self._cloud.labels, SERVER_LABEL: server.id})
            interface = server.interface
            endpoint = EndpointConfig(api._version, ipv4_address=interface.private_ip)
            container = api.create_container(
                images.ensure(self._cloud.docker, "database", _log.info),
                name=self._name(server),
                hostname=server.id,
                labels={**self._cloud.labels, SERVER_LABEL: server.id},
                volumes=["/data"],
                host_config=api.create_host_config(
                    network_mode=interface.network_name,
                    dns=[self._cloud.dns_server(interface.network_name)],
                    binds=[f"{self._name(server)}:/data"],
                    shm_size="256m",
                    cpu_shares=SERVING_SHARES,
                ),
                networking_config=api.create_networking_config({interface.network_name: endpoint}),
                mac_address=interface.mac_address,
                stop_signal="SIGINT",
            )
            api.put_archive(container["Id"], config.DIRECTORY, _archive(files))
            if data is not None:
                with data.open("rb") as stream:
                    api.put_archive(container["Id"], config.DATA, stream)
                api.put_archive(container["Id"], "/data", _archive({"complete": ""}))
            api.start(container["Id"])

    def remove(self, server: Server, *, with_data: bool = True) -> None:
        """End the server at once; its data goes too unless it is to be kept. Nothing happens when there is none."""
        self.forget(server)
        with self._few:
            with contextlib.suppress(docker.errors.NotFound):
                self._cloud.docker.api.remove_container(self._name(server), v=True, force=True)
            if with_data:
                with contextlib.suppress(docker.errors.NotFound):
                    self._cloud.docker.api.remove_volume(self._name(server), force=True)

    def write(self, server: Server, files: Files) -> None:
        """Replace files of its configuration; the server reads them when it is told to, or starts."""
        self._cloud.docker.api.put_archive(self._name(server), config.DIRECTORY, _archive(files))

    def start(self, server: Server) -> None:
        """Start it again with its data."""
        self.forget(server)
        self._cloud.docker.api.start(self._name(server))

    def stop(self, server: Server) -> None:
        """Shut it down in order."""
        self.forget(server)
        self._cloud.docker.api.stop(self._name(server), timeout=STOP_SECONDS)

    def restart(self, server: Server) -> None:
        """Shut it down in order and start it again."""
        self.forget(server)
        self._cloud.docker.api.restart(self._name(server), timeout=STOP_SECONDS)

    def kill(self, server: Server) -> None:
        """End it as a failure of its host would."""
        with contextlib.suppress(docker.errors.NotFound, docker.errors.APIError):  # gone, or ended already
            self._cloud.docker.api.kill(self._name(server))

    def containers(self) -> dict[str, str]:
        """Server id → Docker's word for its container's state."""
        listed = self._cloud.docker.api.containers(all=True, filters={"label": [f"{LABEL}={self._cloud.name}", SERVER_LABEL]})
        return {item["Labels"][SERVER_LABEL]: item["State"] for item in listed}

    def copy_data(self, instance: Instance, server: Server, target: pathlib.Path) -> int:
        """Copy its data, as it is when the copy ends, into a tar archive; the bytes that it has. Raises CopyError."""
        api = self._cloud.docker.api
        command = [
            "/usr/lib/postgresql/17/bin/pg_basebackup", "--host", "/tmp", "--port", str(instance.port), "--username", config.MANAGER,  # noqa: S108
            "--pgdata", "-", "--format", "tar", "--wal-method", "fetch", "--checkpoint", "fast",
        ]  # fmt: skip
        asked = api.exec_create(self._name(server), command)
        said = b""
        part = target.with_suffix(".part")
        with part.open("wb") as file:
            for out, err in api.exec_start(asked["Id"], stream=True, demux=True):
                file.write(out or b"")
                said = (said + (err or b""))[-500:]
        code = api.exec_inspect(asked["Id"])["ExitCode"]
        if code:
            part.unlink()
            raise CopyError(f"pg_basebackup ended with code {code}: {said.decode(errors='replace').strip()}")
        part.rename(target)
        return target.stat().st_size

    # -- servers

    def look(self, instance: Instance, server: Server) -> Seen | None:
        """How it is, as it says itself; None when it does not answer in time. One that refuses connections is starting or recovering."""
        try:
            is_standby, waits, copies, confirmed = self._talk(instance, server).look()
        except TimeoutError:
            self.forget(server)
            return None
        except TalkError:
            self.forget(server)
            return Seen(Condition.STARTING)
        return Seen(Condition.UP, is_standby=is_standby, waits=waits, copies=copies, confirmed=confirmed)

    def ask(self, instance: Instance, server: Server, what: t.Callable[[Talk], None]) -> None:
        """Do something over the connection to a server. Raises TalkError."""
        try:
            what(self._talk(instance, server))
        except TalkError:
            self.forget(server)
            raise

    def prepare(self, instance: Instance, server: Server, password: str) -> None:
        """Give a new server its roles, master user and database."""
        self.ask(
            instance,
            server,
            lambda talk: rds_talk.prepare(talk, master=instance.master_username, password=password, database=instance.db_name),
        )

    def set_password(self, instance: Instance, server: Server, password: str) -> None:
        """Change the master user's password."""
        self.ask(instance, server, lambda talk: rds_talk.set_password(talk, instance.master_username, password))

    def promote(self, instance: Instance, server: Server) -> None:
        """Let a standby become a primary."""
        self.ask(instance, server, Talk.promote)

    def reload(self, instance: Instance, server: Server) -> None:
        """Let it read its configuration again."""
        self.ask(instance, server, Talk.reload)

    def forget(self, server: Server) -> None:
        """Close the connection to a server."""
        with self._lock:
            talk = self._talks.pop(server.id, None)
        if talk is not None:
            talk.close()

    def _talk(self, instance: Instance, server: Server) -> Talk:
        with self._lock:
            known = self._talks.get(server.id)
        if known is None:
            known = Talk(server.address, instance.port, instance.secret)
            with self._lock:
                self._talks[server.id] = known
        return known

    def _name(self, server: Server) -> str:
        return f"localcloud-{self._cloud.name}-rds-{server.id}"


def _archive(files: Files) -> bytes:
    """A tar archive of files that only their owner, the server's user, may read."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, given in files.items():
            content = given.encode() if isinstance(given, str) else given
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), 0o600
            info.uid = info.gid = OWNER
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
