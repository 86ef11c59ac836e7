# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the instance tells its containers, and the step from root to the program's own user; starts nothing that stays."""

from __future__ import annotations

import os
import pathlib
import pwd

ENVIRONMENT = pathlib.Path("/etc/environment")
"""The instance's own file, mounted read-only: a container does not see the machine-wide environment otherwise."""

_TAKEN = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
USER = "monitor"


class WrongSetting(Exception):
    """A setting that cannot work; the message is one sentence."""


def take_environment(path: pathlib.Path = ENVIRONMENT) -> None:
    """Take AWS's settings (endpoint, region) and the proxy's from the machine, where the container has none of its own."""
    for name, value in machine_wide(path).items():
        os.environ.setdefault(name, value)
    # botocore reads the one, the other SDKs read the other.
    for name, other in (("AWS_REGION", "AWS_DEFAULT_REGION"), ("AWS_DEFAULT_REGION", "AWS_REGION")):
        if os.environ.get(other):
            os.environ.setdefault(name, os.environ[other])


def machine_wide(path: pathlib.Path) -> dict[str, str]:
    """The names in pam_env's file that are taken; empty when there is none."""
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.startswith(_TAKEN):
            found[name] = value.strip().strip("\"'")
    return found


def required(name: str) -> str:
    """A setting's value. Raises WrongSetting when it is missing or empty."""
    value = os.environ.get(name, "")
    if not value:
        raise WrongSetting(f"Cannot start: {name} is not set.")
    return value


def endpoint(service: str) -> str:
    """The service's endpoint as the AWS SDKs read it from the environment; empty means AWS's own."""
    return os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL", "")


def give(folder: pathlib.Path, user: str = USER) -> None:
    """Give a folder, and what is in it, to the user that is about to write there; nothing to do when it has it."""
    entry = pwd.getpwnam(user)
    for path in [folder, *folder.rglob("*")]:
        if path.stat().st_uid != entry.pw_uid:
            os.chown(path, entry.pw_uid, entry.pw_gid)


def drop(user: str = USER) -> None:
    """Go on as this user, for good."""
    if os.geteuid() != 0:
        return
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def become(program: str, *words: str) -> None:
    """Be another program, as the user; never returns."""
    drop()
    os.execvp(program, words)  # noqa: S606 - the program is one of this image's own
