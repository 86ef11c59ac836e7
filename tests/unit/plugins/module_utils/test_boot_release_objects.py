# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a release has to be written, and what the release is then."""

from __future__ import annotations

from ansible_collections.bluegreen.aws.plugins.module_utils import _boot_release as boot_release
from ansible_collections.bluegreen.aws.plugins.module_utils._compose import description

FILES = {"docker-compose.yml": "services: {}\n", "conf/a.yml": "a: 1\n"}
OPTIONS = {"project": "wealist", "directory": "/opt/wealist"}


def objects(program=b"program", **changes):
    return boot_release.wanted(program, "/config/", {**FILES, **changes})


def existing(items):
    return {item.key: (f"v-{item.key}", item.sha256) for item in items}


def test_the_program_and_each_file_have_a_key():
    digest = description.sha256(b"program")[:12]
    assert [item.key for item in objects()] == [f"boot/compose-release-{digest}.pyz", "config/conf/a.yml", "config/docker-compose.yml"]
    assert objects()[0].key != objects(program=b"another")[0].key


def test_only_what_differs_is_written():
    before = existing(objects())
    assert boot_release.to_write(objects(), before) == []
    changed = objects(**{"docker-compose.yml": "services: {web: {}}\n"})
    assert [item.key for item in boot_release.to_write(changed, before)] == ["config/docker-compose.yml"]
    missing = {**before, "config/conf/a.yml": None}
    assert [item.key for item in boot_release.to_write(objects(), missing)] == ["config/conf/a.yml"]


def test_the_release_pins_what_was_written():
    items = objects()
    made = boot_release.describe("wealist-prod-backend", items, {item.key: f"v-{item.key}" for item in items}, OPTIONS)
    assert made.program.key == items[0].key
    assert {path: pin.version for path, pin in made.files.items()} == {
        "conf/a.yml": "v-config/conf/a.yml",
        "docker-compose.yml": "v-config/docker-compose.yml",
    }
    assert made.options == OPTIONS


def test_a_diff_has_digests_and_no_content():
    items = objects()
    shown = boot_release.diff(items, {**existing(items), "config/conf/a.yml": None})
    assert set(shown["after"]) - set(shown["before"]) == {"config/conf/a.yml"}
    assert all(len(digest) == 12 for digest in shown["after"].values())
