# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the proxies' logs and health into CloudWatch metrics once a minute and access logs every five minutes, as AWS does."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import datetime
import gzip
import logging
import secrets
import threading
import time
import typing as t

from ..balancer import access_log, metrics
from ..balancer.metrics import Minute, Place
from ..balancer.requests import Request, parse
from ..emulation.delivery import Delivery, DeliveryError
from .elbv2_fleet import Fleet
from .elbv2_state import LoadBalancer, Store

if t.TYPE_CHECKING:
    from ..cloud import Cloud

METRIC_SECONDS = 60
LOG_SECONDS = 300
SAMPLE_SECONDS = 10.0
LATE_SECONDS = 1.0
"""How long after a minute its metrics are published, for lines that are still on their way."""

_log = logging.getLogger("localcloud.elbv2")


@dataclasses.dataclass(frozen=True)
class View:
    """What the records say of one load balancer, by the keys that are in a proxy's log."""

    suffix: str
    log_to: tuple[str, str] | None
    address: str
    fronts: dict[str, tuple[int, bool, str]]
    """Listener -> port, whether it speaks TLS, the default certificate."""
    priorities: dict[str, str]
    groups: dict[str, tuple[str, str, dict[str, str | None]]]
    """Target group -> ARN, dimension, zone by target (`address:port`)."""
    made: float


class Recorder:
    """Of one cloud. `take` is called in the collector's threads; everything else belongs to the event loop."""

    def __init__(self, cloud: Cloud, store: Store, fleet: t.Callable[[], Fleet], delivery: Delivery) -> None:
        self._cloud = cloud
        self._store = store
        self._fleet = fleet
        self._delivery = delivery
        self._lock = threading.Lock()
        self._minutes: dict[int, Minute] = collections.defaultdict(Minute)
        self._lines: dict[tuple[str, str, str, str], list[str]] = collections.defaultdict(list)
        """Bucket, prefix, load balancer and its address -> lines that were not written yet."""
        self._objects: list[tuple[str, str, bytes]] = []
        self._views: dict[str, View] = {}
        self._connections: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to publish."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="elbv2-recorder")

    async def stop(self) -> None:
        """Stop publishing; what was not published is lost, as the metrics before it are."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def take(self, line: bytes) -> None:
        """Count one line of a proxy's log."""
        if not line.startswith(b"{"):
            return  # what HAProxy says of itself
        request = parse(line)
        view = self._view(request.balancer)
        if view is None:
            return  # of a load balancer that was deleted
        group = view.groups.get(request.group or "")
        zone = group[2].get(request.target or "") if group is not None else None
        place = Place(view.suffix, group[1] if group is not None else None, zone)
        with self._lock:
            self._minutes[request.ended // 1_000_000 // METRIC_SECONDS].count(request, place)
            if view.log_to is not None:
                self._lines[(*view.log_to, view.suffix, view.address)].append(self._line(request, view))

    def deliver(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object soon; safe for threads."""
        with self._lock:
            self._objects.append((bucket, key, body))

    async def flush(self, *, now: float | None = None, logs: bool = True) -> None:
        """Publish the metrics of minutes before `now`, or all when it is None; and the lines of access logs."""
        last = None if now is None else int(now - LATE_SECONDS) // METRIC_SECONDS
        with self._lock:
            due = [minute for minute in self._minutes if last is None or minute < last]
            data = [datum for minute in sorted(due) for datum in self._minutes.pop(minute).data(minute * METRIC_SECONDS)]
            lines = dict(self._lines) if logs else {}
            if logs:
                self._lines.clear()
            objects, self._objects = self._objects, []
        try:
            await self._delivery.metrics(metrics.NAMESPACE, data)
        except DeliveryError as error:
            _log.error("CloudWatch did not take the metrics of load balancers: %s", error)
        end = datetime.datetime.now(datetime.UTC)
        for (bucket, prefix, suffix, address), texts in lines.items():
            key = access_log.key(
                prefix=prefix, account=self._cloud.account_id, region=self._cloud.region, balancer=suffix, address=address, end=end,
                mark=secrets.token_hex(4),
            )  # fmt: skip
            objects.append((bucket, key, gzip.compress("".join(f"{text}\n" for text in texts).encode())))
        for bucket, key, body in objects:
            try:
                await self._delivery.object(bucket, key, body)
            except DeliveryError as error:
                _log.error("S3 did not take the access log %s in %s: %s", key, bucket, error)

    def sample(self) -> None:
        """Look how many targets are healthy and how many connections there are."""
        minute = int(time.time()) // METRIC_SECONDS
        keepers = self._fleet().keepers()
        with self._store.lock:
            balancers = [(balancer, keepers[arn]) for arn, balancer in self._store.balancers.items() if arn in keepers]
            counted = [(balancer.suffix, *found) for balancer, keeper in balancers for found in self._hosts(balancer, keeper.health)]
        with self._lock:
            for suffix, group, zone, healthy, unhealthy in counted:
                self._minutes[minute].hosts(Place(suffix, group, zone), healthy, unhealthy)
            for balancer, keeper in balancers:
                active, total = _connections(keeper.rows)
                place = Place(balancer.suffix)
                fresh = max(0, total - self._connections.get(balancer.key, 0))
                self._connections[balancer.key] = total
                self._minutes[minute].peak("ActiveConnectionCount", active, place)
                if fresh:
                    self._minutes[minute].add("NewConnectionCount", fresh, place, with_group=False)

    async def _run(self) -> None:
        sampled = 0.0
        logged = int(time.time()) // LOG_SECONDS
        while True:
            await asyncio.sleep(1.0)
            try:
                now = time.time()
                if now - sampled >= SAMPLE_SECONDS:
                    sampled = now
                    await asyncio.to_thread(self.sample)
                period = int(now) // LOG_SECONDS
                await self.flush(now=now, logs=period != logged)
                logged = period
            except Exception:  # one bad second must not end the metrics
                _log.exception("recording of load balancers failed")

    def _hosts(self, balancer: LoadBalancer, health: dict[str, t.Any]) -> t.Iterator[tuple[str, str | None, int, int]]:
        """Target group, zone (None for all), healthy and unhealthy targets; the caller holds the store's lock."""
        for arn, states in health.items():
            group = self._store.groups.get(arn)
            if group is None or not group.targets:
                continue
            by_zone: dict[str | None, list[str]] = collections.defaultdict(list)
            for key, found in states.items():
                target = group.targets.get(key)
                if target is not None:
                    by_zone[None].append(found.state)
                    if target.zone in balancer.zones:
                        by_zone[target.zone].append(found.state)
            for zone, found_states in by_zone.items():
                yield group.suffix, zone, found_states.count("healthy"), found_states.count("unhealthy")

    def _view(self, key: str) -> View | None:
        view = self._views.get(key)
        if view is None or time.monotonic() - view.made > 1.0:
            with self._store.lock:
                balancer = next((found for found in self._store.balancers.values() if found.key == key), None)
                if balancer is None:
                    self._views.pop(key, None)
                    return None
                view = self._views[key] = self._look(balancer)
        return view

    def _look(self, balancer: LoadBalancer) -> View:
        attributes = balancer.attributes
        interface = next(iter(balancer.interfaces.values()))
        groups = {}
        for arn in balancer.group_arns():
            group = self._store.groups[arn]
            zones = {f"{self._fleet().address(group, target)}:{target.port}": target.zone for target in group.targets.values()}
            groups[group.key] = (arn, group.suffix, {target: zone for target, zone in zones.items() if zone in balancer.zones})
        enabled = attributes["access_logs.s3.enabled"] == "true"
        return View(
            suffix=balancer.suffix,
            log_to=(attributes["access_logs.s3.bucket"], attributes["access_logs.s3.prefix"]) if enabled else None,
            address=interface.public_ip or interface.private_ip,
            fronts={
                listener.key: (listener.port, listener.protocol == "HTTPS", (listener.certificates or [""])[0])
                for listener in balancer.listeners.values()
            },
            priorities={rule.key: "default" if rule.priority is None else str(rule.priority) for rule in balancer.rules()},
            groups=groups,
            made=time.monotonic(),
        )

    @staticmethod
    def _line(request: Request, view: View) -> str:
        port, secure, certificate = view.fronts.get(request.front, (0, False, ""))
        group = view.groups.get(request.group or "")
        return access_log.line(
            request,
            balancer=view.suffix,
            port=port,
            secure=secure,
            group_arn=group[0] if group is not None else "",
            priority=view.priorities.get(request.rule or "", "-1"),
            certificate=certificate,
        )


def _connections(rows: list[dict[str, str]]) -> tuple[int, int]:
    """Connections from clients and to targets: those that are open, and all that there were."""
    active = total = 0
    for row in rows:
        if row.get("svname") == "FRONTEND":
            active += int(row.get("scur") or 0)
            total += int(row.get("conn_tot") or 0)
        else:
            active += int(row.get("used_conn_cur") or 0) + int(row.get("idle_conn_cur") or 0)
            total += int(row.get("connect") or 0)
    return active, total
