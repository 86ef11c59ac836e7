# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches every client from the moment that pytest collects this directory, thus in all tests of a whole run."""

from __future__ import annotations

from . import watch

watch.install()
