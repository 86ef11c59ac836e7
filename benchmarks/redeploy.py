"""Loads an application while it is redeployed, by us and by plain `docker compose up -d`, and counts what users would have noticed.

How to redeploy is not known here: each way is a command, given as an argument, in which {n} stands for the number of the
redeployment (it is in $REDEPLOY_NUMBER as well). The order: five redeployments (--redeploy) and one release that must not get healthy
(--unhealthy), under load; then, after --plain-start, as many redeployments and the same bad release the plain way, under the same
load; then --plain-stop. A redeployment that replaced nothing, a bad release that did, and an acknowledged message that the store
does not have are errors, whatever the counts say.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import pathlib
import shlex
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import ending
from exchange import ExchangeError, Target, TargetError, parse_target
from openloop import Ledger, Limits, Load, fetch, read_ledger
from tally import Tally, failure_lines, phase_table, result_line

_PROGRESS_EVERY = 8.0
_IDENTITY = "/api/info"
_BACKEND_PATHS = ("/api/info", "/api/messages?room=lobby")
_FRONTEND_PATHS = ("/", "/api/info", "/api/messages?room=lobby", "/static/chat.js")


class BenchmarkError(Exception):
    """The comparison could not be made, or a redeployment did not do what it says; the message is one sentence."""


@dataclass(frozen=True)
class Way:
    """One way of redeploying, and where the application answers meanwhile."""

    name: str
    frontend: Target
    backend: Target
    redeploy: str
    unhealthy: str | None
    rolls_back: bool


@dataclass
class Measured:
    """What one way did to the load. `phases` are (name, seconds); `problems` are sentences."""

    tally: Tally
    phases: list[tuple[str, float]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    ledger: Ledger | None = None


async def measure(way: Way, options: argparse.Namespace) -> Measured:
    """Load the application, redeploy it again and again, and count. Raises BenchmarkError when the application does not answer first."""
    await _answering(way, options.start_timeout)
    room = f"bench-{uuid.uuid4().hex[:12]}"
    paths = {way.frontend.url: _FRONTEND_PATHS, way.backend.url: _BACKEND_PATHS}
    limits = Limits(rate=options.rate, timeout=options.timeout, seconds=options.max_seconds)
    load = Load((way.frontend, way.backend), lambda target: paths[target.url], limits, room=room)
    measured = Measured(load.tally)
    running = asyncio.create_task(load.run())
    try:
        await _phase(load, measured, f"{way.name}: before", asyncio.sleep(options.settle))
        for number in range(1, options.redeployments + 1):
            await _phase(load, measured, f"{way.name}: redeploy {number}", _redeploy(way, number, measured, options))
        if way.unhealthy is not None:
            number = options.redeployments + 1
            await _phase(load, measured, f"{way.name}: never healthy", _bad_release(way, number, measured, options))
        if running.done():
            measured.problems.append(f"The load on {way.name} ended at its limit of {options.max_seconds:g} s, before the redeployments.")
    finally:
        load.stop()
        await running
    await _check_ledger(way, load, room, measured)
    return measured


async def _phase(load: Load, measured: Measured, name: str, work: object) -> None:
    load.phase = name
    started = time.monotonic()
    await work
    seconds = time.monotonic() - started
    measured.phases.append((name, seconds))
    part = load.tally.of_phase(name)
    _say(f"{name}: {seconds:.1f} s, {len(part.outcomes)} requests, {len(part.failures)} failed")


async def _redeploy(way: Way, number: int, measured: Measured, options: argparse.Namespace) -> None:
    before = await _identity(way)
    code = await run_command(f"{way.name} redeploy {number}", way.redeploy, number, options)
    await asyncio.sleep(options.settle)
    after = await _identity(way)
    if code != 0:
        measured.problems.append(f"Redeployment {number} of {way.name} failed: its command ended with {code}; see its log.")
    elif before is not None and before == after:
        measured.problems.append(f"Redeployment {number} of {way.name} replaced nothing: {after} answered before and after it.")


async def _bad_release(way: Way, number: int, measured: Measured, options: argparse.Namespace) -> None:
    before = await _identity(way)
    code = await run_command(f"{way.name} never healthy", way.unhealthy, number, options)
    await asyncio.sleep(options.settle)
    if not way.rolls_back:
        return
    after = await _identity(way)
    if code == 0:
        measured.problems.append(f"The release of {way.name} that cannot get healthy was reported as deployed.")
    if before != after:
        measured.problems.append(f"The release of {way.name} that cannot get healthy changed who answers, from {before} to {after}.")


async def _check_ledger(way: Way, load: Load, room: str, measured: Measured) -> None:
    try:
        measured.ledger = await read_ledger(way.backend, room, load.acknowledged)
    except ExchangeError as error:
        # After a bad release the plain way, nobody may be left who could answer: that is a finding, not an error of the comparison.
        if way.rolls_back:
            measured.problems.append(f"The messages that {way.name} acknowledged cannot be read back: {error}.")
        return
    ledger = measured.ledger
    if ledger.lost or ledger.doubled or ledger.gaps:
        measured.problems.append(
            f"Of {len(load.acknowledged)} acknowledged messages, {way.name} lost {ledger.lost}, "
            f"doubled {ledger.doubled} and left {ledger.gaps} gaps."
        )


async def _answering(way: Way, timeout: float) -> None:
    """Wait until both URLs answer, so that what is counted afterwards is the redeployments' doing."""
    give_up = time.monotonic() + timeout
    while True:
        try:
            await fetch(way.frontend, "/", timeout=3)
            await fetch(way.backend, "/healthz", timeout=3)
            return
        except ExchangeError as error:
            if time.monotonic() > give_up:
                raise BenchmarkError(
                    f"Cannot measure {way.name}: {way.frontend.url} and {way.backend.url} "
                    f"did not both answer within {timeout:g} s ({error})."
                ) from None
            await asyncio.sleep(0.5)


async def _identity(way: Way) -> str | None:
    """Which worker answers, None when none does."""
    try:
        return json.loads(await fetch(way.backend, _IDENTITY))["hostname"]
    except (ExchangeError, ValueError, KeyError):
        return None


async def run_command(name: str, command: str, number: int, options: argparse.Namespace) -> int:
    """Run one hook in a process group of its own; its output goes to its log. Returns its exit code. Raises BenchmarkError."""
    arguments = [word.replace("{n}", str(number)) for word in shlex.split(command)]
    log = options.log_dir / f"{name.replace(':', '').replace(' ', '-')}.log"
    _say(f"{name}: {shlex.join(arguments)}  (log: {log})")
    started = time.monotonic()
    with log.open("wb") as output:
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "REDEPLOY_NUMBER": str(number)},
            )
        except OSError as error:
            raise BenchmarkError(f"Cannot run {arguments[0]!r} for {name}: {error.strerror}.") from None
        waiting = asyncio.create_task(process.wait())
        try:
            while not (await asyncio.wait({waiting}, timeout=_PROGRESS_EVERY))[0]:
                seconds = time.monotonic() - started
                if seconds > options.command_timeout:
                    raise BenchmarkError(f"The command for {name} did not end within {options.command_timeout:g} s; its log is {log}.")
                _say(f"{name}: running for {seconds:.0f} s")
        finally:
            if not waiting.done():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await waiting
    return waiting.result()


async def compare(options: argparse.Namespace) -> int:
    """The whole benchmark: ours, then plain, then the tables. Returns the exit code."""
    ours = await measure(
        Way("ours", options.frontend, options.backend, options.redeploy, options.unhealthy, rolls_back=True),
        options,
    )
    show(ours, options.log_dir / "ours-failures.txt")
    plain = Measured(Tally())
    try:
        if options.plain_start:
            code = await run_command("plain start", options.plain_start, 0, options)
            if code != 0:
                raise BenchmarkError(f"Cannot start the application the plain way: its command ended with {code}; see its log.")
        plain = await measure(
            Way(
                "plain",
                options.plain_frontend or options.frontend,
                options.plain_backend or options.backend,
                options.plain_redeploy,
                options.plain_unhealthy,
                rolls_back=False,
            ),
            options,
        )
    finally:
        if options.plain_stop:
            await run_command("plain stop", options.plain_stop, 0, options)
    show(plain, options.log_dir / "plain-failures.txt")
    return conclude(ours, plain)


def show(measured: Measured, all_failures: pathlib.Path) -> None:
    """Print what one way did to the load; every single failure goes to a file."""
    print("", *phase_table(measured.tally, measured.phases), sep="\n")
    if measured.ledger is not None:
        print(f"messages: {measured.ledger.stored} stored, {measured.ledger.lost} lost, {measured.ledger.doubled} doubled")
    print(f"generator late by at most {measured.tally.lag * 1000:.0f} ms")
    print(*failure_lines(measured.tally), "", sep="\n", flush=True)
    all_failures.write_text("\n".join([*failure_lines(measured.tally, listed=None), ""]))


def conclude(ours: Measured, plain: Measured) -> int:
    """Print problems and the result line. Returns 0 only when nothing of ours failed and every step did what it says."""
    problems = [*ours.problems, *plain.problems]
    for problem in problems:
        print(f"problem: {problem}")
    print(result_line(ours.tally, plain.tally), flush=True)
    return 1 if problems or ours.tally.failures else 0


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read and check the command line. Raises TargetError; ends the process with code 2 for what argparse finds."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="Commands are split like a shell does, and run without one."
    )
    parser.add_argument("--frontend", required=True, type=_target, help="base URL of the published frontend port")
    parser.add_argument("--backend", required=True, type=_target, help="base URL of the published backend port")
    parser.add_argument("--redeploy", required=True, help="command that deploys a new image; {n} is the number of the redeployment")
    parser.add_argument("--unhealthy", required=True, help="command that deploys an image that never gets healthy; it must fail")
    parser.add_argument("--plain-redeploy", required=True, help="the same with plain docker compose up -d")
    parser.add_argument("--plain-unhealthy", help="the bad image with plain docker compose up -d")
    parser.add_argument("--plain-start", help="command that starts the application for the plain part")
    parser.add_argument("--plain-stop", help="command that removes it again; it also runs when the plain part fails")
    parser.add_argument("--plain-frontend", type=_target, help="base URL in the plain part, if another")
    parser.add_argument("--plain-backend", type=_target, help="base URL in the plain part, if another")
    parser.add_argument("--redeployments", type=int, default=5)
    parser.add_argument("--rate", type=float, default=100.0, help="requests per second and port")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds per request")
    parser.add_argument("--settle", type=float, default=3.0, help="seconds of load before the first and after each redeployment")
    parser.add_argument("--start-timeout", type=float, default=60.0, help="seconds to wait for the application before the load")
    parser.add_argument("--command-timeout", type=float, default=300.0, help="seconds per command")
    parser.add_argument("--max-seconds", type=float, default=1800.0, help="bound of the load in each part")
    parser.add_argument("--log-dir", type=pathlib.Path, required=True, help="directory for the commands' output; made when missing")
    options = parser.parse_args(arguments)
    if not 0 < options.rate <= 2000:
        parser.error("--rate must be above 0 and at most 2000")
    if not 1 <= options.redeployments <= 50:
        parser.error("--redeployments must be from 1 to 50")
    return options


def _target(url: str) -> Target:
    try:
        return parse_target(url)
    except TargetError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: nothing of ours failed; 1: something did; 2: bad arguments; 3: no comparison was possible."""
    options = parse_arguments(arguments)
    options.log_dir.mkdir(parents=True, exist_ok=True)
    try:
        return asyncio.run(compare(options))
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 3


if __name__ == "__main__":
    ending.guard()
    sys.exit(main())
