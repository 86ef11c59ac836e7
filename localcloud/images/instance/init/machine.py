# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a container into a machine at each boot: packet rules, control groups, files of the operating system; starts nothing."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import uuid

IMDS = "169.254.169.254"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def prepare(settings: dict) -> dict[str, str]:
    """Write everything that depends on the instance; return the environment for all its processes."""
    environment = {
        "AWS_ENDPOINT_URL": settings["api_url"],
        "AWS_REGION": settings["region"],
        "AWS_DEFAULT_REGION": settings["region"],
    }
    _mounts()
    _boot_id()
    _forward(settings)
    _control_groups()
    _files(settings, environment)
    return environment


def forget() -> None:
    """Leave behind what a machine forgets when it is switched off: memory's files and packet rules."""
    for table in ("nat", "filter"):
        for verb in ("-F", "-X"):
            subprocess.run(["iptables", "-t", table, verb], check=False)
    subprocess.run(["umount", BOOT_ID], check=False, stderr=subprocess.DEVNULL)
    subprocess.run("rm -rf /run/* /tmp/.[!.]*", shell=True, check=False)  # noqa: S602 - constant, and the shell's pattern


def _mounts() -> None:
    """Share the root's mounts, as systemd does: what is mounted later is then seen by containers that ask for it (rslave)."""
    subprocess.run(["mount", "--make-rshared", "/"], check=False)


def _boot_id() -> None:
    """A container sees its host's boot id, which does not change when the instance boots; cover it with one that does."""
    own = pathlib.Path("/run/boot_id")
    own.write_text(f"{uuid.uuid4()}\n")
    subprocess.run(["mount", "--bind", str(own), BOOT_ID], check=False, stderr=subprocess.DEVNULL)  # refused without --privileged


def _forward(settings: dict) -> None:
    """Send the metadata address and the registry's port of this machine to the gateway of the VPC's network."""
    gateway = settings["gateway"]
    registry = settings["registry_port"]
    pathlib.Path("/proc/sys/net/ipv4/conf/all/route_localnet").write_text("1")
    rules = [
        f"-A {chain} -d {IMDS}/32 -p tcp --dport 80 -j DNAT --to-destination {gateway}:{settings['imds_port']}"
        for chain in ("PREROUTING", "OUTPUT")
    ]
    rules.append(f"-A OUTPUT -d 127.0.0.1/32 -p tcp --dport {registry} -j DNAT --to-destination {gateway}:{registry}")
    rules.append(f"-A POSTROUTING -s 127.0.0.0/8 -d {gateway}/32 -j MASQUERADE")
    text = "\n".join(["*nat", *rules, "COMMIT", ""])
    subprocess.run(["iptables-restore", "--noflush"], input=text.encode(), check=True)


def _control_groups() -> None:
    """With version 2, leave the root group so that it may have children with controllers; version 1 needs nothing."""
    controllers = CGROUPS / "cgroup.controllers"
    if not controllers.exists():
        return
    if not os.access(CGROUPS, os.W_OK):  # without --privileged it is mounted read-only
        subprocess.run(["mount", "-o", "remount,rw", str(CGROUPS)], check=True)
    init = CGROUPS / "init"
    init.mkdir(exist_ok=True)
    for pid in (CGROUPS / "cgroup.procs").read_text().split():
        try:
            (init / "cgroup.procs").write_text(pid)
        except OSError:  # ended meanwhile
            continue
    wanted = " ".join(f"+{name}" for name in controllers.read_text().split())
    (CGROUPS / "cgroup.subtree_control").write_text(wanted)


def _files(settings: dict, environment: dict[str, str]) -> None:
    pathlib.Path("/run/lock").mkdir(exist_ok=True)
    options = [
        "--mtu 1400",
        "--default-network-opt bridge=com.docker.network.driver.mtu=1400",
        "--shutdown-timeout 3",
    ]
    if settings["cgroup_parent"]:
        options.append(f"--cgroup-parent {settings['cgroup_parent']}")
    # not in daemon.json: that file belongs to whoever configures the machine
    pathlib.Path("/etc/default/docker").write_text(f'DOCKER_OPTS="{" ".join(options)}"\n')
    pathlib.Path("/etc/environment").write_text("".join(f"{key}={value}\n" for key, value in environment.items()))
    agent = {
        "instance_id": settings["instance_id"],
        "region": settings["region"],
        "ssmmessages_url": settings["ssmmessages_url"],
        "imds": f"http://{IMDS}",
    }
    path = pathlib.Path("/etc/localcloud/agent.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(agent) + "\n")
    os.chmod(path, 0o644)
