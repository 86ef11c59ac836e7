# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a release."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import options
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput

GOOD = {"project": "popcon", "directory": "/opt/popcon", "source": "/tmp/bundle"}


def test_nothing_given_is_the_default():
    found = options.from_dict(dict(GOOD, images=None, health_timeout=None))
    assert (found.images, found.health_timeout, found.state, found.stop_timeout) == ({}, 120, "present", None)


def test_treatments():
    found = options.from_dict(dict(GOOD, services={"a": {"mode": "tcp", "ports": ["9", 8]}, "b": None})).treatments()
    assert (found["a"].mode, found["a"].ports, found["a"].strategy) == ("tcp", (8, 9), "auto")
    assert found["b"].strategy == "auto"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"project": ""}, "project is not given. Give the Compose project name."),
        ({"directory": None}, "directory is not given. Give the directory of the releases."),
        ({"directory": "opt"}, "directory 'opt' is not absolute"),
        ({"colour": "blue"}, "unknown option colour. Known are "),
        ({"state": "absent"}, "state is 'absent'. Use one of present, rolled_back."),
        ({"pull": "often"}, "pull is 'often'"),
        ({"registry": "acr"}, "registry is 'acr'"),
        ({"drain_timeout": -1}, "drain_timeout is -1. Give seconds, 0 or more."),
        ({"keep_releases": 0}, "keep_releases is 0. Keep at least 1."),
        ({"source": None}, "neither source nor files is given. Give one of them."),
        ({"files": {"a": "b"}}, "both source and files are given. Give one of them."),
        ({"source": None, "files": {"../a": "b"}}, "'../a' in files leaves the bundle"),
        ({"source": None, "files": {"/a": "b"}}, "'/a' in files leaves the bundle"),
        ({"parameters": {"DB-HOST": "/a"}}, "'DB-HOST' in parameters is not a variable name (letters, digits and '_'). Rename the key."),
        ({"parameters": {"DB_HOST": "/"}}, "parameters.DB_HOST names no parameter. Give its full name, for example /app/dev/DB_HOST."),
        ({"services": {"a": {"kind": "x"}}}, "services.a has the unknown key kind"),
        ({"services": {"a": {"strategy": "x"}}}, "services.a.strategy is 'x'. Use one of auto, replace, recreate, stay."),
        ({"services": {"a": {"mode": "udp"}}}, "services.a.mode is 'udp'. Use one of http, tcp."),
        ({"services": {"a": {"ports": ["http"]}}}, "services.a.ports is not a list of port numbers"),
    ],
)
def test_wrong_options(change, words):
    with pytest.raises(InvalidInput) as caught:
        options.from_dict(dict(GOOD, **change))
    assert words in str(caught.value)


def test_a_rollback_needs_no_bundle():
    assert options.from_dict({"project": "popcon", "directory": "/opt/popcon", "state": "rolled_back"}).release == ""
