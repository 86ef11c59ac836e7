# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus: gives its discovery the endpoint of EC2, brings its data back when it has none, and becomes it."""

from __future__ import annotations

import os
import pathlib
import sys
import typing as t

import yaml

from . import machine, snapshots

GIVEN = pathlib.Path("/etc/prometheus/prometheus.yml")
USED = pathlib.Path("/run/monitor/prometheus.yml")
DATA = pathlib.Path("/data")


def start(words: list[str]) -> None:
    """Prometheus, with `words` as further arguments; never returns."""
    bring_back(DATA)
    configuration = yaml.safe_load(GIVEN.read_text(encoding="utf-8"))
    USED.parent.mkdir(parents=True, exist_ok=True)
    USED.write_text(yaml.safe_dump(with_endpoint(configuration, machine.endpoint("ec2")), sort_keys=False), encoding="utf-8")
    machine.give(DATA)
    machine.become("prometheus", "prometheus", f"--config.file={USED}", f"--storage.tsdb.path={DATA}", *words)


def with_endpoint(configuration: dict[str, t.Any], endpoint: str) -> dict[str, t.Any]:
    """The configuration with the endpoint in each EC2 discovery that names none: the Go SDK in it does not read AWS_ENDPOINT_URL."""
    if endpoint:
        for scrape in configuration.get("scrape_configs") or []:
            for discovery in scrape.get("ec2_sd_configs") or []:
                discovery.setdefault("endpoint", endpoint)
    return configuration


def bring_back(data: pathlib.Path) -> None:
    """Restore the last snapshot into an empty folder. Without a bucket, with data, or when S3 does not answer, nothing is done.

    A monitoring instance that starts empty is of more use than one that does not start.
    """
    bucket = os.environ.get("SNAPSHOT_BUCKET", "")
    if not bucket or any(path.name not in ("lost+found", "queries.active", "lock") for path in data.iterdir()):
        return
    try:
        restored = snapshots.store().restore("prometheus", data)
        print(f"restored {restored.files} files, {restored.bytes} bytes, of a snapshot of {restored.taken or 'no time'}", flush=True)
    except snapshots.FAILURES as error:
        print(f"Failed to restore the metrics from bucket {bucket}: {error}. Starting without them.", file=sys.stderr, flush=True)
