# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one cloud is called and which ports and addresses are its own, kept in its state directory; starts nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import socket

from .certificates import authority_file, trusted_file
from .cloud import Ports
from .errors import LocalCloudError

ACCOUNT_ID = "123456789012"
REGION = "ap-northeast-2"
DEFAULT_NAME = "demo"
API_PORT = 4566
PREFIXES = range(77, 127)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of one cloud. `public_prefix` is the first three octets of its public addresses, for example `127.77.0`."""

    name: str
    account_id: str
    region: str
    state_dir: pathlib.Path
    ports: Ports
    imds_port: int
    dns_port: int
    public_prefix: str

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def pid_file(self) -> pathlib.Path:
        return self.state_dir / "server.pid"

    @property
    def log_file(self) -> pathlib.Path:
        return self.state_dir / "server.log"

    @property
    def short(self) -> str:
        """For names of limited length: packet chains and bridges."""
        return short_of(self.name)

    def environment(self) -> dict[str, str]:
        """Variables for a client on this machine."""
        return {
            "AWS_ENDPOINT_URL": self.api_url,
            "AWS_ACCESS_KEY_ID": "localcloud",
            # Ansible masks every text that contains the secret key, so it must be part of no name.
            "AWS_SECRET_ACCESS_KEY": hashlib.sha256(f"secret access key of {self.name}".encode()).hexdigest()[:40],
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "LOCALCLOUD_CA_BUNDLE": str(authority_file(self.state_dir)),
            # Where OpenSSL looks for authorities, so that clients trust the cloud's HTTPS without knowing of it.
            "SSL_CERT_FILE": str(trusted_file(self.state_dir)),
        }


def short_of(name: str) -> str:
    """Eight hexadecimal digits that stand for a cloud's name."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def state_root() -> pathlib.Path:
    """The directory of all clouds' states."""
    configured = os.environ.get("LOCALCLOUD_STATE")
    return pathlib.Path(configured) if configured else pathlib.Path.home() / ".local" / "state" / "localcloud"


def check_name(name: str) -> str:
    """`name` when it may name a cloud; else LocalCloudError."""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?", name):
        raise LocalCloudError(f"Failed to use '{name}' as a cloud's name: use 1 to 24 lower-case letters, digits and inner hyphens.")
    return name


def load(name: str) -> Settings | None:
    """The settings of a cloud that has been up, or None."""
    path = state_root() / check_name(name) / "settings.json"
    try:
        stored = json.loads(path.read_text())
        return Settings(
            name=name,
            account_id=stored["account_id"],
            region=stored["region"],
            state_dir=path.parent,
            ports=Ports(**stored["ports"]),
            imds_port=stored["imds_port"],
            dns_port=stored["dns_port"],
            public_prefix=stored["public_prefix"],
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None  # written by another version; `up` makes new ones


def load_or_create(name: str) -> Settings:
    """The settings of a cloud; new ones take ports and addresses that no other cloud has."""
    existing = load(name)
    if existing is not None:
        return existing
    taken_ports, taken_prefixes = _taken()
    wanted = [API_PORT, API_PORT + 1, API_PORT + 2, API_PORT + 3, API_PORT + 4] if name == DEFAULT_NAME else [0] * 5
    ports = _free_ports(wanted, taken_ports)
    settings = Settings(
        name=name,
        account_id=ACCOUNT_ID,
        region=REGION,
        state_dir=state_root() / name,
        ports=Ports(api=ports[0], registry=ports[1], ssmmessages=ports[2]),
        imds_port=ports[3],
        dns_port=ports[4],
        public_prefix=_free_prefix(name, taken_prefixes),
    )
    save(settings)
    return settings


def save(settings: Settings) -> None:
    """Write the settings, readable by their owner."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    stored = dataclasses.asdict(settings)
    del stored["state_dir"], stored["name"]
    path = settings.state_dir / "settings.json"
    path.with_suffix(".new").write_text(json.dumps(stored, indent=2) + "\n")
    path.with_suffix(".new").replace(path)


def _taken() -> tuple[set[int], set[str]]:
    ports: set[int] = set()
    prefixes: set[str] = set()
    for path in state_root().glob("*/settings.json"):
        other = load(path.parent.name)
        if other is not None:
            ports |= {other.ports.api, other.ports.registry, other.ports.ssmmessages, other.imds_port, other.dns_port}
            prefixes.add(other.public_prefix)
    return ports, prefixes


def _free_prefix(name: str, taken: set[str]) -> str:
    if name == DEFAULT_NAME and "127.77.0" not in taken:
        return "127.77.0"
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    for step in range(len(PREFIXES) * 256):
        number = (start + step) % (len(PREFIXES) * 256)
        prefix = f"127.{PREFIXES[number // 256]}.{number % 256}"
        if prefix not in taken:
            return prefix
    raise LocalCloudError(f"Failed to find public addresses for the cloud {name}: too many clouds have state in {state_root()}.")


def _free_ports(wanted: list[int], taken: set[int]) -> list[int]:
    """Ports that nothing listens on, at any address of this machine; the wanted ones where they are free."""
    with_sockets: list[socket.socket] = []
    try:
        found = []
        for port in wanted:
            candidate = 0 if port in taken else port
            while True:
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with_sockets.append(listener)
                try:
                    listener.bind(("0.0.0.0", candidate))  # noqa: S104 - only to learn that it is free
                except OSError:
                    candidate = 0
                    continue
                number = listener.getsockname()[1]
                if number not in taken:
                    found.append(number)
                    break
        return found
    finally:
        for listener in with_sockets:
            listener.close()
