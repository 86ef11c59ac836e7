# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RDS and ElastiCache have in common: groups of subnets and of parameters, refusals, pages, events; pure."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import re
import typing as t

from ..cloud import Subnet
from .query_protocol import ApiError, Members

_IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9])*")
_DAYS = "mon|tue|wed|thu|fri|sat|sun"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
_WEEKLY = re.compile(rf"(?:{_DAYS}):{_TIME}-(?:{_DAYS}):{_TIME}")
_DAILY = re.compile(rf"{_TIME}-{_TIME}")

Tags = dict[str, str]


# -- what both know


@dataclasses.dataclass
class SubnetGroup:
    """Subnets of one VPC in which servers may be placed."""

    name: str
    description: str
    subnets: list[Subnet]
    tags: Tags = dataclasses.field(default_factory=dict)

    @property
    def zones(self) -> list[str]:
        """The zones of the subnets, each once."""
        return list(dict.fromkeys(subnet.availability_zone for subnet in self.subnets))


@dataclasses.dataclass
class ParameterGroup:
    """Parameters of a family that differ from its defaults."""

    name: str
    family: str
    description: str
    values: dict[str, str] = dataclasses.field(default_factory=dict)
    tags: Tags = dataclasses.field(default_factory=dict)


class Condition(enum.Enum):
    """How a server is."""

    ABSENT = "it has no container"
    STOPPED = "its container has ended"
    STARTING = "it does not answer yet"
    UP = "it answers"
    HUNG = "it has not answered for a while"


DEAD = frozenset({Condition.ABSENT, Condition.STOPPED, Condition.HUNG})


# -- what both refuse


def invalid(message: str) -> ApiError:
    """A value that cannot be."""
    return ApiError("InvalidParameterValue", message)


def combination(message: str) -> ApiError:
    """Values that cannot be together."""
    return ApiError("InvalidParameterCombination", message)


def identifier(text: str, what: str, longest: int) -> str:
    """An id in lower case, as AWS keeps it."""
    text = text.lower()
    if not _IDENTIFIER.fullmatch(text) or len(text) > longest:
        raise invalid(
            f"The parameter {what} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, "
            f"digits, and hyphens; must not end with a hyphen or contain two consecutive hyphens; and have at most {longest} characters."
        )
    return text


def windows(maintenance: str | None, daily: str | None, what: str) -> None:
    """The weekly window of maintenance and the daily one of backups, which is called ``what``; None is not asked for."""
    if maintenance and not _WEEKLY.fullmatch(maintenance.lower()):
        raise invalid(f"Invalid maintenance window {maintenance}: the form is ddd:hh24:mi-ddd:hh24:mi.")
    if daily and not _DAILY.fullmatch(daily):
        raise invalid(f"Invalid {what} window {daily}: the form is hh24:mi-hh24:mi.")


def tags_of(members: Members, *reserved: str) -> Tags:
    """The tags of a request. ``reserved``: prefixes of keys that only AWS gives."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in members.get("Tags") or []}
    for key in tags:
        if key.lower().startswith(reserved):
            raise invalid(f"The tag key {key} begins with the reserved prefix {' or '.join(reserved)}.")
    return tags


def refuse(members: Members, service: str, names: t.Iterable[str]) -> None:
    """Members that ask for what this cloud's service has not."""
    for name in names:
        if members.get(name):
            raise combination(f"This cloud's {service} does not provide {name}.")


def subnets_of_one_vpc(ids: list[str], subnet: t.Callable[[str], Subnet]) -> list[Subnet]:
    """The subnets of a group. ``subnet`` finds one by its id; KeyError when there is none."""
    found = []
    for subnet_id in ids:
        try:
            found.append(subnet(subnet_id))
        except KeyError:
            raise ApiError("InvalidSubnet", f"Some input subnets in {ids} are invalid: {subnet_id} does not exist.") from None
    if len({subnet.vpc_id for subnet in found}) > 1:
        raise ApiError("InvalidSubnet", f"The subnets {ids} are not all of one VPC.")
    return found


# -- what both answer with


def page(items: list[t.Any], members: Members) -> tuple[list[t.Any], str | None]:
    """The items of this page and the marker of the next one (MaxRecords 20 to 100, 100 when absent)."""
    size = members.get("MaxRecords") or 100
    if not 20 <= size <= 100:
        raise invalid(f"Invalid value {size} for MaxRecords. Must be between 20 and 100")
    marker = members.get("Marker") or "0"
    if not marker.isdigit():
        raise invalid(f"Invalid Marker {marker}.")
    start = int(marker)
    return items[start : start + size], str(start + size) if start + size < len(items) else None


class Happened(t.Protocol):
    """An event of either service."""

    @property
    def source(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def date(self) -> datetime.datetime: ...


Event = t.TypeVar("Event", bound=Happened)


def events_asked_for(events: t.Iterable[Event], members: Members, now: datetime.datetime) -> list[Event]:
    """What DescribeEvents is asked for: of the last hour when nothing is said."""
    if members.get("SourceIdentifier") and not members.get("SourceType"):
        raise combination("SourceIdentifier needs SourceType.")
    end = members.get("EndTime") or now
    start = members.get("StartTime") or end - datetime.timedelta(minutes=members.get("Duration") or 60)
    return [
        event
        for event in events
        if start <= event.date <= end
        and members.get("SourceIdentifier", event.source) == event.source
        and members.get("SourceType", event.kind) == event.kind
    ]
