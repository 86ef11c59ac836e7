# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the action ``canary`` as an argument spec; documented in plugins/modules/canary.py, which a test compares with this."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

GATE = {
    "hold_s": {"type": "float"},
    "timeout_s": {"type": "float"},
    "min_requests": {"type": "int"},
    "metrics": {"type": "bool"},
    "pause": {"type": "bool"},
}
LIMITS = {
    "error_rate": {"type": "float"},
    "client_error_rate": {"type": "float"},
    "ratio": {"type": "float"},
    "latency_tolerance": {"type": "float"},
    "latency_floor_ms": {"type": "float"},
    "alpha": {"type": "float"},
    "beta": {"type": "float"},
}
PROBE = {
    "url": {"type": "str", "required": True},
    "header": {"type": "str", "default": "X-App-Colour"},
    "headers": {"type": "dict", "default": {}},
    "rate": {"type": "float", "default": 20.0},
    "boost": {"type": "float", "default": 5.0},
    "timeout_s": {"type": "float", "default": 5.0},
    "ca_file": {"type": "path"},
}
PROMETHEUS = {
    "url": {"type": "str", "required": True},
    "requests": {"type": "str", "required": True},
    "errors": {"type": "str", "required": True},
    "client_errors": {"type": "str"},
    "p95_s": {"type": "str"},
    "period_s": {"type": "float", "default": 10.0},
}
ECS = {
    "cluster": {"type": "str", "required": True},
    "services": {"type": "dict", "required": True},
}
SPEC = {
    "load_balancer": {"type": "str", "required": True},
    "listener_port": {"type": "int", "default": 80},
    "rule_priority": {"type": "int"},
    "required_tags": {"type": "dict", "default": {}},
    "colours": {"type": "dict", "required": True},
    "candidate": {"type": "str"},
    "plan": {"type": "list", "elements": "raw", "required": True},
    "gate": {"type": "dict", "options": GATE, "default": {}},
    "limits": {"type": "dict", "options": LIMITS, "default": {}},
    "probe": {"type": "dict", "options": PROBE},
    "cloudwatch": {"type": "bool", "default": True},
    "history_s": {"type": "int", "default": 3600},
    "prometheus": {"type": "dict", "options": PROMETHEUS},
    "ecs": {"type": "dict", "options": ECS},
    "alarms": {"type": "list", "elements": "str", "default": []},
    "lead_in_s": {"type": "float", "default": 5.0},
    "deadline_s": {"type": "float", "default": 0.0},
    "on_inconclusive": {"type": "str", "choices": ["rollback", "pause"], "default": "rollback"},
    "record": {"type": "str", "required": True},
    "evidence": {"type": "path"},
    "watchdog": {"type": "bool", "default": True},
    **aws_argument_spec(),
}
