# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The boot of an instance that an Auto Scaling group started: release as described in a bucket, then into service; and its command line.

python3 compose-release.pyz boot --bucket BUCKET --release KEY --group GROUP --hook HOOK

Whoever starts it (roles/fleet/files/begin.py) keeps what it says and abandons the instance when it fails.
"""

from __future__ import annotations

import argparse
import sys

from .._compose import description
from .._compose import options as release_options
from .._compose.errors import ComposeReleaseError, InvalidInput
from . import fleet, release
from .clock import Clock
from .host import Host

QUOTED = 300  # characters of a container's last line in the sentence that says why


def boot(wish, calls, say, *, instance=fleet.instance_id, perform=release.perform, clock=None) -> None:
    """Releases what ``wish`` (bucket, release, group, hook, region, endpoint_url) names, and lets the instance enter service.

    ComposeReleaseError when any of it is missing or the release does not become healthy; then the instance does not enter service.
    """
    time = clock or Clock()
    began = time.monotonic()
    name = instance()
    where = fleet.location(wish.bucket, wish.release)
    found = description.parse(_text(calls.read(wish.bucket, wish.release), where), where)
    say(f"{name} boots release {found.id} of {found.name}")
    texts = {}
    for path, pin in sorted(found.files.items()):
        texts[path] = _text(calls.pinned(wish.bucket, pin), fleet.location(wish.bucket, pin.key))
    own = {"files": texts, "actor": f"boot of {name}", "region": wish.region, "endpoint_url": wish.endpoint_url}
    host = Host(release_options.from_dict({**found.options, **own}), clock=time, report=lambda entry: say(entry["event"]))
    try:
        perform(host)
    except ComposeReleaseError as exc:
        raise type(exc)(host.redact(str(exc))) from exc
    for warning in host.warnings:
        say(f"warning: {host.redact(warning)}")
    calls.complete(wish.group, wish.hook, name, fleet.CONTINUE, time)
    say(f"{name} enters service after {time.monotonic() - began:.0f} s")


def _text(content: bytes, where: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        raise InvalidInput(
            f"Cannot boot from {where}: it is not UTF-8 text ({exc}). Run playbooks/deploy.yml, which writes it again."
        ) from exc


def _arguments(argv: list):
    parser = argparse.ArgumentParser(prog="compose-release boot", description="Release what a bucket describes, and enter service.")
    parser.add_argument("--bucket", required=True, help="bucket of the release")
    parser.add_argument("--release", required=True, help="key of its description")
    parser.add_argument("--group", required=True, help="Auto Scaling group of this instance")
    parser.add_argument("--hook", required=True, help="lifecycle hook that holds it back until it is healthy")
    parser.add_argument("--region", default="", help="AWS region (default: the environment's, or the instance's)")
    parser.add_argument("--endpoint-url", default="", help="endpoint of the AWS API (default: AWS_ENDPOINT_URL, or AWS)")
    return parser.parse_args(argv)


def main(argv: list) -> int:
    """Exit codes: 0 in service, 1 the release failed, 2 something is missing (nothing was started). The last line says why."""
    wish = _arguments(argv)

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    try:
        boot(wish, fleet.Fleet(wish.region, wish.endpoint_url), say)
    except ComposeReleaseError as exc:
        first, _newline, rest = str(exc).partition("\n")
        if rest:
            say(rest)
        if rest.strip() and first.endswith(":"):  # the line that says why announces others: it stands alone in a playbook's error
            first = f"{first} {rest.strip().splitlines()[-1][:QUOTED]}"
        say(first)
        return 2 if isinstance(exc, InvalidInput) else 1
    return 0
