# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the tags of EC2 resources, which moto holds, and of services of ours in MiniStack's tagging API; only of what still exists."""

from __future__ import annotations

import typing as t

from ministack.core.responses import get_region
from ministack.services import tagging
from moto.ec2.models import ec2_backends
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

from .. import settings
from .moto import LOCK

_AWS_RESOURCE_TYPES = {
    "eipalloc": "elastic-ip", "nat": "natgateway", "fl": "vpc-flow-log", "h": "dedicated-host", "pl": "prefix-list",
    "sir": "spot-instances-request",
}  # fmt: skip
"""Prefix of an id -> AWS's name of its resource type, where moto has another one; DescribeTags filters by this name."""


def _backend() -> t.Any:
    return ec2_backends[settings.ACCOUNT_ID][get_region()]


def exists(backend: t.Any, resource_id: str) -> bool:
    """Whether EC2 still has this resource; the caller holds moto's lock."""
    prefix = resource_id.rpartition("-")[0]
    stores: dict[str, t.Callable[[], t.Iterable[str]]] = {
        "vpc": lambda: backend.vpcs,
        "subnet": lambda: [subnet for by_zone in backend.subnets.values() for subnet in by_zone],
        "igw": lambda: backend.internet_gateways,
        "rtb": lambda: backend.route_tables,
        "sg": lambda: [group for by_vpc in backend.groups.values() for group in by_vpc],
        "eni": lambda: backend.enis,
        "eipalloc": lambda: [address.allocation_id for address in backend.addresses],
        "nat": lambda: [key for key, gateway in backend.nat_gateways.items() if gateway.state not in ("deleted", "deleting")],
        "vol": lambda: backend.volumes,
        "snap": lambda: backend.snapshots,
        "ami": lambda: backend.amis,
        "lt": lambda: backend.launch_templates,
        "key": lambda: [pair.id for pair in backend.keypairs.values()],
        "vpce": lambda: [key for key, endpoint in backend.vpc_end_points.items() if endpoint.state != "deleted"],
        "acl": lambda: backend.network_acls,
        "i": lambda: [
            instance.id
            for reservation in backend.reservations.values()
            for instance in reservation.instances
            if instance.state not in ("terminated", "shutting-down")
        ],
    }
    store = stores.get(prefix)
    return store is not None and resource_id in set(store())


def _collect() -> t.Iterator[tuple[str, list[dict[str, str]]]]:
    with LOCK:
        backend = _backend()
        found = [
            (f"arn:aws:ec2:{get_region()}:{settings.ACCOUNT_ID}:{_kind(resource_id)}/{resource_id}", dict(tags))
            for resource_id, tags in backend.tags.items()
            if tags and exists(backend, resource_id)
        ]
    for arn, tags in found:
        yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]


def _kind(resource_id: str) -> str:
    prefix = resource_id.rpartition("-")[0]
    return EC2_PREFIX_TO_RESOURCE.get(prefix, prefix)


def _existing(arn: str) -> tuple[t.Any, str]:
    backend, resource_id = _backend(), arn.rpartition("/")[2]
    if not exists(backend, resource_id):
        raise tagging._ResourceNotFound(arn)
    return backend, resource_id


def _write(_spec: t.Any, arn: str, tags: dict[str, str]) -> None:
    with LOCK:
        backend, resource_id = _existing(arn)
        backend.create_tags([resource_id], dict(tags))


def _remove(_spec: t.Any, arn: str, keys: list[str]) -> None:
    with LOCK:
        backend, resource_id = _existing(arn)
        backend.delete_tag_keys([resource_id], list(keys))


def provide(service: str, tagged: t.Callable[[], list[tuple[str, dict[str, str]]]], tags_of: t.Callable[[str], dict[str, str]]) -> None:
    """Add a service of ours, by its name in ARNs: `tagged` lists its resources; `tags_of` has a resource's own tags, or raises KeyError."""

    def own(arn: str) -> dict[str, str]:
        try:
            return tags_of(arn)
        except KeyError:
            raise tagging._ResourceNotFound(arn) from None

    def collect() -> t.Iterator[tuple[str, list[dict[str, str]]]]:
        for arn, tags in tagged():
            if tags:
                yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]

    def remove(_spec: t.Any, arn: str, keys: list[str]) -> None:
        for key in keys:
            own(arn).pop(key, None)

    tagging._COLLECTORS[service] = collect
    tagging._WRITERS[service] = lambda _spec, arn, tags: own(arn).update(tags)
    tagging._REMOVERS[service] = remove


def install() -> None:
    """Add EC2 to the tagging API, and name resource types as AWS does; once per process."""
    EC2_PREFIX_TO_RESOURCE.update(_AWS_RESOURCE_TYPES)
    tagging._COLLECTORS["ec2"] = _collect
    tagging._WRITERS["ec2"] = _write
    tagging._REMOVERS["ec2"] = _remove
