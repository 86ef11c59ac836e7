# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data plane of application load balancers: one HAProxy per load balancer, steered through its runtime API; no AWS API here."""

from __future__ import annotations
