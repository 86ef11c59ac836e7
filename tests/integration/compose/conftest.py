"""A real Engine, small images and an application in a directory of its own for each test; removes what it made."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]
BASE = os.environ.get("BLUEGREEN_TEST_BASE", "debian:trixie-slim")
APP = "bluegreen-test/app"
PROXY = "bluegreen-test/proxy"

COMPOSE = """\
services:
  frontend:
    image: ${APP_IMAGE}
    ports: ["127.0.0.1:${FRONTEND_PORT}:8080"]
    environment: {BEHIND: "http://backend:8080/"}
    depends_on: {backend: {condition: service_healthy}}
  backend:
    image: ${APP_IMAGE}
    ports: ["127.0.0.1:${BACKEND_PORT}:8080"]
    environment: {APP_PASSWORD: "${APP_PASSWORD}", FAULT: "${FAULT}"}
    volumes: ["./motd:/etc/motd:ro"]
    healthcheck:
      test: [CMD, python3, -c, "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz')"]
      interval: 1s
      timeout: 3s
      retries: 3
      start_period: 1s
    depends_on:
      db: {condition: service_healthy}
      migrate: {condition: service_completed_successfully}
  migrate:
    image: ${APP_IMAGE}
    command: [python3, -c, "print('migrated')"]
  db:
    image: ${DB_IMAGE}
    volumes: ["db:/var/lib/db"]
    healthcheck: {test: [CMD, "true"], interval: 1s}
volumes:
  db: {}
"""

_BUILD_ENVIRONMENT = dict(os.environ, DOCKER_BUILDKIT="0")


def docker(*args, check=True, **kwargs):
    done = subprocess.run(["docker", *args], capture_output=True, text=True, check=False, **kwargs)
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(args)}: {done.stderr}")
    return done.stdout.strip()


def build(tag, directory, **arguments):
    """Builds an image unless one of the same inputs is there: without the builder's cache a build needs the package mirror."""
    parts = [path.read_bytes() for path in sorted(directory.iterdir()) if path.is_file()]
    parts += [docker("image", "inspect", "--format", "{{.Id}}", BASE).encode(), repr(sorted(arguments.items())).encode()]
    inputs = hashlib.sha256(b"".join(parts)).hexdigest()[:16]
    label = docker("image", "inspect", "--format", '{{index .Config.Labels "bluegreen.test.inputs"}}', tag, check=False)
    if label == inputs:
        return
    options = [word for key, value in dict(arguments, BASE=BASE).items() for word in ("--build-arg", f"{key}={value}")]
    docker("build", "--quiet", *options, "--label", f"bluegreen.test.inputs={inputs}", "--tag", tag, str(directory), env=_BUILD_ENVIRONMENT)


@pytest.fixture(scope="session")
def images():
    """Three versions of the application and the proxy, built from the base image."""
    if subprocess.run(["docker", "image", "inspect", BASE], capture_output=True, check=False).returncode:
        pytest.fail(f"image {BASE} is not on this machine; run 'make setup' or set BLUEGREEN_TEST_BASE to a Debian trixie image")
    for version in ("1", "2", "3"):
        build(f"{APP}:{version}", HERE / "app", VERSION=version)
    build(PROXY, ROOT / "samples" / "proxy")


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The release as one file, built from the sources."""
    tree = tmp_path_factory.mktemp("collections")
    (tree / "ansible_collections" / "bluegreen").mkdir(parents=True)
    (tree / "ansible_collections" / "bluegreen" / "aws").symlink_to(ROOT)
    target = tmp_path_factory.mktemp("bin") / "compose-release.pyz"
    code = f"from ansible_collections.bluegreen.aws.plugins.module_utils._host import pyz; pyz.install({str(target)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ, PYTHONPATH=str(tree)))
    return target


def free_port():
    with socket.socket() as stream:
        stream.bind(("127.0.0.1", 0))
        return stream.getsockname()[1]


class Application:
    """One application: its bundle, its configuration, and the command to release it."""

    def __init__(self, directory, program):
        self.project = f"bgtest-{secrets.token_hex(3)}"
        self.directory = directory / "opt"
        self.source = directory / "bundle"
        self.source.mkdir()
        self.program = program
        self.password = "pa$$w'ord-" + secrets.token_hex(8)
        self.frontend, self.backend = free_port(), free_port()
        self.values = {
            "APP_IMAGE": f"{APP}:1",
            "DB_IMAGE": f"{APP}:1",
            "FAULT": "",
            "APP_PASSWORD": f'"{self.password.replace("$", chr(92) + "$")}"',
        }
        self.values.update(FRONTEND_PORT=self.frontend, BACKEND_PORT=self.backend)
        self.options = {
            "project": self.project,
            "directory": str(self.directory),
            "source": str(self.source),
            "proxy_image": PROXY,
            "pull": "never",
            "actor": "tester",
            "settle_time": 1,
            "health_timeout": 120,
            "drain_timeout": 10,
            "stop_timeout": 3,
        }
        self.write(COMPOSE)
        (self.source / "motd").write_text("hello\n")

    def write(self, compose):
        (self.source / "docker-compose.yml").write_text(compose)

    def command(self, verb="deploy", *more, **options):
        self.write_environment()
        path = self.source.parent / f"config-{secrets.token_hex(3)}.json"
        path.write_text(json.dumps(dict(self.options, **options)))
        return [sys.executable, str(self.program), verb, "--config", str(path), *more]

    def write_environment(self):
        (self.source / ".env").write_text("".join(f"{key}={value}\n" for key, value in self.values.items()))

    def run(self, verb="deploy", *more, rc=0, **options):
        """Result as data; for rc other than 0 the error's text."""
        done = subprocess.run(self.command(verb, *more, **options), capture_output=True, text=True, check=False)
        assert done.returncode == rc, done.stderr
        assert self.password not in done.stdout + done.stderr
        self.progress = done.stderr
        return json.loads(done.stdout) if rc == 0 else done.stderr

    def start(self, verb="deploy", **options):
        return subprocess.Popen(self.command(verb, **options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill_when(self, words, number=signal.SIGKILL, **options):
        """Starts a release and signals it when its progress says ``words``; returns its exit code and what it printed."""
        process = self.start(**options)
        seen = []
        for line in process.stderr:
            seen.append(line)
            if words in line:
                process.send_signal(number)
                break
        else:
            raise AssertionError(f"{words!r} never came: {''.join(seen)}")
        rest = process.communicate()[1]
        return process.returncode, "".join(seen) + rest

    def actions(self, result):
        return {item["service"]: item["action"] for item in result["services"]}

    def containers(self):
        """Names without the project, by state."""
        text = docker("ps", "--all", "--filter", f"label=com.docker.compose.project={self.project}", "--format", "{{.Names}} {{.State}}")
        pairs = [line.split() for line in text.splitlines()]
        return {name[len(self.project) + 1 :]: state for name, state in pairs}

    def running(self):
        return {name for name, state in self.containers().items() if state == "running"}

    def inspect(self, name, template):
        return docker("inspect", "--format", template, f"{self.project}-{name}")

    def current(self):
        link = self.directory / "current"
        return os.path.basename(os.readlink(link)) if link.is_symlink() else ""

    def record(self, identifier):
        return json.loads((self.directory / "releases" / identifier / "release.json").read_text())

    def get(self, port=None, path="/"):
        import urllib.request

        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.backend}{path}", timeout=10) as response:
            return response.read().decode()

    def wait_for(self, predicate, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if predicate():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError("waited in vain")

    def clean(self):
        ids = docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}").split()
        if ids:
            docker("rm", "--force", "--volumes", *ids)
        for kind in ("volume", "network"):
            found = docker(kind, "ls", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}").split()
            if found:
                docker(kind, "rm", *found)


@pytest.fixture
def application(tmp_path, images, program):
    app = Application(tmp_path, program)
    yield app
    app.clean()
