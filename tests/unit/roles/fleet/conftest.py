# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of booting.py."""

from __future__ import annotations

from booting import boot, cloud, startup  # noqa: F401  # pylint: disable=unused-import
