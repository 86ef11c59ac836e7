# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' and Alertmanager's data to S3, and back: the group of one comes back with it, in whichever zone it starts.

Blocks never change, so each is uploaded once. The write-ahead log is copied as a crash would leave it: its segments only grow, and
Prometheus repairs a torn end when it starts (https://prometheus.io/docs/prometheus/latest/storage/). It is opened before the blocks
are listed; what a compaction moves from one to the other meanwhile is then in both, never in neither.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import signal
import sys
import threading
import time
import typing as t

import botocore.exceptions
import botocore.session

from . import exposition, machine

FAILURES = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, OSError, ValueError, KeyError)
MANIFEST = "manifest.json"
PORT = 9107


@dataclasses.dataclass(frozen=True)
class File:
    """A file of a snapshot: which program's (`root`), path below its data, and as many bytes of it as belong to the snapshot."""

    root: str
    path: str
    size: int

    @property
    def key(self) -> str:
        return f"{self.root}/{self.path}"

    @property
    def grows(self) -> bool:
        """Whether the same name may hold more, or something else, the next time."""
        return self.root != "prometheus" or self.path.startswith("wal/")


@dataclasses.dataclass(frozen=True)
class Restored:
    """What a restore brought: number of files, their bytes, and when the snapshot was taken (UTC; empty when there was none)."""

    files: int
    bytes: int
    taken: str


class Store:
    """A prefix of a bucket: `files/<root>/<path>`, and a manifest that is written last and names what belongs together."""

    def __init__(self, client: t.Any, bucket: str, prefix: str):
        self._client, self._bucket, self._prefix = client, bucket, prefix.strip("/")

    def save(self, roots: dict[str, pathlib.Path]) -> int:
        """Take one snapshot; return the bytes sent. Raises one of FAILURES; the one before is then whole."""
        with contextlib.ExitStack() as held:
            files = [(file, held.enter_context(opened)) for file, opened in _growing(roots)]
            blocks = list(_blocks(roots["prometheus"]))
            before = self._sizes()
            sent = 0
            for file in blocks:
                if before.get(file.key) != file.size:
                    with (roots["prometheus"] / file.path).open("rb") as stream:
                        sent += self._put(file, stream)
            last = max((file.path for file, _stream in files if file.path.startswith("wal/0")), default="")
            for file, stream in files:
                if file.root != "prometheus" or file.path == last or before.get(file.key) != file.size:
                    sent += self._put(file, stream)
        wanted = [*blocks, *(file for file, _stream in files)]
        taken = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = json.dumps({"taken": taken, "files": [dataclasses.asdict(file) for file in wanted]})
        self._client.put_object(Bucket=self._bucket, Key=self._name(MANIFEST), Body=body.encode())
        self._remove(set(before) - {file.key for file in wanted})
        return sent

    def restore(self, root: str, folder: pathlib.Path) -> Restored:
        """Download one program's files of the last snapshot; none when there is none. Raises one of FAILURES, and nothing stays."""
        try:
            manifest = json.load(self._client.get_object(Bucket=self._bucket, Key=self._name(MANIFEST))["Body"])
        except self._client.exceptions.NoSuchKey:
            return Restored(0, 0, "")
        files = [File(**entry) for entry in manifest["files"] if entry["root"] == root]
        made = []
        try:
            for file in files:
                path = folder / file.path
                if not path.resolve().is_relative_to(folder.resolve()):
                    raise ValueError(f"the snapshot names {file.path}, outside the data")
                path.parent.mkdir(parents=True, exist_ok=True)
                made.append(path)
                self._get(file, path)
        except BaseException:
            for path in made:
                path.unlink(missing_ok=True)
            for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
                with contextlib.suppress(OSError):
                    path.rmdir()
            raise
        return Restored(len(files), sum(file.size for file in files), manifest["taken"])

    def _name(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _put(self, file: File, stream: t.BinaryIO) -> int:
        body = stream.read(file.size)
        if len(body) < file.size:
            raise OSError(f"{file.key} became shorter while it was read")
        self._client.put_object(Bucket=self._bucket, Key=self._name(f"files/{file.key}"), Body=body)
        return file.size

    def _get(self, file: File, path: pathlib.Path) -> None:
        body = self._client.get_object(Bucket=self._bucket, Key=self._name(f"files/{file.key}"))["Body"].read()
        if len(body) < file.size:
            raise OSError(f"{file.key} has {len(body)} bytes in the bucket and {file.size} in the manifest")
        # A segment may have grown after the manifest was written; more of a log is no harm, less is.
        path.write_bytes(body)

    def _sizes(self) -> dict[str, int]:
        start = self._name("files/")
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start)
        return {item["Key"].removeprefix(start): item["Size"] for page in pages for item in page.get("Contents", [])}

    def _remove(self, keys: set[str]) -> None:
        names = [{"Key": self._name(f"files/{key}")} for key in sorted(keys)]
        for start in range(0, len(names), 1000):
            self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": names[start : start + 1000], "Quiet": True})


def _growing(roots: dict[str, pathlib.Path]) -> t.Iterator[tuple[File, t.BinaryIO]]:
    """The write-ahead log with its checkpoint, and Alertmanager's files; open, so that they can be read when they are gone."""
    for root, folder in roots.items():
        found = sorted((folder / "wal").rglob("*")) if root == "prometheus" else [folder / "silences", folder / "nflog"]
        for path in found:
            if path.is_file() and ".tmp" not in str(path):
                stream = path.open("rb")
                yield File(root, path.relative_to(folder).as_posix(), os.fstat(stream.fileno()).st_size), stream


def _blocks(data: pathlib.Path) -> t.Iterator[File]:
    """Files of whole blocks; meta.json is what Prometheus writes last."""
    for meta in sorted(data.glob("*/meta.json")):
        if "." in meta.parent.name:  # being written, or being removed
            continue
        for path in sorted(meta.parent.rglob("*")):
            if path.is_file():
                yield File("prometheus", path.relative_to(data).as_posix(), path.stat().st_size)


def store() -> Store:
    """The store that the environment names: SNAPSHOT_BUCKET and SNAPSHOT_PREFIX."""
    client = botocore.session.get_session().create_client("s3")
    return Store(client, machine.required("SNAPSHOT_BUCKET"), os.environ.get("SNAPSHOT_PREFIX", ""))


def start(_words: list[str]) -> None:
    """Take a snapshot every SNAPSHOT_SECONDS, and a last one at SIGTERM; tell Prometheus how that went."""
    where = store()
    every = float(os.environ.get("SNAPSHOT_SECONDS", "300"))
    roots = {"prometheus": pathlib.Path("/prometheus"), "alertmanager": pathlib.Path("/alertmanager")}
    machine.drop()
    series = exposition.Series()
    series.set("snapshots_failures_total", 0, "counter", "Snapshots that could not be taken.")
    exposition.serve(PORT, series.text)
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_unused: end.set())
    while True:
        last = end.is_set()
        _once(where, roots, series)
        if last:
            return
        end.wait(every)


def _once(where: Store, roots: dict[str, pathlib.Path], series: exposition.Series) -> None:
    began = time.monotonic()
    try:
        sent = where.save(roots)
    except FAILURES as error:
        series.add("snapshots_failures_total")
        print(f"Failed to take a snapshot: {error}. The one before is whole.", file=sys.stderr, flush=True)
        return
    series.set("snapshots_last_success_timestamp_seconds", time.time(), "gauge", "When the last snapshot was complete.")
    series.set("snapshots_last_sent_bytes", sent, "gauge", "What the last snapshot uploaded.")
    series.set("snapshots_last_duration_seconds", time.monotonic() - began, "gauge", "How long the last snapshot took.")
