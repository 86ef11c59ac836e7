# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""First process of an instance: prepares it, starts Docker and the agent, reaps, and shuts down quickly; knows nothing of AWS's APIs."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import machine

AGENT = pathlib.Path("/usr/local/lib/localcloud/agent/main.py")
FIRST_BOOT = pathlib.Path(__file__).with_name("first_boot.py")
FIRST_BOOT_DONE = pathlib.Path("/var/lib/cloud/instance/boot-finished")
SHUTDOWN_SECONDS = 5.0
RESTART_SECONDS = 1.0
REBOOT = signal.SIGUSR1  # sent by the command shutdown
HANDLED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, REBOOT}


def say(message: str) -> None:
    """One line for `localcloud logs <instance>`."""
    print(f"init: {message}", flush=True)


def _unblock() -> None:
    """A child must not inherit this program's blocked signals."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)


class Child:
    """One supervised process; started again a second after it ended, when it is wanted for ever."""

    def __init__(self, name: str, command: list[str], *, for_ever: bool) -> None:
        self.name = name
        self.command = command
        self.for_ever = for_ever
        self.pid: int | None = None
        self.start_at: float | None = 0.0

    def start_if_due(self, now: float) -> None:
        """Start it when its time has come."""
        if self.pid is not None or self.start_at is None or now < self.start_at:
            return
        self.start_at = None
        process = subprocess.Popen(self.command, preexec_fn=_unblock, start_new_session=True)
        process.returncode = 0  # reaped by this program's own loop
        self.pid = process.pid

    def ended(self, status: int, now: float) -> None:
        """Note its end; plan the next start."""
        self.pid = None
        code = os.waitstatus_to_exitcode(status)
        say(f"{self.name} ended with code {code}")
        if self.for_ever:
            self.start_at = now + RESTART_SECONDS


def reap(children: list[Child]) -> None:
    """Collect every process that has ended, supervised or orphaned."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        for child in children:
            if child.pid == pid:
                child.ended(status, time.monotonic())


def others_alive() -> bool:
    """Whether any process but this one is left; kernel threads are not seen in a container."""
    return any(entry.isdigit() and entry != "1" and not _zombie(entry) for entry in os.listdir("/proc"))


def _zombie(pid: str) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return True


def shut_down(children: list[Child]) -> None:
    """Ask everything to end, and end it after five seconds."""
    say("shutting down")
    for child in children:
        child.for_ever = False
    deadline = time.monotonic() + SHUTDOWN_SECONDS
    _kill_all(signal.SIGTERM)  # Docker's Engine ends its containers, too
    while time.monotonic() < deadline:
        reap(children)
        if not others_alive():
            break
        signal.sigtimedwait({signal.SIGCHLD}, 0.1)
    _kill_all(signal.SIGKILL)
    reap(children)


def _kill_all(number: int) -> None:
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return


def reboot(given: dict[str, str]) -> None:
    """Begin again as the first process of the same container, with the environment that it was started with."""
    machine.forget()
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-B", os.path.abspath(__file__)], given)  # noqa: S606 - itself


def main() -> int:
    """Run until SIGTERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    given = dict(os.environ)
    settings = json.loads(os.environ.pop("LOCALCLOUD_INSTANCE"))
    say(f"starting {settings['instance_id']}")
    environment = machine.prepare(settings)
    os.environ.update(environment)
    subprocess.run(
        ["/etc/init.d/docker", "start"],
        check=False,
        preexec_fn=_unblock,
    )
    children = []
    if AGENT.exists():
        children.append(Child("agent", [sys.executable, "-B", str(AGENT)], for_ever=True))
    if not FIRST_BOOT_DONE.exists():
        children.append(Child("first boot", [sys.executable, "-B", str(FIRST_BOOT)], for_ever=False))
    while True:
        now = time.monotonic()
        for child in children:
            child.start_if_due(now)
        due = [child.start_at for child in children if child.start_at is not None]
        wait = max(0.05, min(due) - now) if due else 60.0
        received = signal.sigtimedwait(HANDLED, wait)
        reap(children)
        if received is not None and received.si_signo in (signal.SIGTERM, signal.SIGINT):
            shut_down(children)
            return 0
        if received is not None and received.si_signo == REBOOT:
            shut_down(children)
            reboot(given)


if __name__ == "__main__":
    sys.exit(main())
