# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The release as a command, for an instance that boots without Ansible: arguments and output, nothing else.

python3 compose-release.pyz deploy --config file.json
python3 compose-release.pyz rollback --config file.json [--release ID]
python3 compose-release.pyz info --config file.json
python3 compose-release.pyz boot --bucket … --release … --group … --hook …    (see boot.py)
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys

from .._compose import options as release_options
from .._compose.errors import ComposeReleaseError, InvalidInput
from . import boot, info, release
from .host import Host


def _arguments(argv: list):
    parser = argparse.ArgumentParser(prog="compose-release", description="Release a docker compose application without losing a request.")
    parser.add_argument("verb", choices=["deploy", "rollback", "info"], help="what to do")
    parser.add_argument("--config", required=True, help="JSON file; its keys are the options of the module compose_release")
    parser.add_argument("--release", default="", help="with rollback: id of the release to return to")
    parser.add_argument("--check", action="store_true", help="predict and change nothing")
    return parser.parse_args(argv)


def _options(arguments) -> release_options.Options:
    try:
        with open(arguments.config, encoding="utf-8") as stream:
            data = json.load(stream)
    except OSError as exc:
        raise InvalidInput(f"Cannot read {arguments.config}: {exc.strerror}. Give the path of the release's JSON file.") from exc
    except ValueError as exc:
        raise InvalidInput(f"Cannot read {arguments.config}: it is not JSON ({exc}). Correct it.") from exc
    if not isinstance(data, dict):
        raise InvalidInput(f"Cannot read {arguments.config}: it is not a JSON object. Its keys are the options of compose_release.")
    if arguments.verb != "deploy":
        data = {key: value for key, value in data.items() if key not in ("source", "files", "images", "parameters_path", "parameters")}
        data.update({"state": release_options.ROLLED_BACK, "release": arguments.release})
    return release_options.from_dict(data)


def _progress(entry: dict) -> None:
    with contextlib.suppress(OSError):  # a terminal that is gone does not end a release
        sys.stderr.write(f"{entry['seconds']:7.2f}  {entry['event']}\n")
        sys.stderr.flush()


def main(argv=None) -> int:
    """Exit codes: 0 done, 1 failed (the old release goes on), 2 the input is wrong (nothing was touched)."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["boot"]:
        return boot.main(words[1:])
    arguments = _arguments(words)
    try:
        host = Host(_options(arguments), report=_progress)
        reading = arguments.verb == "info"
        result = info.read(host) if reading else dataclasses.asdict(release.perform(host, check=arguments.check))
    except InvalidInput as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    except ComposeReleaseError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    sys.stdout.write(json.dumps(result, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
