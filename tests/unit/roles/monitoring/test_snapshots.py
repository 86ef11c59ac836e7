# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of the metrics in a bucket, with a bucket in memory; molecule's scenario has a real one and a real Prometheus."""

from __future__ import annotations

import io
import json

import pytest
from monitor import prometheus, snapshots


class NoSuchKey(Exception):
    """As S3's client has it."""


class Bucket:
    """The five calls that are made. `refuses` names keys whose upload fails."""

    def __init__(self):
        self.objects, self.puts, self.refuses = {}, [], ()
        self.exceptions = type("Exceptions", (), {"NoSuchKey": NoSuchKey})

    def put_object(self, **given):
        if any(part in given["Key"] for part in self.refuses):
            raise OSError("the connection was reset")
        self.objects[given["Key"]] = given["Body"]
        self.puts.append(given["Key"])

    def get_object(self, **given):
        if given["Key"] not in self.objects:
            raise NoSuchKey(given["Key"])
        return {"Body": io.BytesIO(self.objects[given["Key"]])}

    def delete_objects(self, **given):
        for entry in given["Delete"]["Objects"]:
            del self.objects[entry["Key"]]

    def get_paginator(self, _name):
        return self

    def paginate(self, **given):
        contents = [{"Key": key, "Size": len(body)} for key, body in self.objects.items() if key.startswith(given["Prefix"])]
        return [{"Contents": contents[:1]}, {"Contents": contents[1:]}] if contents else [{}]


def block(data, name, text="x"):
    for path in (f"{name}/chunks/000001", f"{name}/index", f"{name}/meta.json"):
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_text(text)


def segment(data, number, text):
    (data / "wal").mkdir(exist_ok=True)
    (data / f"wal/{number:08}").write_text(text)


@pytest.fixture
def world(tmp_path):
    """(store, bucket, roots): a Prometheus with a block, a log of two segments and a checkpoint, and an Alertmanager with silences."""
    roots = {name: tmp_path / name for name in ("prometheus", "alertmanager")}
    for folder in roots.values():
        folder.mkdir()
    block(roots["prometheus"], "01BLOCK")
    segment(roots["prometheus"], 1, "one")
    segment(roots["prometheus"], 2, "tw")
    (roots["prometheus"] / "wal/checkpoint.00000000").mkdir()
    (roots["prometheus"] / "wal/checkpoint.00000000/00000000").write_text("before")
    (roots["alertmanager"] / "silences").write_text("silent")
    bucket = Bucket()
    return snapshots.Store(bucket, "bucket", "/data/test/"), bucket, roots


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_was_saved_comes_back(world, tmp_path):
    store, _bucket, roots = world
    store.save(roots)
    for root, folder in roots.items():
        target = tmp_path / f"new-{root}"
        target.mkdir()
        restored = store.restore(root, target)
        assert contents(target) == contents(folder)
        assert restored.files == len(contents(folder))
        assert restored.taken.endswith("Z")


def test_a_block_is_sent_once_and_the_open_segment_each_time(world):
    store, bucket, roots = world
    store.save(roots)
    bucket.puts.clear()
    segment(roots["prometheus"], 2, "two!")
    store.save(roots)
    assert sorted(bucket.puts) == [
        "data/test/files/alertmanager/silences",
        "data/test/files/prometheus/wal/00000002",
        "data/test/manifest.json",
    ]


def test_what_is_no_more_goes_after_the_new_manifest(world):
    store, bucket, roots = world
    store.save(roots)
    for path in sorted((roots["prometheus"] / "01BLOCK").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    block(roots["prometheus"], "02BLOCK")
    store.save(roots)
    assert not any("01BLOCK" in key for key in bucket.objects)
    assert any("02BLOCK" in key for key in bucket.objects)


def test_half_a_snapshot_leaves_the_one_before(world, tmp_path):
    store, bucket, roots = world
    store.save(roots)
    before = contents(roots["prometheus"])
    block(roots["prometheus"], "02BLOCK")
    bucket.refuses = ("02BLOCK/index",)
    with pytest.raises(OSError, match="reset"):
        store.save(roots)
    target = tmp_path / "new"
    target.mkdir()
    store.restore("prometheus", target)
    assert contents(target) == before


def test_blocks_that_are_being_made_or_removed_are_no_part(world):
    store, bucket, roots = world
    block(roots["prometheus"], "03BLOCK.tmp-for-creation")
    block(roots["prometheus"], "04BLOCK.tmp-for-deletion")
    (roots["prometheus"] / "05BLOCK").mkdir()  # no meta.json yet
    store.save(roots)
    assert {entry["path"].split("/")[0] for entry in json.loads(bucket.objects["data/test/manifest.json"])["files"]} == {
        "01BLOCK",
        "wal",
        "silences",
    }


def test_nothing_was_ever_saved(world, tmp_path):
    store, _bucket, _roots = world
    assert store.restore("prometheus", tmp_path) == snapshots.Restored(0, 0, "")


def test_a_broken_restore_leaves_nothing(world, tmp_path):
    store, bucket, roots = world
    store.save(roots)
    bucket.objects["data/test/files/prometheus/wal/00000002"] = b"t"  # shorter than the manifest says
    target = tmp_path / "new"
    target.mkdir()
    with pytest.raises(OSError, match="has 1 bytes in the bucket and 2 in the manifest"):
        store.restore("prometheus", target)
    assert list(target.iterdir()) == []


def test_a_manifest_does_not_lead_outside(world, tmp_path):
    store, bucket, _roots = world
    entry = {"root": "prometheus", "path": "../evil", "size": 1}
    bucket.objects["data/test/manifest.json"] = json.dumps({"taken": "x", "files": [entry]}).encode()
    target = tmp_path / "new"
    target.mkdir()
    with pytest.raises(ValueError, match="outside the data"):
        store.restore("prometheus", target)


@pytest.fixture
def kept(world, monkeypatch):
    """A snapshot in the bucket that the environment names; returns (store, bucket)."""
    store, bucket, roots = world
    store.save(roots)
    monkeypatch.setenv("SNAPSHOT_BUCKET", "bucket")
    monkeypatch.setattr(snapshots, "store", lambda: store)
    return store, bucket


def test_an_empty_prometheus_begins_with_the_snapshot(kept, tmp_path, capsys):
    data = tmp_path / "data"
    (data / "lost+found").mkdir(parents=True)  # a new volume
    prometheus.bring_back(data)
    assert (data / "wal/00000002").read_text() == "tw"
    assert capsys.readouterr().out.startswith("restored 6 files, ")


def test_one_that_has_data_keeps_them(kept, tmp_path):
    data = tmp_path / "data"
    (data / "wal").mkdir(parents=True)
    prometheus.bring_back(data)
    assert list((data / "wal").iterdir()) == []


def test_without_a_bucket_nothing_is_asked_for(kept, tmp_path, monkeypatch):
    monkeypatch.delenv("SNAPSHOT_BUCKET")
    data = tmp_path / "data"
    data.mkdir()
    prometheus.bring_back(data)
    assert list(data.iterdir()) == []


def test_a_bucket_that_fails_does_not_keep_it_from_starting(kept, tmp_path, capsys):
    _store, bucket = kept
    data = tmp_path / "data"
    data.mkdir()
    bucket.get_object = refused
    prometheus.bring_back(data)
    assert list(data.iterdir()) == []
    assert "Failed to restore the metrics from bucket bucket: access denied. Starting without them." in capsys.readouterr().err


def refused(**_given):
    raise OSError("access denied")
