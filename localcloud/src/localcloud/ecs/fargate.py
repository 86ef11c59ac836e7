# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Fargate accepts: sizes, network mode, members of container definitions; pure. After "Fargate task definition parameters"."""

from __future__ import annotations

import re

from .errors import client, invalid
from .state import Members

_GB = 1024
SIZES: dict[int, list[int]] = {
    256: [512, 1 * _GB, 2 * _GB],
    512: [size * _GB for size in range(1, 5)],
    1024: [size * _GB for size in range(2, 9)],
    2048: [size * _GB for size in range(4, 17)],
    4096: [size * _GB for size in range(8, 31)],
    8192: [size * _GB for size in range(16, 61, 4)],
    16384: [size * _GB for size in range(32, 121, 8)],
}
"""CPU units → the amounts of memory (MiB) that go with them."""

PROVIDERS = ("FARGATE", "FARGATE_SPOT")
PLATFORM = "1.4.0"
_FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")
_REGISTRY = re.compile(r"127\.0\.0\.1:\d+/|\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")
LONGEST_STOP = 120


def units(text: str | None, per_unit: int, words: str) -> int | None:
    """CPU or memory of a task as a number: `256` and `.25 vCPU`, `512` and `0.5 GB`; None when it is no such text."""
    if text is None:
        return None
    found = re.fullmatch(rf"\s*(\d+(?:\.\d+)?|\.\d+)\s*({words})?\s*", str(text), re.IGNORECASE)
    if not found:
        return None
    number = float(found[1]) * (per_unit if found[2] else 1)
    return int(number) if number == int(number) else None


def is_registry_image(image: str) -> bool:
    """Whether an image comes from ECR."""
    return _REGISTRY.match(image) is not None


def definition_of(members: Members) -> Members:
    """The members of a task definition with ECS's defaults. Raises ApiError for what ECS refuses."""
    if not _FAMILY.fullmatch(members["family"]):
        raise client("Family contains invalid characters.")
    containers = [_container(given) for given in members["containerDefinitions"]]
    if not containers:
        raise client("Container list cannot be empty.")
    names = [given["name"] for given in containers]
    for name in names:
        if names.count(name) > 1:
            raise client(f"Container name '{name}' is used more than once.")
    if not any(given["essential"] for given in containers):
        raise client("At least one essential container must be specified in a task definition.")
    _check_dependencies(containers)
    compatible = members.get("requiresCompatibilities") or []
    shown = {name: value for name, value in members.items() if name != "tags" and value not in (None, "")}
    shown["containerDefinitions"] = containers
    shown["volumes"] = members.get("volumes") or []
    shown["placementConstraints"] = members.get("placementConstraints") or []
    shown["requiresAttributes"] = []
    if "FARGATE" in compatible:
        _check_fargate(members, containers)
    for name, per_unit, words in (("cpu", 1024, "vcpu"), ("memory", _GB, "gb")):
        number = units(members.get(name), per_unit, words)
        if number is not None:
            shown[name] = str(number)
    shown["networkMode"] = members.get("networkMode") or "bridge"
    shown["compatibilities"] = ["EC2", "FARGATE"] if "FARGATE" in compatible or _is_awsvpc(members) else ["EC2"]
    if not compatible:
        shown.pop("requiresCompatibilities", None)
    return shown


def _is_awsvpc(members: Members) -> bool:
    return members.get("networkMode") == "awsvpc" and bool(members.get("cpu")) and bool(members.get("memory"))


def _container(given: Members) -> Members:
    if not given.get("name"):
        raise client("Container.name should not be null or empty.")
    if not given.get("image"):
        raise client("Container.image should not be null or empty.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", given["name"]):
        raise client(f"Invalid container name '{given['name']}'.")
    shown = dict(given)
    shown.setdefault("cpu", 0)
    shown["portMappings"] = [_port(port, given) for port in given.get("portMappings") or []]
    shown["essential"] = True if given.get("essential") is None else given["essential"]
    for name in ("environment", "mountPoints", "volumesFrom", "systemControls"):
        shown[name] = given.get(name) or []
    if check := given.get("healthCheck"):
        shown["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **check}
        _check_health(shown["healthCheck"])
    stop = given.get("stopTimeout")
    if stop is not None and not 0 <= stop <= LONGEST_STOP:
        raise client(f"Container {given['name']} has an invalid stopTimeout: it must be from 0 to {LONGEST_STOP} seconds.")
    return shown


def _port(port: Members, given: Members) -> Members:
    number = port.get("containerPort")
    if not isinstance(number, int) or not 1 <= number <= 65535:
        raise client(f"Invalid 'containerPort' setting for container '{given['name']}'.")
    return {**port, "hostPort": port.get("hostPort") or number, "protocol": port.get("protocol") or "tcp"}


def _check_health(check: Members) -> None:
    if not check["command"] or check["command"][0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise client("Container healthCheck command must begin with CMD, CMD-SHELL or NONE.")
    for name, least, most in (("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)):
        if name in check and not least <= check[name] <= most:
            raise client(f"Container healthCheck {name} must be from {least} to {most}.")


def _check_dependencies(containers: list[Members]) -> None:
    by_name = {given["name"]: given for given in containers}
    for given in containers:
        for dependency in given.get("dependsOn") or []:
            other = by_name.get(dependency["containerName"])
            if other is None:
                raise client(f"Container '{given['name']}' depends on '{dependency['containerName']}', which the task does not have.")
            if dependency["condition"] == "HEALTHY" and not other.get("healthCheck"):
                raise client(f"Container '{other['name']}' needs a health check for the dependency condition HEALTHY.")
            if dependency["condition"] in ("COMPLETE", "SUCCESS") and other["essential"]:
                raise client(f"Container '{other['name']}' is essential and cannot be waited for with {dependency['condition']}.")
    left = dict(by_name)
    while left:
        free = [name for name, given in left.items() if not any(item["containerName"] in left for item in given.get("dependsOn") or [])]
        if not free:
            raise client("Container dependencies contain a cycle.")
        for name in free:
            del left[name]


def _check_fargate(members: Members, containers: list[Members]) -> None:
    if members.get("networkMode") != "awsvpc":
        raise client("Fargate only supports network mode ‘awsvpc’.")
    cpu, memory = units(members.get("cpu"), 1024, "vcpu"), units(members.get("memory"), _GB, "gb")
    if not members.get("cpu") or not members.get("memory"):
        which = "memory" if members.get("cpu") else "cpu"
        raise client(f"Fargate requires that '{which}' be defined at the task level.")
    if cpu not in SIZES or memory not in SIZES[cpu]:
        raise client(
            "No Fargate configuration exists for given values: "
            f"{members['cpu']} CPU, {members['memory']} memory. See the Amazon ECS documentation for the valid values."
        )
    if sum(given.get("memory") or given.get("memoryReservation") or 0 for given in containers) > memory:
        raise client("The total memory of the containers exceeds the task's memory.")
    for given in containers:
        for name in ("links", "dockerSecurityOptions", "hostname", "extraHosts", "dnsServers", "dnsSearchDomains", "privileged"):
            if given.get(name):
                raise client(f"The {name} parameter is not supported for tasks with network mode awsvpc on Fargate.")
        for port in given["portMappings"]:
            if port["hostPort"] != port["containerPort"]:
                raise client("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
        driver = (given.get("logConfiguration") or {}).get("logDriver")
        if driver and driver != "awslogs":
            raise client(f"Log driver {driver} is not available here; use awslogs.")
        _check_execution_role(members, given, driver)


def _check_execution_role(members: Members, given: Members, driver: str | None) -> None:
    if members.get("executionRoleArn"):
        return
    needs = "log driver awslogs" if driver else "ECR images" if is_registry_image(given["image"]) else None
    if given.get("secrets"):
        needs = needs or "secrets"
    if needs:
        raise client(f"Fargate requires task definition to have execution role ARN to support {needs}.")


def network_of(members: Members) -> Members:
    """The awsvpcConfiguration of a service or task, defaults filled in. Raises ApiError."""
    network = (members.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if not network:
        raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not network["subnets"]:
        raise invalid("subnets can not be empty.")
    if len(network["subnets"]) > 16:
        raise invalid("subnets can have at most 16 items.")
    if len(network.get("securityGroups") or []) > 5:
        raise invalid("securityGroups can have at most 5 items.")
    return {
        "subnets": network["subnets"],
        "securityGroups": network.get("securityGroups") or [],
        "assignPublicIp": network.get("assignPublicIp") or "DISABLED",
    }
