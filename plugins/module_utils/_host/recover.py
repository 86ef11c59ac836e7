# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Puts right what a killed release left behind, from its journal and from what runs; starts no new release."""

from __future__ import annotations

from .._compose import haproxy, model, names, record
from .._compose.errors import ComposeReleaseError


def recover(host) -> None:
    """Undoes a release that was interrupted before its traffic had moved completely, and finishes one that only had to drain.

    Afterwards the running proxies, their files and the record agree on one live release. Safe to be interrupted itself.
    """
    store = host.store
    store.sweep()
    in_use = {store.current()} | {one.release for one in host.docker.containers()}
    for identifier in store.unrecorded():
        if identifier not in in_use:
            store.remove(identifier)
        else:
            host.warn(
                f"Release {identifier} runs and has no record ({store.path(identifier)}/release.json); it is kept. "
                "Restore the file from a backup, or release again."
            )
    journal = store.journal()
    if store.journal_damage():
        journal = _rebuilt(host)
    if journal is None:
        _close_records(host)
        return
    identifier = journal["release"]
    if host.store.current() == identifier:
        host.event(f"release {identifier} was interrupted while its predecessor drained; finishing it")
        _finish(host, journal)
        for item in host.store.records():
            if item.id == identifier and item.result == record.RUNNING:
                host.store.save(record.ended(item, record.SUCCEEDED, duration=item.duration))
    else:
        host.event(f"release {identifier} was interrupted in phase {journal['phase']}, before it was live; undoing it")
        _undo(host, journal)
    _close_records(host)
    host.store.clear_journal()


def _close_records(host) -> None:
    """A record that still says 'running' is one of a process that is gone, since this one has the lock."""
    for item in host.store.records():
        if item.result == record.RUNNING and item.id == host.store.current():
            host.store.save(record.ended(item, record.SUCCEEDED, duration=item.duration))
        elif item.result == record.RUNNING:
            host.store.save(record.ended(item, record.INTERRUPTED, duration=item.duration, error="the process that released was killed"))
            host.store.forget_environment(item.id)
            host.warn(f"Release {item.id} by {item.actor or 'somebody'} was interrupted; what it had started was removed.")


def _rebuilt(host):
    """What a damaged journal said, as far as records and containers say it; None when no release was under way."""
    store = host.store
    path = f"{store.state}/journal.json"
    host.warn(f"The journal of an interrupted release ({path}) cannot be read: {store.journal_damage()}. What runs was asked instead.")
    running = [item for item in store.records() if item.result == record.RUNNING]
    if not running or running[-1].id == store.current():
        store.clear_journal()
        return None
    release, colours = running[-1].id, {}
    for one in host.docker.containers():
        if one.role == names.ROLE_WORKER:
            colours.setdefault(one.owner, {})[one.colour] = one.release
    services = []
    for service, found in sorted(colours.items()):
        new = next((colour for colour, of in found.items() if of == release), "")
        old = names.other(new) if new and names.other(new) in found else ""
        if new:
            services.append({"service": service, "kind": model.PROXIED, "action": "", "old": old, "new": new})
    return {"release": release, "phase": "unknown", "previous": running[-1].previous, "services": services}


def _undo(host, journal: dict) -> None:
    release = journal["release"]
    for entry in journal["services"]:
        if entry["kind"] == model.PROXIED and entry["old"] and entry["old"] != entry["new"]:
            _point(host, entry["service"], entry["old"])
    doomed = [
        one
        for one in host.docker.containers()
        if one.release == release and (one.role == names.ROLE_WORKER or (one.role == names.ROLE_PROXY and not journal["previous"]))
    ]
    host.docker.stop(doomed, 1)
    for one in doomed:
        host.event(f"removed {one.name}, which release {release} had started")
        if one.role == names.ROLE_PROXY:
            host.proxy(one.owner).remove()


def _finish(host, journal: dict) -> None:
    for entry in journal["services"]:
        if entry["kind"] != model.PROXIED or not entry["new"]:
            continue
        _point(host, entry["service"], entry["new"])
    replaced = {entry["service"]: entry for entry in journal["services"] if entry["kind"] in model.SIDE_BY_SIDE}
    old = [
        one
        for one in host.docker.containers()
        if one.role == names.ROLE_WORKER and one.owner in replaced and one.colour and one.colour != replaced[one.owner]["new"]
    ]
    host.docker.stop(old, host.options.stop_timeout if host.options.stop_timeout is not None else 10)
    for one in old:
        host.event(f"removed {one.name}")


def _point(host, service: str, colour: str) -> None:
    """Makes the proxy's file and the running proxy agree on ``colour``, where that colour still runs."""
    workers = [one for one in host.docker.containers() if one.owner == service and one.role == names.ROLE_WORKER and one.colour == colour]
    control = host.proxy(service)
    text = control.text()
    if not workers or not text:
        return
    counts = haproxy.replicas_in_file(text)
    ports, mode = haproxy.ports_in_file(text), haproxy.mode_in_file(text)
    shape = haproxy.Shape(host.options.project, service, ports, mode, {each: counts.get(each, 0) for each in names.COLOURS})
    if not control.servers():
        control.write(haproxy.render(shape, colour))
        return
    try:
        control.switch(shape, colour, {one.name: next(iter(one.addresses.values()), "") for one in workers if one.addresses})
    except ComposeReleaseError as exc:
        host.warn(str(exc))
