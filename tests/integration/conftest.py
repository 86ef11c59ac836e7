# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives this machine's docker the Compose of the virtual environment when it has none of its own; tests nothing."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

CONFIG = pathlib.Path(__file__).resolve().parents[2] / ".work/docker-config"


def pytest_configure(config):
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return
    plugins = CONFIG / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    link = plugins / "docker-compose"
    link.unlink(missing_ok=True)
    link.symlink_to(pathlib.Path(sys.executable).parent / "docker-compose")
    os.environ["DOCKER_CONFIG"] = str(CONFIG)
