"""A machine in memory whose file writes are steps of the outside world too."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._host import files

from .machine import Machine


@pytest.fixture
def machine(tmp_path, monkeypatch):
    made = Machine(tmp_path / "opt")
    real_write, real_link = files.write, files.link

    def write(path, text, mode=0o600):
        made.tick(f"write {path.rpartition('/')[2]}")
        real_write(path, text, mode)

    def link(target, path):
        made.tick("link current")
        real_link(target, path)

    monkeypatch.setattr(files, "write", write)
    monkeypatch.setattr(files, "link", link)
    return made
