# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Decides what a release does to each service, from what is wanted and what was observed; no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass

from . import fingerprint, model, names
from .observed import Container

NONE, CREATE, REPLACE, RECREATE, START, RUN, PROXY, REMOVE = "none", "create", "replace", "recreate", "start", "run", "proxy", "remove"


@dataclass(frozen=True)
class Wanted:
    """What a release wants of one service."""

    service: model.Service
    fingerprint: str
    proxy_fingerprint: str = ""
    proxy_text: str = ""  # of the live colour, to see whether a running proxy only needs to read a new file
    compose_hash: str = ""  # of the application's own definition, to recognise what plain Compose started


@dataclass(frozen=True)
class Proxy:
    """What was observed of one service's proxy."""

    live: str = ""  # colour that gets the traffic; empty when unknown
    text: str = ""  # its configuration file without the live colour's mark


@dataclass(frozen=True)
class Action:
    """What is done to one service."""

    service: str
    kind: str
    action: str
    reasons: tuple = ()
    old: str = ""  # colour that is live now
    new: str = ""  # colour that is live afterwards
    image: str = ""  # pinned
    proxy: str = ""  # "", "create", "recreate" or "reload"
    adopts: bool = False  # containers of plain Compose give way to it

    @property
    def touches(self) -> bool:
        return self.action != NONE


@dataclass(frozen=True)
class Plan:
    """All actions in start order, then removals."""

    actions: tuple
    leftovers: tuple = ()  # containers that the new release has no use for, once the traffic has moved
    warnings: tuple = ()
    foreign: tuple = ()  # containers of the project that no release made and no service claims
    yielding: tuple = ()  # leftovers that hold a published port which a new service wants: they stop before it starts

    @property
    def changed(self) -> bool:
        return any(action.touches for action in self.actions)

    def of(self, service: str) -> Action:
        return next(action for action in self.actions if action.service == service)


def live_colour(workers: list, proxy: Proxy, current: str) -> str:
    """The colour that counts as live: the proxy's word; without one the current release's containers, else the only ones that run."""
    if proxy.live:
        return proxy.live
    for candidates in (
        [one for one in workers if one.release == current and one.running],
        [one for one in workers if one.running],
        workers,
    ):
        colours = {one.colour for one in candidates}
        if len(colours) == 1:
            return colours.pop()
    return ""


def decide(wanted: list, containers: list, proxies: dict, *, current: str = "", jobs: dict, rollback: bool = False) -> Plan:
    """The plan. ``wanted`` is in start order; ``proxies`` is observed proxies by service; ``current`` the live release's id and ``jobs``
    the fingerprints that its jobs ran with.
    """
    actions: list = []
    keep: set = set()
    for want in wanted:
        own = [one for one in containers if one.owner == want.service.name]
        if want.service.kind in model.SIDE_BY_SIDE:
            action = _side_by_side(want, own, proxies.get(want.service.name, Proxy()), current, keep)
        elif want.service.kind == model.JOB:
            action = _job(want, own, jobs.get(want.service.name, ""), keep)
        else:
            action = _plain(want, own, actions, keep)
        actions.append(action)
    actions = _jobs_of_touched(wanted, actions, rollback)
    known = {want.service.name for want in wanted}
    gone = sorted({one.owner for one in containers if one.role and one.owner not in known})
    for name in gone:
        actions.append(Action(name, _kind_of(name, containers), REMOVE, ("not in the compose file",)))
    foreign = tuple(one for one in containers if not one.role and one.owner not in known)
    leftovers = tuple(one for one in containers if one.id not in keep and one not in foreign)
    warnings = tuple(
        f"Container {one.name} belongs to no service of the compose file and no release made it; it is left alone." for one in foreign
    )
    return Plan(tuple(actions), leftovers, warnings, foreign, _yielding(wanted, actions, leftovers, gone))


def _yielding(wanted: list, actions: list, leftovers: tuple, gone: list) -> tuple:
    starting = {action.service for action in actions if action.action in (CREATE, REPLACE, RECREATE) or action.proxy}
    ports = [port for want in wanted if want.service.name in starting for port in model.published(want.service.definition)]
    return tuple(
        one for one in leftovers if one.owner in gone and any(model.same_port(held, port) for held in one.published for port in ports)
    )


def _kind_of(name: str, containers: list) -> str:
    roles = {one.role for one in containers if one.owner == name}
    if names.ROLE_PROXY in roles:
        return model.PROXIED
    if names.ROLE_WORKER in roles:
        return model.ROLLING
    return model.JOB if names.ROLE_JOB in roles else model.RECREATED


def _side_by_side(want: Wanted, own: list, proxy: Proxy, current: str, keep: set) -> Action:
    service = want.service
    proxies = [one for one in own if one.role == names.ROLE_PROXY]
    workers = [one for one in own if one.role == names.ROLE_WORKER]
    plain = [one for one in own if one.role not in (names.ROLE_PROXY, names.ROLE_WORKER)]
    live = live_colour(workers, proxy, current)
    serving = [one for one in workers if one.colour == live] if live else []
    reasons = _worker_reasons(want, serving, plain)
    new = names.other(live) if live and reasons else live or names.BLUE
    pinned = service.image.pinned or service.image.reference
    step, proxy_reasons = "", []
    if service.kind == model.PROXIED:
        step, proxy_reasons = _proxy_step(want, proxies, proxy)
        if step != "create":
            keep.update(one.id for one in proxies)
    if not reasons:
        keep.update(one.id for one in serving)
    action = (REPLACE if serving or plain else CREATE) if reasons else PROXY if step else NONE
    return Action(
        service.name, service.kind, action, tuple(reasons or proxy_reasons), live if serving else "", new, pinned, step, adopts=bool(plain)
    )


def _worker_reasons(want: Wanted, serving: list, plain: list) -> list:
    if not serving:
        return ["runs under plain Compose"] if plain else ["new"]
    reasons: list = []
    for one in serving:
        reasons += fingerprint.differences(one.fingerprint, want.fingerprint) if one.fingerprint != want.fingerprint else []
        # A service that answers on ports has nothing to end well for; without this a clean exit behind its proxy would go unseen.
        if not one.running and (want.service.kind == model.PROXIED or not _ended_well(one)):
            reasons.append("not running")
        elif one.health == "unhealthy":
            reasons.append("not healthy")
    if len(serving) != want.service.replicas:
        reasons.append("replicas")
    return list(dict.fromkeys(reasons))


def _ended_well(one: Container) -> bool:
    return one.state == "exited" and one.exit_code == 0 and one.restart_policy in ("", "no", "on-failure")


def _proxy_step(want: Wanted, proxies: list, observed: Proxy) -> tuple:
    if not proxies:
        return "create", ["proxy is missing"]
    if proxies[0].fingerprint != want.proxy_fingerprint:
        return "recreate", ["proxy"]
    if not proxies[0].running:
        return "recreate", ["proxy is not running"]
    if observed.text != want.proxy_text:
        return "reload", ["proxy configuration"]
    return "", []


def _plain(want: Wanted, own: list, before: list, keep: set) -> Action:
    """A service under its own name: stateful or recreated."""
    service = want.service
    mine = [one for one in own if one.service == service.name and one.role != names.ROLE_PROXY]
    keep.update(one.id for one in own if one.service == service.name)  # Compose itself turns these into the new ones
    pinned = service.image.pinned or service.image.reference
    if not mine:
        return Action(service.name, service.kind, RECREATE if own else CREATE, ("new",) if not own else ("kind",), image=pinned)
    reasons = _plain_reasons(want, mine)
    for lender in service.follows:
        if any(action.service == lender and action.touches for action in before):
            reasons.append(f"shares with {lender}")
    if reasons:
        return Action(service.name, service.kind, RECREATE, tuple(reasons), image=pinned)
    if service.kind == model.STATEFUL:
        pinned = mine[0].image if mine[0].role else mine[0].image_id
    if not all(one.running or _ended_well(one) for one in mine):
        return Action(service.name, service.kind, START, ("not running",), image=pinned)
    return Action(service.name, service.kind, NONE, image=pinned)


def _plain_reasons(want: Wanted, mine: list) -> list:
    reasons: list = []
    for one in mine:
        if not one.role:  # plain Compose started it
            if one.config_hash != want.compose_hash:
                reasons.append("definition")
            if want.service.kind != model.STATEFUL and one.image_id and want.service.image.pinned and not _same_image(one, want):
                reasons.append("image")
        elif one.fingerprint != want.fingerprint:
            reasons += fingerprint.differences(one.fingerprint, want.fingerprint)
    if len(mine) != want.service.replicas:
        reasons.append("replicas")
    return list(dict.fromkeys(reasons))


def _same_image(one: Container, want: Wanted) -> bool:
    return want.service.image.image_id == one.image_id


def _job(want: Wanted, own: list, ran_with: str, keep: set) -> Action:
    """What counts is what the live release ran, not the container: that may be of a release that failed afterwards."""
    service = want.service
    mine = [one for one in own if one.service == service.name]
    keep.update(one.id for one in mine)
    pinned = service.image.pinned or service.image.reference
    if not ran_with:
        return Action(service.name, service.kind, RUN, ("new",), image=pinned)
    reasons = fingerprint.differences(ran_with, want.fingerprint) if ran_with != want.fingerprint else []
    return Action(service.name, service.kind, RUN if reasons else NONE, tuple(reasons), image=pinned)


def _jobs_of_touched(wanted: list, actions: list, rollback: bool) -> list:
    """A job also runs when a service that waits for it is started anew; never on the way back, where its work was done long ago."""
    starting = {action.service for action in actions if action.action in (CREATE, REPLACE, RECREATE, START)}
    waited = {need for want in wanted if want.service.name in starting for need in want.service.needs}
    result = []
    for action in actions:
        if action.kind == model.JOB and rollback:
            action = _with(action, NONE, ())
        elif action.kind == model.JOB and action.action == NONE and action.service in waited:
            action = _with(action, RUN, ("a service that waits for it starts",))
        result.append(action)
    return result


def _with(action: Action, what: str, reasons: tuple) -> Action:
    return Action(action.service, action.kind, what, reasons, action.old, action.new, action.image, action.proxy, action.adopts)
