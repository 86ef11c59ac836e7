# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, labels and ids."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import names
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput


def test_the_other_colour():
    assert [names.other(colour) for colour in ("blue", "green", "")] == ["green", "blue", "blue"]


@pytest.mark.parametrize(("text", "valid"), [("20261121T041530Z-ab12", True), ("20261121T041530Z", False), ("x", False), ("../etc", False)])
def test_release_ids(text, valid):
    assert names.is_release_id(text) is valid


def test_release_ids_sort_by_time():
    assert names.release_id("20261121T041530Z", "ff00") < names.release_id("20261121T041531Z", "0000")


@pytest.mark.parametrize("name", ["Popcon", "pop con", "-x", ""])
def test_a_project_that_compose_would_refuse(name):
    with pytest.raises(InvalidInput, match="only lower-case letters"):
        names.check_project(name)


def test_names_of_containers():
    assert names.container_name("popcon", names.worker_service("backend", "blue"), 2) == "popcon-backend-blue-2"
