# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Carries a plan out: starts the new beside the old, moves the traffic, drains; and takes everything back when that fails."""

from __future__ import annotations

from .._compose import fingerprint, haproxy, model, names, plan, transform
from .._compose.errors import ComposeReleaseError, ReleaseFailed
from . import files
from .clock import wait_until
from .prepare import Prepared, shape
from .watch import HealthWatch

_DRAIN_INTERVAL = 0.2  # seconds between two looks at the sessions
_PROXY_START = 20.0  # seconds

PREPARE, SWITCH = "prepare", "switch"


class Rollout:
    """One release being carried out. ``restore`` gives, on demand, the Prepared release that was live before, or None."""

    def __init__(self, host, identifier: str, prepared: Prepared, wanted: list, decided: plan.Plan, restore):
        self._host = host
        self._id = identifier
        self._prepared = prepared
        self._wanted = {want.service.name: want for want in wanted}
        self._plan = decided
        self._restore = restore
        self._watch = HealthWatch(host, host.clock.monotonic() + host.options.health_timeout)
        self._waited: set = set()
        self._before = {one.id: one for one in host.docker.containers()}
        self._reloaded: set = set()
        self._proxies_started: set = set()
        self._undo: list = []  # functions, newest last

    # -- forward

    def journal(self, phase: str, previous: str) -> None:
        services = [
            {"service": action.service, "kind": action.kind, "action": action.action, "old": action.old, "new": action.new}
            for action in self._plan.actions
            if action.touches
        ]
        self._host.store.write_journal({"release": self._id, "phase": phase, "previous": previous, "services": services})

    def prepare(self) -> None:
        """Everything new runs and is healthy; no traffic has moved, and nothing old was stopped but what is stateful and itself changed."""
        self._check_proxies()
        for one in self._plan.yielding:
            self._yield_port(one)
        for action in self._plan.actions:
            if action.action in (plan.NONE, plan.REMOVE, plan.PROXY):
                continue
            want = self._wanted[action.service]
            self._await_needs(want.service)
            if action.kind in model.SIDE_BY_SIDE:
                self._start_worker(action, want)
            elif action.kind == model.JOB:
                self._run_job(want)
            elif action.kind == model.STATEFUL or action.action in (plan.CREATE, plan.START):
                self._start_plain(action, want)
        for action in self._plan.actions:
            if action.touches and action.action not in (plan.REMOVE, plan.PROXY) and not self._waits_for_switch(action):
                self._await(self._wanted[action.service].service)

    def switch(self) -> None:
        """The traffic moves, what is depended on first. Services that cannot run twice are stopped and started here."""
        for action in self._plan.actions:
            if not action.touches or action.action == plan.REMOVE:
                continue
            want = self._wanted[action.service]
            if action.kind == model.PROXIED:
                self._move(action, want)
            elif self._waits_for_switch(action):
                self._start_plain(action, want)
                self._await(want.service)

    def drain(self) -> None:
        """The old containers end their work and go. Nothing in here can take the release back."""
        options = self._host.options
        deadline = self._host.clock.monotonic() + options.drain_timeout
        leaving = {one.id for one in self._plan.leftovers}
        present = [one for one in self._host.docker.containers() if one.id in leaving]
        for action in self._plan.actions:
            old = [one for one in present if one.owner == action.service and one.role == names.ROLE_WORKER and one.colour == action.old]
            if action.kind == model.PROXIED and action.action == plan.REPLACE and old:
                self._wait_drained(action, deadline)
        grouped: dict = {}
        for one in present:
            grouped.setdefault(one.stop_grace if options.stop_timeout is None else options.stop_timeout, []).append(one)
        for grace, containers in grouped.items():
            self._host.docker.stop(containers, grace)
        for one in present:
            self._host.event(f"removed {one.name}")
        for action in self._plan.actions:
            control = self._host.proxy(action.service)
            if action.action == plan.REMOVE:
                control.remove()
            elif action.kind == model.PROXIED and action.action == plan.REPLACE and action.old:
                control.command(haproxy.maintenance_commands(self._shape(action.service), action.old))

    # -- back

    def undo(self) -> None:
        """Takes back what was done, newest first. Goes on past a step that fails, and raises what failed at the end."""
        problems = []
        for step in reversed(self._undo):
            try:
                step()
            except ComposeReleaseError as exc:
                problems.append(str(exc))
            except OSError as exc:
                problems.append(str(files.failure("take a step back", exc)))
        if problems:
            raise ComposeReleaseError(" ".join(problems))

    # -- steps

    def _shape(self, service: str) -> haproxy.Shape:
        return shape(self._host, self._prepared.service(service))

    def _waits_for_switch(self, action: plan.Action) -> bool:
        return action.kind == model.RECREATED and action.action == plan.RECREATE

    def _up(self, service: str, definitions: dict, *flags: str, prepared: Prepared = None, grace=None) -> None:
        source = prepared or self._prepared
        self._host.docker.up(
            source.project_directory,
            source.environment_file,
            transform.compose_model(source.project, definitions),
            service,
            *flags,
            stop_timeout=grace,
        )

    def _check_proxies(self) -> None:
        """The proxy's image and configuration are tried before anything is started."""
        for action in self._plan.actions:
            if action.kind == model.PROXIED and action.action != plan.REMOVE and action.proxy in ("create", "recreate"):
                control = self._host.proxy(action.service)
                if not control.text():
                    control.write(haproxy.render(self._shape(action.service), action.new))
                    self._undo.append(control.remove)
                self._host.docker.check_proxy(self._host.options.proxy_image, control.directory, transform.MOUNT)

    def _yield_port(self, one) -> None:
        """A service that leaves gives its published port to one that comes; two cannot hold it."""
        self._undo.append(lambda: self._host.docker.resume_work(one))
        self._host.docker.pause_work(one, 5)
        self._host.event(f"{one.name} leaves and gives its port up")

    def _start_worker(self, action: plan.Action, want: plan.Wanted) -> None:
        service, name = want.service, names.worker_service(action.service, action.new)
        half_started = [one for one in self._host.docker.containers() if one.service == name]
        self._host.docker.stop(half_started, 1)
        if action.proxy == "create" and not action.old and not action.adopts:
            self._undo.append(lambda: self._remove_proxy(service.name))
            self._start_proxy(want, action.new)  # nothing serves yet, so the name may as well be there for those that start next
        definition = transform.worker(service, action.image, action.new, self._id, want.fingerprint)
        self._undo.append(lambda: self._remove(name))
        self._host.event(f"starting {name} ({', '.join(action.reasons)})")
        self._up(name, {name: definition})

    def _run_job(self, want: plan.Wanted) -> None:
        service = want.service
        self._host.event(f"running {service.name}")
        self._up(
            service.name, {service.name: transform.plain(service, service.image.pinned, self._id, want.fingerprint)}, "--force-recreate"
        )
        self._watch.wait(service, service.name, job=True)
        self._waited.add(service.name)

    def _start_plain(self, action: plan.Action, want: plan.Wanted) -> None:
        service = want.service
        self._host.event(f"starting {service.name} ({', '.join(action.reasons)})")
        definitions = {service.name: transform.plain(service, action.image, self._id, want.fingerprint)}
        if action.action == plan.START:
            self._up(service.name, definitions, "--no-recreate")
            return
        if action.action == plan.CREATE:
            self._undo.append(lambda: self._remove(service.name))
        else:
            self._undo.append(lambda: self._bring_back(service.name))
        self._up(service.name, definitions, grace=self._host.options.stop_timeout)

    def _await_needs(self, service: model.Service) -> None:
        for need, condition in service.needs.items():
            if condition == "service_healthy" and need in self._wanted:
                self._await(self._wanted[need].service)

    def _await(self, service: model.Service) -> None:
        """Waits for a service as it will be after this release; one that is only recreated later is taken as it is now."""
        if service.name in self._waited or service.kind == model.JOB:
            return
        action = self._plan.of(service.name)
        name = names.worker_service(service.name, action.new) if service.kind in model.SIDE_BY_SIDE else service.name
        self._watch.wait(service, name)
        self._waited.add(service.name)

    def _start_proxy(self, want: plan.Wanted, live: str) -> None:
        service = want.service
        control = self._host.proxy(service.name)
        control.write(haproxy.render(self._shape(service.name), live))
        definition = transform.proxy(service, self._host.options.proxy_image, control.directory)
        definition["labels"] = transform.labels(service.name, names.ROLE_PROXY, self._id, want.proxy_fingerprint)
        self._up(service.name, {service.name: definition})
        control.wait_running(self._host.clock.monotonic() + _PROXY_START)
        self._proxies_started.add(service.name)

    def _move(self, action: plan.Action, want: plan.Wanted) -> None:
        control, target = self._host.proxy(action.service), self._shape(action.service)
        if action.adopts:
            self._undo.append(lambda: self._bring_back(action.service))
        elif action.old:
            self._undo.append(lambda: self._move_back(action))
        if action.proxy in ("create", "recreate") and action.service not in self._proxies_started:
            self._start_proxy(want, action.old or action.new)
        elif action.proxy == "reload":
            self._reload(action, target)
        if not action.old or action.new != action.old or action.proxy:
            control.switch(target, action.new, self._addresses(names.worker_service(action.service, action.new)))
            self._host.event(f"{action.service}: traffic goes to {action.new}")

    def _reload(self, action: plan.Action, target: haproxy.Shape) -> None:
        """The proxy reads a file of another shape without losing a connection; the traffic stays where it is."""
        control = self._host.proxy(action.service)
        control.write(haproxy.render(target, action.old or action.new))
        expected = {
            (haproxy.backend(port), server) for port in target.ports for colour in names.COLOURS for server, _name in target.servers(colour)
        }
        for one in self._proxies_of(action.service):
            self._host.docker.signal(one, "USR2")
        self._reloaded.add(action.service)
        deadline = self._host.clock.monotonic() + _PROXY_START
        if not wait_until(
            self._host.clock, lambda: {(server.backend, server.name) for server in control.servers()} == expected, deadline=deadline
        ):
            raise ReleaseFailed(f"the proxy of {action.service} did not take its new configuration.")

    def _proxies_of(self, service: str) -> list:
        return [one for one in self._host.docker.containers() if one.owner == service and one.role == names.ROLE_PROXY]

    def _addresses(self, compose_service: str) -> dict:
        found = {}
        for one in self._host.docker.containers():
            if one.service == compose_service and one.addresses:
                found[one.name] = next(iter(one.addresses.values()))
        return found

    def _wait_drained(self, action: plan.Action, deadline: float) -> None:
        control = self._host.proxy(action.service)

        def drained() -> bool:
            if control.sessions(action.old):
                return False
            # After a reload the process before still holds its own connections: master and one worker are left when it has ended.
            return action.service not in self._reloaded or all(
                self._host.docker.processes(one) <= 2 for one in self._proxies_of(action.service)
            )

        name = names.worker_service(action.service, action.old)
        if wait_until(self._host.clock, drained, deadline=deadline, interval=_DRAIN_INTERVAL):
            self._host.event(f"{name} has drained")
        else:
            self._host.event(
                f"{name} still has {control.sessions(action.old)} connections after {self._host.options.drain_timeout} s; they end now"
            )

    # -- steps back

    def _remove(self, compose_service: str) -> None:
        mine = [one for one in self._host.docker.containers() if one.service == compose_service]
        self._host.docker.stop(mine, 1)
        self._host.event(f"removed {compose_service} again")

    def _remove_proxy(self, service: str) -> None:
        self._host.docker.stop(self._proxies_of(service), 1)
        self._host.proxy(service).remove()

    def _move_back(self, action: plan.Action) -> None:
        control = self._host.proxy(action.service)
        control.switch(self._shape(action.service), action.old, self._addresses(names.worker_service(action.service, action.old)))
        self._host.event(f"{action.service}: traffic is back on {action.old}")

    def _bring_back(self, service: str) -> None:
        """A service that had to stop for its successor starts again as it was."""
        previous = self._restore()
        old = [one for one in self._before.values() if one.service == service and one.role != names.ROLE_PROXY]
        if previous and any(item.name == service for item in previous.services):
            definition, source = previous.service(service), previous
        else:
            definition, source = self._prepared.service(service), self._prepared
        image = old[0].image_id if old else definition.image.pinned
        mark = fingerprint.fingerprint(self._host.key, definition, source.project, source.content.root, source.contents, source.values)
        release = old[0].release if old and old[0].release else self._id
        self._up(service, {service: transform.plain(definition, image, release, mark)}, prepared=source)
        self._host.event(f"{service} is back as it was")
