# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of a launch template by their numbers, of which some are gone."""

from __future__ import annotations

import dataclasses

import pytest

from localcloud.emulation.launch_templates import Versions


@dataclasses.dataclass
class Version:
    number: int


def test_a_version_that_was_deleted_is_not_there_and_its_number_stays_taken():
    versions = Versions([Version(1), Version(2), Version(3)])
    versions.deleted = {2, 3}
    assert versions[0].number == 1
    with pytest.raises(IndexError):
        versions[1]
    assert versions[-1].number == 1
    assert [one.number for one in versions] == [1]
    assert [one.number for one in versions[0:2]] == [1]
    assert len(versions) + 1 == 4
    versions.append(Version(4))
    assert versions[-1].number == 4
    assert versions[3].number == 4
