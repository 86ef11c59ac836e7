# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads Route 53's hosted zones and records, which MiniStack holds; changes nothing."""

from __future__ import annotations

import dataclasses

from ministack.core.responses import request_scope
from ministack.services import route53

from .. import settings


@dataclasses.dataclass(frozen=True)
class Record:
    """One record set; `values` are its records, `alias` the name that it is an alias of. Names have no dot at the end."""

    name: str
    type: str
    values: tuple[str, ...]
    alias: str | None
    private: bool


def records() -> list[Record]:
    """Every record set of every zone; `private` says in which kind of zone it is."""
    found: list[Record] = []
    with request_scope(settings.ACCOUNT_ID, settings.REGION), route53._lock:
        for zone_id, zone in list(route53._zones.items()):
            for item in route53._records[zone_id]:
                alias = item.get("AliasTarget", {}).get("DNSName")
                values = tuple(value.rstrip(".") for value in item.get("ResourceRecords", ()))
                found.append(
                    Record(_plain(item["Name"]), item["Type"], values, _plain(alias) if alias else None, bool(zone.get("private")))
                )
    return found


def has_public_zone(name: str) -> bool:
    """Whether a public zone of this cloud is responsible for a name."""
    with request_scope(settings.ACCOUNT_ID, settings.REGION), route53._lock:
        zones = [_plain(zone["name"]) for zone in route53._zones.values() if not zone.get("private")]
    return any(name == zone or name.endswith(f".{zone}") for zone in zones)


def has_record(name: str, kind: str, value: str) -> bool:
    """Whether a public zone has this record."""
    wanted = (_plain(name), kind, value.rstrip(".").lower())
    return any((item.name, item.type, text.lower()) == wanted for item in records() if not item.private for text in item.values)


def _plain(name: str) -> str:
    return name.lower().rstrip(".").replace("\\052", "*")
