# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The docker command line as functions; decides nothing and translates every failure into one sentence."""

from __future__ import annotations

import json

from .._compose import dockererrors, names, observed
from .._compose.errors import ComposeReleaseError, InvalidInput
from .._compose.redact import Redactor


class Docker:
    """One instance's Engine and Compose, for one project."""

    def __init__(self, run, project: str, redact: Redactor):
        self._run = run
        self._project = project
        self._redact = redact

    def _fail(self, kind, attempt: str, result, *, registry: bool = False):
        return kind(dockererrors.sentence(attempt, self._redact(result.text), registry=registry))

    def check_versions(self) -> None:
        """InvalidInput when Docker does not run or is too old."""
        engine = self._run(["docker", "version", "--format", "{{.Server.Version}}"], timeout=60)
        if engine.rc == 127:
            raise InvalidInput(
                "Cannot release: this instance has no docker command. Install Docker (Debian: docker.io). Nothing was changed."
            )
        if not engine.ok:
            raise self._fail(InvalidInput, "ask Docker for its version", engine)
        compose = self._run(["docker", "compose", "version", "--short"], timeout=60)
        dockererrors.check_versions(engine.stdout.strip(), compose.stdout.strip() if compose.ok else "")

    # -- containers

    def containers(self, project: str = "") -> list:
        """All containers of the project, running or not."""
        listed = self._run(
            ["docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={names.COMPOSE_PROJECT}={project or self._project}"]
        )
        if not listed.ok:
            raise self._fail(ComposeReleaseError, f"list the containers of {self._project}", listed)
        ids = listed.stdout.split()
        if not ids:
            return []
        # A container can go between the two commands; inspect then still prints the others.
        answer = self._run(["docker", "inspect", "--type", "container", *ids])
        if not answer.ok and "no such container" not in answer.stderr.lower():
            raise self._fail(ComposeReleaseError, f"read the containers of {self._project}", answer)  # silence is not "there are none"
        return observed.of_project(json.loads(answer.stdout or "[]"))

    def logs(self, container, lines: int = 25) -> str:
        answer = self._run(["docker", "logs", "--tail", str(lines), container.id], timeout=30)
        return self._redact(answer.text)

    def stop(self, containers: list, timeout: int) -> None:
        """SIGTERM, SIGKILL after ``timeout`` seconds, then removal; volumes stay. A container that is gone already is fine."""
        ids = [one.id for one in containers]
        if not ids:
            return
        self._run(["docker", "stop", "-t", str(timeout), *ids], timeout=timeout + 60)
        removed = self._run(["docker", "rm", "--force", *ids], timeout=120)
        if not removed.ok and "No such container" not in removed.text and "already in progress" not in removed.text:
            raise self._fail(ComposeReleaseError, f"remove the containers {', '.join(one.name for one in containers)}", removed)

    def pause_work(self, container, timeout: int) -> None:
        """Stops a container and keeps it, to be started again."""
        stopped = self._run(["docker", "stop", "-t", str(timeout), container.id], timeout=timeout + 60)
        if not stopped.ok:
            raise self._fail(ComposeReleaseError, f"stop {container.name}", stopped)

    def resume_work(self, container) -> None:
        started = self._run(["docker", "start", container.id], timeout=60)
        if not started.ok:
            raise self._fail(ComposeReleaseError, f"start {container.name} again", started)

    def signal(self, container, name: str) -> None:
        sent = self._run(["docker", "kill", "--signal", name, container.id], timeout=60)
        if not sent.ok:
            raise self._fail(ComposeReleaseError, f"signal {name} to {container.name}", sent)

    def processes(self, container) -> int:
        """Number of processes in a container; 0 when it does not run."""
        answer = self._run(["docker", "top", container.id, "-eo", "pid"], timeout=60)
        return max(len(answer.stdout.split()) - 1, 0) if answer.ok else 0

    # -- images

    def image(self, reference: str):
        """Details of a local image (see observed.image_details), or None."""
        answer = self._run(["docker", "image", "inspect", reference], timeout=60)
        if not answer.ok and "no such image" not in answer.stderr.lower():
            raise self._fail(ComposeReleaseError, f"look for image {reference}", answer)
        items = json.loads(answer.stdout or "[]") if answer.ok else []
        return observed.image_details(items[0]) if items else None

    def pull(self, reference: str, service: str, config: str) -> None:
        """``config`` is a directory with the registry's login, or empty."""
        env = {"DOCKER_CONFIG": config} if config else {}
        answer = self._run(["docker", "pull", "--quiet", reference], timeout=1800, env=env)
        if not answer.ok:
            raise self._fail(InvalidInput, f"pull {reference} for service '{service}'", answer, registry=True)

    def login(self, host: str, user: str, password: str, config: str) -> None:
        """Logs in for those who use ``config`` as DOCKER_CONFIG; the password goes through standard input."""
        answer = self._run(
            ["docker", "login", "--username", user, "--password-stdin", host], stdin=password, timeout=60, env={"DOCKER_CONFIG": config}
        )
        if not answer.ok:
            raise self._fail(InvalidInput, f"log in to the registry {host}", answer, registry=True)

    def remove_image(self, reference: str) -> bool:
        """Removes the reference, and the image if nothing else uses it; False when something does."""
        return self._run(["docker", "image", "rm", reference], timeout=120).ok

    def check_proxy(self, image: str, directory: str, mount: str) -> None:
        """Lets the proxy read its configuration; InvalidInput when it does not accept it or the image has no HAProxy."""
        answer = self._run(
            ["docker", "run", "--rm", "--network", "none", "--entrypoint", "haproxy", "--user", "0:0",
             "--volume", f"{directory}:{mount}:ro", image, "-c", "-f", f"{mount}/haproxy.cfg"],
            timeout=120,
        )  # fmt: skip
        if not answer.ok:
            raise self._fail(InvalidInput, f"check the proxy's configuration with image {image}", answer)

    # -- compose

    def _compose(self, directory: str, environment_file: str, *rest: str, file: str = "-", stdin: str = "", timeout: float = 600.0):
        args = ["docker", "compose", "--project-name", self._project, "--project-directory", directory]
        if environment_file:
            args += ["--env-file", environment_file]
        return self._run([*args, "--file", file, *rest], stdin=stdin, timeout=timeout)

    def configuration(self, directory: str, environment_file: str, file: str) -> dict:
        """The resolved compose file as data; secrets in it stay in this process."""
        answer = self._compose(directory, environment_file, "config", "--format", "json", file=file, timeout=60)
        if not answer.ok:
            # Compose names the temporary or release directory; the reader knows the file by its name.
            text = self._redact(answer.stderr or answer.stdout).replace(directory + "/", "")
            raise InvalidInput(
                f"Cannot release {self._project}: the compose file is not valid: {dockererrors.last_line(text)}. "
                "Correct it ('docker compose config' shows the same). Nothing was changed."
            )
        return json.loads(answer.stdout)

    def variable(self, directory: str, environment_file: str, name: str):
        """The value of a variable as Compose reads it from the ``.env``, or None when it is not set."""
        probe = {"services": {"probe": {"image": "probe", "environment": {"VALUE": f"${{{name}}}", "SET": f"${{{name}+set}}"}}}}
        answer = self._compose(directory, environment_file, "config", "--format", "json", stdin=json.dumps(probe), timeout=60)
        if not answer.ok:
            raise self._fail(InvalidInput, f"read the variable {name} of .env", answer)
        found = json.loads(answer.stdout)["services"]["probe"]["environment"]
        return found["VALUE"].replace("$$", "$") if found["SET"] else None

    def compose_hashes(self, directory: str, environment_file: str, file: str) -> dict:
        """Compose's own hash per service, as on the containers that plain Compose made."""
        answer = self._compose(directory, environment_file, "config", "--hash", "*", file=file, timeout=60)
        pairs = [line.split() for line in answer.stdout.splitlines()] if answer.ok else []
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    def up(self, directory: str, environment_file: str, project: dict, service: str, *flags: str, stop_timeout=None) -> None:
        """Creates and starts one service of a generated model, without what it depends on. The model goes through standard input."""
        args = ["up", "--detach", "--no-deps", "--no-build", "--pull", "never", *flags]
        if stop_timeout is not None:
            args += ["--timeout", str(stop_timeout)]
        answer = self._compose(directory, environment_file, *args, service, stdin=json.dumps(project))
        if not answer.ok:
            raise self._fail(ComposeReleaseError, f"start {service}", answer)
