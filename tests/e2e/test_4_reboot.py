# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance reboots under Ansible's own module, over the session that the reboot ends, and the application comes back."""

from __future__ import annotations

import subprocess
import time
import urllib.error

import pytest
import world

pytestmark = pytest.mark.usefixtures("built")


def test_a_reboot_is_survived_by_the_run_and_by_the_application():
    before, boot = world.release(), world.on_instance("cat /proc/sys/kernel/random/boot_id")
    words = [str(world.ROOT / ".venv/bin/ansible"), "component_app", "-i", "inventories/popcon", "-b", "-m", "ansible.builtin.reboot"]
    done = subprocess.run(
        [*words, "-a", "reboot_timeout=120"], cwd=world.ROOT, env=world.environment(), text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"rebooted": true' in done.stdout
    assert world.on_instance("cat /proc/sys/kernel/random/boot_id") != boot
    deadline = time.monotonic() + 90
    while True:
        try:
            assert world.get(f"{world.url(3000)}/healthz")[0] == 200
            break
        except (OSError, urllib.error.URLError):
            assert time.monotonic() < deadline, "the application did not come back"
            time.sleep(0.5)
    assert world.release() == before
    result = world.deploy()
    assert (result.code, result.changed()) == (0, 0), result.output
