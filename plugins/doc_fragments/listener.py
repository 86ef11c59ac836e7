# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which listener of an Application Load Balancer, or which of its rules, a module looks at or changes."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  load_balancer:
    description: Name of the load balancer.
    type: str
    required: true
  listener_port:
    description: Port of the listener.
    type: int
    default: 80
  rule_priority:
    description: Priority of the rule whose weights are meant. Without it those of the listener's default action are.
    type: int
"""
