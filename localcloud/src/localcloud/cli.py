# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `localcloud [--name NAME] up|down|status|env|logs|build`; does nothing itself."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shlex
import sys
import typing as t

from . import control, images
from . import settings as settings_module
from .cloud import LABEL
from .dataplane.containers import INSTANCE_LABEL
from .errors import LocalCloudError
from .settings import Settings


def _known(name: str) -> Settings:
    settings = settings_module.load(name)
    if settings is None:
        raise LocalCloudError(f"Failed to find the cloud {name}: it is not up. Start it with `localcloud --name {name} up`.")
    return settings


def _up(arguments: argparse.Namespace) -> int:
    control.up(arguments.name, images.say_on_stdout)
    return 0


def _down(arguments: argparse.Namespace) -> int:
    control.down(settings_module.check_name(arguments.name), images.say_on_stdout)
    return 0


def _build(arguments: argparse.Namespace) -> int:
    client = control.connect()
    print(images.ensure_instance(client, images.say_on_stdout))
    return 0


def _env(arguments: argparse.Namespace) -> int:
    for key, value in _known(arguments.name).environment().items():
        print(f"export {key}={shlex.quote(value)}")
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    settings = _known(arguments.name)
    if arguments.instance is None:
        sys.stdout.write(settings.log_file.read_text(errors="replace"))
        return 0
    label = [f"{LABEL}={settings.name}", f"{INSTANCE_LABEL}={arguments.instance}"]
    client = control.connect()
    found = client.containers.list(all=True, filters={"label": label})
    if not found:
        raise LocalCloudError(f"Failed to find a container of {arguments.instance} in cloud {settings.name}: see `localcloud status`.")
    sys.stdout.buffer.write(found[0].logs())
    return 0


def _status(arguments: argparse.Namespace) -> int:
    settings = _known(arguments.name)
    status = control.ask(settings, "status")
    if status is None:
        raise LocalCloudError(
            f"Failed to reach cloud {settings.name} at {settings.api_url}: its server does not answer. "
            f"Run `localcloud --name {settings.name} up`."
        )
    ports = {**vars(settings.ports), "imds": settings.imds_port, "dns": settings.dns_port}
    status |= {"ports": ports, "versions": {name: importlib.metadata.version(name) for name in ("localcloud", "ministack", "moto")}}
    if arguments.json:
        print(json.dumps(status, indent=2))
        return 0
    print(f"cloud {status['name']}  {settings.api_url}  pid {status['pid']}")
    print("ports     " + "  ".join(f"{name} {port}" for name, port in ports.items()))
    print("versions  " + "  ".join(f"{name} {version}" for name, version in status["versions"].items()))
    _table("networks", status["networks"], ["vpc_id", "vpc_cidr", "cidr", "name"])
    _table("instances", status["instances"], ["id", "name", "state", "private_ip", "public_ip", "availability_zone"])
    return 0


def _table(title: str, rows: list[dict[str, t.Any]], columns: list[str]) -> None:
    print(f"{title}: {len(rows) or 'none'}")
    cells = [[str(row[column] or "-") for column in columns] for row in rows]
    widths = [max((len(row[index]) for row in cells), default=0) for index in range(len(columns))]
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="localcloud", description="AWS on one machine.")
    parser.add_argument("--name", default=settings_module.DEFAULT_NAME, help="which cloud (default: %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start the cloud, or use the running one").set_defaults(run=_up)
    commands.add_parser("down", help="remove the cloud and everything in it").set_defaults(run=_down)
    status = commands.add_parser("status", help="show instances, networks, ports and versions")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)
    commands.add_parser("env", help="print export lines for a shell").set_defaults(run=_env)
    logs = commands.add_parser("logs", help="print the log of the server, or the console of an instance")
    logs.add_argument("instance", nargs="?")
    logs.set_defaults(run=_logs)
    commands.add_parser("build", help="build the image of instances").set_defaults(run=_build)
    arguments = parser.parse_args()
    try:
        settings_module.check_name(arguments.name)
        return int(arguments.run(arguments))
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
