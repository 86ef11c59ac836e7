# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts one program of the monitoring instance: `prometheus`, `alertmanager`, `blackbox`, `cloudwatch` or `snapshots`."""

from __future__ import annotations

import sys

from . import alertmanager, cloudwatch, machine, prometheus, snapshots

PROGRAMS = {
    "prometheus": prometheus.start,
    "alertmanager": alertmanager.start,
    "blackbox": lambda words: machine.become("prometheus-blackbox-exporter", "prometheus-blackbox-exporter", *words),
    "cloudwatch": cloudwatch.start,
    "snapshots": snapshots.start,
}


def main() -> int:
    """Exit code 2 and one sentence for a wrong call or a wrong setting."""
    name, words = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if name not in PROGRAMS:
        print(f"Cannot start '{name}': it is none of {', '.join(PROGRAMS)}.", file=sys.stderr)
        return 2
    machine.take_environment()
    try:
        PROGRAMS[name](words)
    except machine.WrongSetting as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
