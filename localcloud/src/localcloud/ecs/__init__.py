# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS on Fargate: the API's state, a pure scheduler, and tasks that are containers in a VPC's Docker network."""

from __future__ import annotations
