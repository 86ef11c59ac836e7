# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings one running HAProxy to what a plan and its servers say, with a reload only where the runtime API cannot; knows no Docker."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import os
import pathlib
import time

from . import health, render
from .health import Phase, Reading
from .model import Group, Plan, Server
from .runtime import Row, Runtime
from .splits import Split, lines

FIRST_CHECK = "300ms"
"""HAProxy makes the first check of a server when its interval has passed: this one, before it gets that of its group."""

_log = logging.getLogger("localcloud.balancer")

Key = tuple[str, str]
"""Group and server name."""


@dataclasses.dataclass
class Known:
    """A server that HAProxy has, and what was found of it."""

    server: Server
    phase: Phase
    since: float
    reading: Reading | None = None
    probing: bool = False
    """Whether it waits for its first check, and has another interval than its group until then."""

    def enter(self, phase: Phase) -> None:
        """Be in this phase from now on."""
        self.phase, self.since = phase, time.monotonic()


class Proxy:
    """One HAProxy; its caller sees to it that only one thread is in it at a time."""

    def __init__(self, directory: pathlib.Path, runtime: Runtime, log_to: str) -> None:
        self._directory = directory
        self._runtime = runtime
        self._log_to = log_to
        self._structure = ""
        self._splits: dict[str, Split] = {}
        self._known: dict[Key, Known] = {}
        self._groups: dict[str, Group] = {}
        self._may_leave = False
        self._numbers = 0
        self.reloads = 0
        self.rows: list[Row] = []
        """The statistics of the last look."""

    def prepare(self, plan: Plan, secrets: dict[str, str]) -> None:
        """Write what HAProxy starts with; it has no servers yet."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._directory / "servers.state").write_text("1\n")
        self._write(plan, secrets)

    def apply(self, plan: Plan, servers: list[Server], secrets: dict[str, str]) -> None:
        """Make it so. `secrets` are the PEM files of certificates by name. Raises HaproxyError when HAProxy refuses."""
        if _structure(plan, secrets) != self._structure:
            self._reload(plan, secrets)
        self._split(plan)
        self._serve(servers)

    def observe(self) -> None:
        """Read what the health checks found, and let targets in or out accordingly."""
        self.rows = self._runtime.statistics()
        if self._may_leave:
            leaving = self._runtime.leaving()
            self._may_leave = bool(leaving)
            for process in leaving:
                self.rows += self._runtime.statistics(process.pid)
            self.rows = [row for row in self.rows if row.get("svname")]
        read: dict[Key, Reading] = {}
        for row in self.rows:
            key = row["pxname"], row["svname"]
            if key in self._known and key not in read:  # the present process comes first
                read[key] = Reading(row["status"], row["check_status"].removeprefix("* "), row["check_code"])
        for key, known in self._known.items():
            if key in read:
                known.reading = read[key]
                if known.probing and (known.reading.succeeded or known.reading.failed):
                    self._probed(known)
                group = self._groups[known.server.group]
                phase = health.following(known.phase, read[key], group.check, time.monotonic() - known.since)
                if phase is not known.phase:
                    self._turn(known, phase)

    def phases(self) -> dict[Key, tuple[Phase, Reading | None]]:
        """The phase of every server, and the last reading."""
        return {key: (known.phase, known.reading) for key, known in self._known.items()}

    def _turn(self, known: Known, phase: Phase) -> None:
        place = f"{known.server.group}/{known.server.name}"
        twin = f"{known.server.group}/{render.OPEN}{known.server.name}"
        if known.phase is Phase.INITIAL:
            # from its first verdict on, the target may get requests when no target of the group is healthy
            up = [f"set server {place} health up"] if phase is Phase.HEALTHY else []
            self._runtime.command(*up, f"enable server {twin}")
        _log.info("%s: %s, was %s (%s)", place, phase.value, known.phase.value, known.reading)
        known.enter(phase)

    # -- weights

    def _split(self, plan: Plan) -> None:
        for rule, forward in plan.forwards().items():
            before = self._splits.get(rule)
            if before is not None and before.forward == forward:
                continue
            after = Split(rule, self._number(), forward)
            commands = [f"add map {render.SLOTS_MAP} {key} {value}" for key, value in after.slots]
            commands.append(f"set map {render.RULES_MAP} {' '.join(after.entry)}")
            if before is not None:
                commands += [f"del map {render.SLOTS_MAP} {key}" for key, _ in before.slots]
            self._run(*commands)
            self._splits[rule] = after

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    # -- servers

    def _serve(self, servers: list[Server]) -> None:
        wanted = {(server.group, server.name): server for server in servers}
        for key, server in wanted.items():
            known = self._known.get(key)
            if server.draining:
                if known is not None and known.phase is not Phase.DRAINING:
                    self._drain(known)
            elif known is None:
                self._add(server)
            elif known.phase is Phase.DRAINING:
                self._begin(known)
        for key in [key for key in self._known if key not in wanted]:
            self._remove(key)

    def _add(self, server: Server) -> None:
        group = self._groups[server.group]
        place, twin = f"{server.group}/{server.name}", f"{server.group}/{render.OPEN}{server.name}"
        first = render.words(group, server, interval=FIRST_CHECK)
        answer = self._runtime.command(f"add server {place} {first} weight 0", f"add server {twin} {render.twin_words(group, server)}")
        if answer.count("New server registered") != 2:
            _log.error("HAProxy does not take %s: %s", place, answer.strip())
            return
        known = self._known[server.group, server.name] = Known(server, Phase.INITIAL, time.monotonic())
        self._begin(known)
        known.probing = True

    def _probed(self, known: Known) -> None:
        """After the first check: the same server with the interval of its group. It had no request yet."""
        group, place = self._groups[known.server.group], f"{known.server.group}/{known.server.name}"
        added = f"add server {place} {render.words(group, known.server)} weight 0"
        answer = self._runtime.command(f"disable health {place}", f"disable server {place}", f"del server {place}", added)
        if "New server registered" not in answer:
            _log.warning("%s keeps the interval of its first check for now: %s", place, answer.strip())
            self._runtime.command(f"enable health {place}", f"enable server {place}", f"set server {place} health down")
            return
        reading, since = known.reading, known.since
        self._begin(known)
        known.reading, known.since = reading, since

    def _begin(self, known: Known) -> None:
        """Let it be checked; it gets no request before its first good check."""
        place = f"{known.server.group}/{known.server.name}"
        self._runtime.command(
            f"set weight {place} 0",
            f"enable health {place}",
            f"enable server {place}",
            f"set server {place} health down",
            f"set weight {place} 1",
        )
        known.reading, known.probing = None, False
        known.enter(Phase.INITIAL)

    def _drain(self, known: Known) -> None:
        place, twin = f"{known.server.group}/{known.server.name}", f"{known.server.group}/{render.OPEN}{known.server.name}"
        self._run(f"disable server {place}", f"disable server {twin}")
        known.enter(Phase.DRAINING)

    def _remove(self, key: Key) -> None:
        """Close what is still open, then forget the server; tried again at the next call while a connection is left."""
        known = self._known[key]
        if known.phase is not Phase.DRAINING:
            self._drain(known)
        places = [f"{key[0]}/{key[1]}", f"{key[0]}/{render.OPEN}{key[1]}"]
        self._run(*(f"shutdown sessions server {place}" for place in places))
        answers = [self._runtime.command(f"del server {place}") for place in places]
        if all("deleted" in answer or "No such server" in answer for answer in answers):
            del self._known[key]

    def _run(self, *commands: str) -> None:
        if self._may_leave:
            self._runtime.everywhere(*commands)
        else:
            self._runtime.command(*commands)

    # -- structure

    def _reload(self, plan: Plan, secrets: dict[str, str]) -> None:
        keys = {group.key for group in plan.groups}
        for key in [key for key in self._known if key[0] not in keys]:
            del self._known[key]  # its backend goes with it
        (self._directory / "servers.state").write_text(self._runtime.command("show servers state"))
        before = self._runtime.generation
        self._runtime.generation += 1
        try:
            self._write(plan, secrets)
            self._runtime.reload()
        except Exception:
            self._runtime.generation = before
            self._structure = ""
            raise
        self.reloads += 1
        self._may_leave = True
        for known in self._known.values():
            match known.phase:
                case Phase.INITIAL:
                    self._begin(known)
                case Phase.DRAINING:
                    self._drain(known)
                case _:
                    self._runtime.command(f"enable server {known.server.group}/{render.OPEN}{known.server.name}")

    def _write(self, plan: Plan, secrets: dict[str, str]) -> None:
        self._groups = {group.key: group for group in plan.groups}
        self._splits = {rule: self._kept(rule, plan) for rule in plan.forwards()}
        servers = [known.server for known in self._known.values()]
        made = render.render(plan, servers, log_to=self._log_to, generation=self._runtime.generation)
        entries = [split.entry for split in self._splits.values()]
        slots = [slot for split in self._splits.values() for slot in split.slots]
        files = {**made.files, **secrets, "rules.map": lines(entries), "slots.map": lines(slots), "haproxy.cfg": made.text}
        for name, text in files.items():
            _replace(self._directory / name, text)
        self._structure = _structure(plan, secrets)

    def _kept(self, rule: str, plan: Plan) -> Split:
        forward, before = plan.forwards()[rule], self._splits.get(rule)
        return before if before is not None and before.forward == forward else Split(rule, self._number(), forward)


def _replace(path: pathlib.Path, text: str) -> None:
    """Write a file that only its owner reads, at once."""
    new = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as file:
        file.write(text)
    new.replace(path)


def _structure(plan: Plan, secrets: dict[str, str]) -> str:
    """Changes when something does that the runtime API cannot change: everything but weights and servers."""
    made = render.render(plan, [], log_to="", generation=0)
    # how a server is checked stands in its line only, and a server that was added keeps what it was added with
    parts = [made.text, repr(plan.groups), *(f"{name}\0{text}" for name, text in sorted({**made.files, **secrets}.items()))]
    return hashlib.sha256("\1".join(parts).encode()).hexdigest()
