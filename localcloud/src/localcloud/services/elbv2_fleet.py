# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxies of all load balancers: one thread each, which keeps its HAProxy as the records say and knows its targets' health."""

from __future__ import annotations

import logging
import threading
import time
import typing as t

from ..balancer.container import Container
from ..balancer.health import Phase, reason
from ..balancer.model import Plan, Server
from ..balancer.proxy import Proxy
from ..errors import LocalCloudError
from .elbv2_plan import plan
from .elbv2_state import LoadBalancer, Store, Target, TargetGroup
from .elbv2_targets import Health
from .pace import Pace

if t.TYPE_CHECKING:
    from ..cloud import Cloud, Interface
    from .elbv2_certificates import Certificates

LOOK_SECONDS = 0.4
START_SECONDS = 5.0
"""How long the call that creates a load balancer waits for it: a client that asks at once, and then every 15 s, finds it active."""
RETRY_SECONDS = 5.0

UNUSED = Health("unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")
OTHER_ZONE = Health("unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer")
STOPPED = Health("unused", "Target.InvalidState", "Target is in the stopped state")

_log = logging.getLogger("localcloud.balancer")

LogTo = t.Callable[["Cloud", str], str]


class Keeper:
    """Keeps one load balancer's proxy."""

    def __init__(self, fleet: Fleet, balancer: LoadBalancer) -> None:
        self._fleet = fleet
        self._balancer = balancer
        self._interfaces: list[Interface] = []
        self._container = Container(fleet.cloud, balancer.key)
        self._proxy: Proxy | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self.looked = threading.Event()
        """Set at the end of the first look, good or bad."""
        self.health: dict[str, dict[tuple[str, int], Health]] = {}
        """Target group's ARN -> target -> its health at the last look."""
        self._thread = threading.Thread(target=self._run, name=f"alb-{balancer.key}", daemon=True)
        self._thread.start()

    @property
    def rows(self) -> list[dict[str, str]]:
        """HAProxy's statistics of the last look."""
        return self._proxy.rows if self._proxy is not None else []

    def refresh(self) -> None:
        """Do at once what the records say, if the proxy runs; when this returns it is in effect."""
        if self._proxy is not None:  # one that starts reads the records when it has started
            with self._lock:
                try:
                    if self._proxy is not None:
                        self._apply(self._proxy)
                except LocalCloudError as error:
                    self._trouble(error)
        self._wake.set()

    def end(self) -> None:
        """Remove the proxy and give its addresses back."""
        self._ending.set()
        self._wake.set()
        self._thread.join()
        self._container.remove()
        for interface in self._balancer.interfaces.values():
            self._fleet.cloud.interfaces.delete(interface.id)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.clear()
            pause = LOOK_SECONDS
            try:
                with self._lock:
                    self._look()
            except LocalCloudError as error:
                self._trouble(error)
                pause = RETRY_SECONDS
            except Exception:  # one bad look must not end the load balancer
                _log.exception("a look at load balancer %s failed", self._balancer.name)
                pause = RETRY_SECONDS
            self.looked.set()
            self._wake.wait(pause)

    def _look(self) -> None:
        if self._proxy is not None and self._is_lost():
            _log.warning("the proxy of load balancer %s starts anew", self._balancer.name)
            self._proxy = None
        proxy = self._proxy or self._start()
        self._apply(proxy)
        proxy.observe()
        self._note_health(proxy)
        with self._fleet.store.lock:
            early = self._balancer.state == "provisioning" and time.monotonic() < self._balancer.active_from
            self._balancer.state, self._balancer.reason = "provisioning" if early else "active", None

    def _is_lost(self) -> bool:
        """Whether the container is gone, or must be elsewhere because the first subnet was taken away."""
        elsewhere = self._interfaces[:1] != list(self._balancer.interfaces.values())[:1]
        return elsewhere or (not self._container.runtime.is_up() and not self._container.is_running())

    def _start(self) -> Proxy:
        with self._fleet.store.lock:
            self._interfaces = list(self._balancer.interfaces.values())
        log_to = self._fleet.log_to(self._container.gateway(self._interfaces[0]))
        self._container.runtime.generation = 0
        proxy = Proxy(self._container.directory, self._container.runtime, log_to)
        wanted, _, secrets = self._wanted()
        proxy.prepare(wanted, secrets)
        self._container.start(self._interfaces)
        self._proxy = proxy
        return proxy

    def _apply(self, proxy: Proxy) -> None:
        wanted, servers, secrets = self._wanted()
        if self._interfaces != list(self._balancer.interfaces.values()):
            self._container.move(self._interfaces, list(self._balancer.interfaces.values()))
            self._interfaces = list(self._balancer.interfaces.values())
        proxy.apply(wanted, servers, secrets)

    def _wanted(self) -> tuple[Plan, list[Server], dict[str, str]]:
        store, certificates = self._fleet.store, self._fleet.certificates
        with store.lock:
            arns = {arn for listener in self._balancer.listeners.values() for arn in listener.certificates}
            secrets = {certificates.name(arn): certificates.pem(arn) for arn in arns}
            made = plan(self._balancer, store.groups, certificates.name)
            servers = [
                Server(group.key, address, target.port, target.draining_until is not None)
                for group in self._groups()
                for target in self._targets(group)
                if (address := self._fleet.address(group, target)) is not None and self._serves(target)
            ]
        return made, list({(server.group, server.name): server for server in servers}.values()), secrets

    def _groups(self) -> list[TargetGroup]:
        return [self._fleet.store.groups[arn] for arn in sorted(self._balancer.group_arns()) if arn in self._fleet.store.groups]

    def _targets(self, group: TargetGroup) -> list[Target]:
        """The targets of a group; those whose delay has passed and whose instance is gone are forgotten first."""
        now = time.monotonic()
        for key, target in list(group.targets.items()):
            over = target.draining_until is not None and target.draining_until <= now
            if over or self._fleet.is_gone(group, target):
                del group.targets[key]
        return list(group.targets.values())

    def _serves(self, target: Target) -> bool:
        return target.zone in (None, "all") or target.zone in self._balancer.zones

    def _note_health(self, proxy: Proxy) -> None:
        phases = proxy.phases()
        with self._fleet.store.lock:
            found: dict[str, dict[tuple[str, int], Health]] = {}
            for group in self._groups():
                found[group.arn] = {}
                for key, target in group.targets.items():
                    address = self._fleet.address(group, target)
                    phase, reading = phases.get((group.key, f"{address}:{target.port}"), (Phase.INITIAL, None))
                    if target.draining_until is not None:
                        phase = Phase.DRAINING
                    elif not self._serves(target):
                        found[group.arn][key] = OTHER_ZONE
                        continue
                    elif address is None:
                        found[group.arn][key] = STOPPED
                        continue
                    found[group.arn][key] = Health(phase.value, *reason(phase, reading))
            self.health = found

    def _trouble(self, error: LocalCloudError) -> None:
        _log.error("load balancer %s: %s", self._balancer.name, error)
        with self._fleet.store.lock:
            self._balancer.state = "failed" if self._proxy is None else "active_impaired"
            self._balancer.reason = str(error)[:400]


class Fleet:
    """The keepers of all load balancers; safe for threads."""

    def __init__(self, cloud: Cloud, store: Store, certificates: Certificates, log_to: t.Callable[[str], str]) -> None:
        self.cloud = cloud
        self.store = store
        self.certificates = certificates
        self.log_to = log_to
        """`address:port` to which a proxy in the network with this gateway sends its log."""
        self.pace = Pace("elasticloadbalancing", 0.0)
        self._lock = threading.Lock()
        self._keepers: dict[str, Keeper] = {}

    def refresh(self, arn: str) -> None:
        """Make the proxy of this load balancer agree with the records: start it, change it, or remove it."""
        with self.store.lock:
            balancer = self.store.balancers.get(arn)
        with self._lock:
            keeper = self._keepers.get(arn)
            if balancer is None:
                self._keepers.pop(arn, None)
            elif keeper is None:
                balancer.active_from = time.monotonic() + self.pace.seconds
                self._keepers[arn] = Keeper(self, balancer)
        if keeper is None:
            new = self.keepers().get(arn)
            if new is not None:
                new.looked.wait(START_SECONDS)
        elif balancer is None:
            keeper.end()
        else:
            keeper.refresh()

    def keepers(self) -> dict[str, Keeper]:
        """Every keeper by its load balancer's ARN."""
        with self._lock:
            return dict(self._keepers)

    def end(self) -> None:
        """Remove all proxies."""
        with self._lock:
            keepers, self._keepers = list(self._keepers.values()), {}
        for keeper in keepers:
            keeper.end()

    def health(self, group_arn: str) -> dict[tuple[str, int], Health]:
        """The health of every target of a group; the caller holds the store's lock."""
        group = self.store.group(group_arn)
        user = self.store.user_of(group_arn)
        keeper = self.keepers().get(user.arn) if user is not None else None
        if keeper is None:
            return dict.fromkeys(group.targets, UNUSED)
        known = keeper.health.get(group_arn, {})
        found = {}
        for key, target in group.targets.items():
            if target.draining_until is not None:
                found[key] = Health(Phase.DRAINING.value, *reason(Phase.DRAINING, None))
            else:
                state = known.get(key)
                draining_before = state is not None and state.state == Phase.DRAINING.value  # registered anew since the last look
                found[key] = Health(Phase.INITIAL.value, *reason(Phase.INITIAL, None)) if state is None or draining_before else state
        return found

    def address(self, group: TargetGroup, target: Target) -> str | None:
        """Where a target is, or None while its instance does not run."""
        if group.target_type == "ip":
            return target.id
        instance = self.cloud.instances.get(target.id)
        return instance.private_ip if instance is not None and instance.state == "running" else None

    def is_gone(self, group: TargetGroup, target: Target) -> bool:
        """Whether a target's instance will never run again."""
        if group.target_type == "ip":
            return False
        instance = self.cloud.instances.get(target.id)
        return instance is None or instance.state in ("shutting-down", "terminated")
