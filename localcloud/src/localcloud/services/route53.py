# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route 53: MiniStack's zones and records, with names that resolve and the answer of GetDNSSEC, which MiniStack lacks."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import typing as t
import xml.etree.ElementTree as ElementTree

import ministack.app

from ..emulation import zones
from ..names import Name

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
_DNSSEC = re.compile(r"/2013-04-01/hostedzone/(?P<zone>[^/]+)/dnssec/?")
_log = logging.getLogger("localcloud.route53")


class Route53:
    """The service `route53`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.RLock()
        self._published: dict[str, Name] = {}
        cloud.names.on_change(self._follow)

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        handle = ministack.app._get_module("route53").handle_request
        match = _DNSSEC.fullmatch(path)
        if match and method == "GET":
            zone = await handle(method, f"/2013-04-01/hostedzone/{match['zone']}", headers, b"", query_params)
            return _not_signing() if zone[0] == 200 else zone
        answer = await handle(method, path, headers, body, query_params)
        if method != "GET":
            await asyncio.to_thread(self.publish)
        return answer

    def publish(self) -> None:
        """Let the addresses of all records resolve, and no others of ours any more."""
        with self._lock:
            wanted = resolved(zones.records(), self._cloud.names.get, set(self._published))
            for name in self._published.keys() - wanted.keys():
                del self._published[name]
                self._cloud.names.remove(name)
            for name, addresses in wanted.items():
                if self._published.get(name) != addresses:
                    self._published[name] = addresses
                    self._cloud.names.set(name, addresses.private, addresses.public)

    def _follow(self) -> None:
        """An alias follows the name that it is an alias of. Called again by our own changes, which then find nothing to do."""
        if self._published or zones.records():
            self.publish()


def resolved(records: list[zones.Record], known: t.Callable[[str], Name | None], own: set[str]) -> dict[str, Name]:
    """Name → addresses of the records of type A and CNAME; an alias and a CNAME have those of a name of this cloud.

    A name in a private and in a public zone has inside VPCs what the private one says. Names that stand in `own` come from records
    and are followed through the records, not through the register.
    """
    tables: dict[bool, dict[str, list[zones.Record]]] = {False: {}, True: {}}
    for record in records:
        if record.type in ("A", "CNAME"):
            tables[record.private].setdefault(record.name, []).append(record)

    def look(name: str, private: bool, depth: int = 0) -> Name:
        found = [record for record in tables[private].get(name, ()) if depth < 9]  # records may run in a circle
        inside, outside = [], []
        for record in found:
            if record.type == "A" and record.alias is None:
                inside += record.values
                outside += record.values
                continue
            for target in (record.alias,) if record.alias else record.values:
                register = known(target) if target not in own else None
                meant = register or look(target, private, depth + 1)
                inside += meant.private
                outside += meant.public or meant.private
        return Name(tuple(dict.fromkeys(inside)), tuple(dict.fromkeys(outside)))

    names: dict[str, Name] = {}
    for name in tables[False].keys() | tables[True].keys():
        public, private = look(name, False), look(name, True)
        addresses = Name(private.private or public.private, public.public or private.public)
        if addresses.private or addresses.public:
            names[name] = addresses
    return names


def _not_signing() -> Response:
    root = ElementTree.Element("GetDNSSECResponse", {"xmlns": NAMESPACE})
    ElementTree.SubElement(ElementTree.SubElement(root, "Status"), "ServeSignature").text = "NOT_SIGNING"
    ElementTree.SubElement(root, "KeySigningKeys")
    return 200, {"Content-Type": "text/xml"}, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def create(cloud: Cloud) -> Route53:
    """The service of this cloud."""
    return Route53(cloud)
