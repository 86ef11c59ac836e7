"""What serves has the processor before what boots."""

from __future__ import annotations

import pathlib

import pytest

from localcloud.dataplane import containers


def test_containers_of_instances_have_the_weight(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpu").mkdir()
    monkeypatch.setattr(containers, "CGROUPS", tmp_path)
    for _again in range(2):
        containers.prefer_containers_of_instances("demo")
    assert (tmp_path / "cpu/localcloud-demo/cpu.shares").read_text() == str(containers.SERVING_SHARES)


def test_a_machine_without_the_controller_goes_on(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "CGROUPS", tmp_path)
    containers.prefer_containers_of_instances("demo")
    assert list(tmp_path.iterdir()) == []
