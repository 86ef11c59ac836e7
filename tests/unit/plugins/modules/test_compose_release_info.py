# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader as a form."""

from __future__ import annotations

import yaml

from ansible_collections.bluegreen.aws.plugins.module_utils._host import info
from ansible_collections.bluegreen.aws.plugins.modules import compose_release_info


def test_documentation_and_options_agree():
    documented = yaml.safe_load(compose_release_info.DOCUMENTATION)["options"]
    spec = compose_release_info.argument_spec()
    assert {name: entry["type"] for name, entry in documented.items()} == {name: entry["type"] for name, entry in spec.items()}


def test_it_reads_the_directory_that_is_named(monkeypatch):
    monkeypatch.setattr(info, "read", lambda host: {"current": host.store.directory})

    class Module:
        params = {"project": "popcon", "directory": "/opt/popcon"}  # noqa: RUF012

    assert compose_release_info.run(Module()) == {"current": "/opt/popcon"}
    documented = yaml.safe_load(compose_release_info.RETURN)
    assert set(documented) == {"current", "releases", "services", "lock", "interrupted"}
