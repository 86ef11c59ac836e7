# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alertmanager: puts its secrets where its configuration reads them, in memory, and becomes it."""

from __future__ import annotations

import os
import pathlib
import sys

from . import machine, snapshots

CONFIGURATION = "/etc/alertmanager/alertmanager.yml"
DATA = pathlib.Path("/data")
SECRETS = pathlib.Path("/run/monitor")
"""On a tmpfs. Environment variable -> file name; the configuration has *_file options for them."""
_FILES = {"DISCORD_WEBHOOK_URL": "discord", "DEADMAN_URL": "deadman"}


def start(words: list[str]) -> None:
    """Alertmanager, with `words` as further arguments; never returns."""
    SECRETS.mkdir(parents=True, exist_ok=True)
    for name, file in _FILES.items():
        # Alertmanager's own environment must not have it: its status page and crashes show what a process was started with.
        value = os.environ.pop(name, "").strip()
        if value:
            path = SECRETS / file
            path.touch(mode=0o600)
            path.write_text(value, encoding="utf-8")
    machine.give(SECRETS)
    if os.environ.get("SNAPSHOT_BUCKET") and not any(path.name in ("silences", "nflog") for path in DATA.iterdir()):
        try:
            snapshots.store().restore("alertmanager", DATA)
        except snapshots.FAILURES as error:
            print(f"Failed to restore the silences: {error}. Starting without them.", file=sys.stderr, flush=True)
    machine.give(DATA)
    # One of its kind: without an address to gossip at it does not look for others.
    fixed = (f"--config.file={CONFIGURATION}", f"--storage.path={DATA}", "--cluster.listen-address=")
    machine.become("prometheus-alertmanager", "prometheus-alertmanager", *fixed, *words)
