"""The popcon application on this machine's Docker Engine, for tests: build, start, ask, stop; asserts nothing."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).parents[3]
SAMPLES = ROOT / "samples"
COMPOSE_FILE = ROOT / "inventories/popcon/files/docker-compose.yml"
# Another base than the Dockerfiles' own, for a machine that has one already.
BASE = os.environ.get("SAMPLE_BASE", "debian:trixie-slim")
SERVICES = ("frontend", "backend", "mysql", "redis")
# Characters that shells, SQL and compose files give a meaning to.
PASSWORD = "pa'ss`w\"\\x-9f3a"
ROOT_PASSWORD = "ro;ot'--\\'-77c1"


def docker(*words: str, check: bool = True, timeout: float = 180) -> str:
    """Run a docker command; returns its output, both streams. Raises RuntimeError with that output when it fails."""
    done = subprocess.run(["docker", *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False)
    if check and done.returncode:
        raise RuntimeError(f"docker {' '.join(words[:3])} ended with {done.returncode}: {done.stdout.strip()[-800:]}")
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def eventually(what: str, condition, timeout: float = 40.0):
    """The first true value of `condition()`. Raises AssertionError with `what` after `timeout` seconds."""
    give_up = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(0.1)


def get(url: str, *, body: dict | None = None, timeout: float = 10.0) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of a GET, or a POST when there is a body; status 0 when nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=timeout) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()
    except OSError:
        return 0, {}, b""


class Images:
    """The sample images, under a registry name of their own."""

    def __init__(self) -> None:
        self.registry = f"bluegreen-sample-{uuid.uuid4().hex[:8]}"
        self._made: list[str] = []

    def build(self, service: str, *, tag: str | None = None, **arguments: str) -> str:
        name = f"{self.registry}/popcon:{tag or service}"
        given = [word for key, value in {"BASE": BASE, **arguments}.items() for word in ("--build-arg", f"{key}={value}")]
        docker("build", "-q", *given, "-t", name, str(SAMPLES / service))
        self._made.append(name)
        return name

    def remove(self) -> None:
        if self._made:
            docker("rmi", "-f", *self._made, check=False)


class Stack:
    """A compose project made of the team's own file; only the published ports are moved to free ones of the loopback address."""

    def __init__(self, images: Images, folder: pathlib.Path):
        self.project = f"sample{uuid.uuid4().hex[:8]}"
        self.folder = folder
        self.frontend = f"http://127.0.0.1:{free_port()}"
        self.backend = f"http://127.0.0.1:{free_port()}"
        shutil.copy(COMPOSE_FILE, folder / "docker-compose.yml")
        override = {
            "services": {
                "frontend": {"ports": [f"{self.frontend.removeprefix('http://')}:3000"]},
                "backend": {"ports": [f"{self.backend.removeprefix('http://')}:8080"]},
            }
        }
        text = json.dumps(override, indent=1).replace('"ports": [', '"ports": !override [')
        (folder / "docker-compose.override.yml").write_text(text)
        self.write_env(ECR_REGISTRY=images.registry)

    def write_env(self, **values: str) -> None:
        given = {
            "SPRING_PROFILES_ACTIVE": "test",
            "DB_HOST": "mysql",
            "DB_PORT": "3306",
            "DB_NAME": "popcon_db",
            "JAVA_OPTS": "-Xmx256m -XX:+UseG1GC",
            "REDIS_HOST": "redis",
            "REDIS_PORT": "6379",
            "DB_USERNAME": "popcon",
            "DB_PASSWORD": PASSWORD,
            "DB_ROOT_PASSWORD": ROOT_PASSWORD,
            **values,
        }
        quoted = {name: '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for name, value in given.items()}
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in quoted.items()))

    def compose(self, *words: str, check: bool = True, timeout: float = 300) -> str:
        own = pathlib.Path(sys.prefix, "bin/docker-compose")
        program = [str(own)] if own.exists() else ["docker", "compose"]
        done = subprocess.run(
            [*program, "-p", self.project, *words],
            cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"docker compose {' '.join(words)} ended with {done.returncode}: {done.stdout.strip()[-1500:]}")
        return done.stdout.strip()

    def up(self) -> float:
        """Start everything and wait until all is healthy; returns the seconds that took."""
        started = time.monotonic()
        self.compose("up", "-d", "--wait", "--no-build", "--pull", "never")
        return time.monotonic() - started

    def down(self) -> None:
        self.compose("down", "-v", "-t", "2", check=False)

    def container(self, service: str) -> str:
        return self.compose("ps", "-a", "-q", service).splitlines()[0]

    def ready(self) -> bool:
        return get(f"{self.backend}/healthz")[0] == 200 and get(f"{self.frontend}/healthz")[0] == 200
