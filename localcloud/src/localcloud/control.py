# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and stops the server process of a cloud and asks it for its health; parses no command line."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request

import docker
import docker.errors

from . import cleanup, images
from . import settings as settings_module
from .errors import LocalCloudError
from .images import Say
from .settings import Settings

READY_SECONDS = 60.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
SAY_SECONDS = 8.0


def connect() -> docker.DockerClient:
    """Docker's client; LocalCloudError when the Engine does not answer."""
    try:
        client = docker.from_env(timeout=600)
        client.ping()
        return client
    except (docker.errors.DockerException, OSError) as error:
        raise LocalCloudError(f"Failed to reach Docker's Engine: {error}. Start it, or install the package docker.io.") from error


def ask(settings: Settings, path: str, seconds: float = 5.0) -> t.Any | None:
    """The server's answer at `/_localcloud/<path>`, or None when it does not answer as this cloud."""
    try:
        with urllib.request.urlopen(f"{settings.api_url}/_localcloud/{path}", timeout=seconds) as answer:  # noqa: S310 - loopback
            value = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return value if value.get("name") == settings.name else None


def server_pid(settings: Settings) -> int | None:
    """The process id of the running server, or None; a number that another program has got meanwhile is not it."""
    try:
        pid = int(settings.pid_file.read_text())
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if b"localcloud.server" in command and settings.name.encode() in command else None


def up(name: str, say: Say) -> Settings:
    """Bring the cloud up; return its settings when the API answers."""
    started = time.monotonic()
    if os.geteuid() != 0:
        raise LocalCloudError("Failed to start the local cloud: it sets packet rules, which needs root. Run it as root.")
    if not shutil.which("iptables-restore"):
        raise LocalCloudError("Failed to start the local cloud: iptables is not installed. Install the package iptables.")
    client = connect()
    with _alone(name):
        return _up(client, name, say, started)


def _up(client: docker.DockerClient, name: str, say: Say, started: float) -> Settings:
    settings = settings_module.load_or_create(name)
    images.ensure_instance(client, say)
    for kind in ("registry", "cache", "database"):
        images.ensure(client, kind, say)
    health = ask(settings, "health")
    if health is not None:
        if health.get("fingerprint") != images.fingerprint():
            say(f"cloud {name} runs an earlier version of this program; `localcloud --name {name} down` and `up` make it anew")
        say(f"cloud {name} is up already: {settings.api_url}")
        return settings
    _stop_server(settings, say)
    removed = cleanup.remove_everything(client, name, settings.ports.api)
    if removed:
        say(f"removed what an earlier run left behind: {removed}")
    _start_server(settings, say)
    say(f"cloud {name} is up after {time.monotonic() - started:.1f} s: {settings.api_url}, log {settings.log_file}")
    return settings


def down(name: str, say: Say) -> None:
    """Take the cloud down; nothing of it stays but its log and its settings' directory, which go too."""
    client = connect()
    with _alone(name):
        settings = settings_module.load(name)
        if settings is not None:
            _stop_server(settings, say)
        removed = cleanup.remove_everything(client, name, settings.ports.api if settings else None)
        if settings is None and not removed:
            say(f"cloud {name} is not there")
        else:
            say(f"cloud {name} is down; removed {removed}")
        if settings is not None:
            shutil.rmtree(settings.state_dir, ignore_errors=True)


@contextlib.contextmanager
def _alone(name: str) -> t.Iterator[None]:
    """Only one `up` or `down` of a cloud at a time; another one waits for it."""
    root = settings_module.state_root()
    root.mkdir(parents=True, exist_ok=True)
    with (root / f".{settings_module.check_name(name)}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start_server(settings: Settings, say: Say) -> None:
    say(f"starting the server of cloud {settings.name}")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    with settings.log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localcloud.server", "--name", settings.name],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=environment, cwd="/",
        )  # fmt: skip
    settings.pid_file.write_text(f"{process.pid}\n")
    begin = said = time.monotonic()
    while ask(settings, "health", 2.0) is None:
        now = time.monotonic()
        if process.poll() is not None:
            settings.pid_file.unlink(missing_ok=True)
            raise LocalCloudError(
                f"Failed to start the server of cloud {settings.name}: {_last_words(settings)} (its log: {settings.log_file})"
            )
        if now - begin > READY_SECONDS:
            _stop_server(settings, say)
            raise LocalCloudError(
                f"Failed to start the server of cloud {settings.name}: it did not answer within {READY_SECONDS:.0f} s: "
                f"{_last_words(settings)} (log: {settings.log_file})"
            )
        if now - said > SAY_SECONDS:
            said = now
            say(f"waiting for the server … {now - begin:.0f} s")
        time.sleep(POLL_SECONDS)


def _last_words(settings: Settings) -> str:
    lines = settings.log_file.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _stop_server(settings: Settings, say: Say) -> None:
    pid = server_pid(settings)
    if pid is not None:
        say(f"stopping the server of cloud {settings.name}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while server_pid(settings) == pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            if time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
    settings.pid_file.unlink(missing_ok=True)
