# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs in the role's images, which are no part of the collection's Python."""

from __future__ import annotations

import pathlib
import sys

IMAGES = pathlib.Path(__file__).parents[4] / "roles/monitoring/files/images"
sys.path[:0] = [str(IMAGES / "server"), str(IMAGES / "agent")]
