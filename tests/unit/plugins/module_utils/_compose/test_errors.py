# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception family."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import errors


@pytest.mark.parametrize("kind", [errors.InvalidInput, errors.ReleaseFailed, errors.Busy, errors.Interrupted])
def test_one_except_catches_them_all(kind):
    with pytest.raises(errors.ComposeReleaseError, match="why"):
        raise kind("why")
