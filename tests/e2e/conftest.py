# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run that builds popcon, watched: every test but those of the empty environment stands on it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import world

GIVEN = "given-by-env-7319"


class Processes:
    """Every command line seen on this machine, containers' included, while something runs."""

    def __enter__(self):
        self.seen = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def _run(self):
        while not self._stop.wait(0.02):
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    try:
                        self.seen.add(Path(entry.path, "cmdline").read_bytes())
                    except OSError:
                        continue

    def __exit__(self, *_unused):
        self._stop.set()
        self._thread.join()


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """{"result", "processes", "home"} of site.yml at -vvv; the controller's HOME and TMPDIR are a folder of their own."""
    home = tmp_path_factory.mktemp("home")
    docker = os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker"))
    env = {"POPCON_DB_USERNAME": GIVEN, "HOME": str(home), "TMPDIR": str(home), "DOCKER_CONFIG": docker}
    with Processes() as processes:
        result = world.run("site", "-vvv", "--diff", env=env, timeout=1200)
    assert result.code == 0, result.output[-6000:]
    return {"result": result, "processes": processes.seen, "home": home}
