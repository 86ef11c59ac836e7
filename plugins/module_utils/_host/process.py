# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Starts a program from an argument list and returns what it said; gives it a clean environment and no secret in its arguments."""

from __future__ import annotations

import os
import subprocess
import typing as t
from dataclasses import dataclass

# Nothing else of the caller's environment reaches Compose, so that a stray variable cannot win over .env.
_PASSED = (
    "PATH", "HOME", "USER", "TMPDIR", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG",
    "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """Exit code and both outputs of a program."""

    rc: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        return self.rc == 0

    @property
    def text(self) -> str:
        return "\n".join(part for part in (self.stdout, self.stderr) if part)


class Runner:
    """Runs programs. ``held`` are file descriptors that children keep open: a lock lives as long as anything that works under it."""

    def __init__(self, held=()):
        self.held = list(held)

    def __call__(self, args: list, *, stdin: str = "", timeout: float = 600.0, env: t.Optional[dict] = None) -> Result:
        """Runs to the end. A program that is missing gives rc 127, one killed after ``timeout`` seconds rc 124."""
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        environment.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        environment.update({"LC_ALL": "C.UTF-8", "DOCKER_CLI_HINTS": "false", "COMPOSE_ANSI": "never", "COMPOSE_PROGRESS": "plain"})
        environment.update(env or {})
        try:
            done = subprocess.run(
                args,
                input=stdin.encode("utf-8", "surrogateescape"),
                capture_output=True,
                timeout=timeout,
                env=environment,
                pass_fds=tuple(self.held),
                check=False,
            )
        except FileNotFoundError:
            return Result(127, "", f"{args[0]}: command not found")
        except subprocess.TimeoutExpired:
            return Result(124, "", f"{args[0]} {args[1] if len(args) > 1 else ''} took longer than {timeout:g} s")
        return Result(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
