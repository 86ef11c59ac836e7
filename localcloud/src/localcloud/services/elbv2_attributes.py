# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes of application load balancers, listeners and target groups: names, defaults, which values they take; pure."""

from __future__ import annotations

import re

from .query_protocol import ApiError

BOOL = r"true|false"
ANY = r".*"

# Attribute -> (default, pattern of values, least, most). Limits are those of numbers.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
Table = dict[str, tuple[str, str, int | None, int | None]]

BALANCER: Table = {
    "access_logs.s3.enabled": ("false", BOOL, None, None),
    "access_logs.s3.bucket": ("", ANY, None, None),
    "access_logs.s3.prefix": ("", ANY, None, None),
    "connection_logs.s3.enabled": ("false", "false", None, None),
    "connection_logs.s3.bucket": ("", ANY, None, None),
    "connection_logs.s3.prefix": ("", ANY, None, None),
    "health_check_logs.s3.enabled": ("false", "false", None, None),
    "health_check_logs.s3.bucket": ("", ANY, None, None),
    "health_check_logs.s3.prefix": ("", ANY, None, None),
    "client_keep_alive.seconds": ("3600", r"\d+", 60, 604800),
    "deletion_protection.enabled": ("false", BOOL, None, None),
    "idle_timeout.timeout_seconds": ("60", r"\d+", 1, 4000),
    "load_balancing.cross_zone.enabled": ("true", "true", None, None),
    "routing.http.desync_mitigation_mode": ("defensive", "monitor|defensive|strictest", None, None),
    "routing.http.drop_invalid_header_fields.enabled": ("false", BOOL, None, None),
    "routing.http.preserve_host_header.enabled": ("false", BOOL, None, None),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": ("false", BOOL, None, None),
    "routing.http.xff_client_port.enabled": ("false", BOOL, None, None),
    "routing.http.xff_header_processing.mode": ("append", "append|preserve|remove", None, None),
    "routing.http2.enabled": ("true", BOOL, None, None),
    "waf.fail_open.enabled": ("false", BOOL, None, None),
    "zonal_shift.config.enabled": ("false", BOOL, None, None),
}
"""Of a load balancer. Values whose data plane does not exist here (connection logs, health check logs) cannot be switched on."""

GROUP: Table = {
    "deregistration_delay.timeout_seconds": ("300", r"\d+", 0, 3600),
    "load_balancing.algorithm.anomaly_mitigation": ("off", "off", None, None),
    "load_balancing.algorithm.type": ("round_robin", "round_robin|least_outstanding_requests|weighted_random", None, None),
    "load_balancing.cross_zone.enabled": ("use_load_balancer_configuration", "use_load_balancer_configuration|true", None, None),
    "slow_start.duration_seconds": ("0", r"\d+", 0, 900),
    "stickiness.app_cookie.cookie_name": ("", r"[!#$%&'*+.^_`|~0-9A-Za-z-]*", None, None),
    "stickiness.app_cookie.duration_seconds": ("86400", r"\d+", 1, 604800),
    "stickiness.enabled": ("false", BOOL, None, None),
    "stickiness.lb_cookie.duration_seconds": ("86400", r"\d+", 1, 604800),
    "stickiness.type": ("lb_cookie", "lb_cookie|app_cookie", None, None),
    "target_group_health.dns_failover.minimum_healthy_targets.count": ("1", "1", None, None),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": ("off", "off", None, None),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": ("1", "1", None, None),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": ("off", "off", None, None),
}
"""Of a target group. What the data plane has no counterpart for (anomaly mitigation, other health thresholds) cannot be changed."""

LISTENER: Table = {"routing.http.response.server.enabled": ("true", BOOL, None, None)}
"""Of a listener of an application load balancer."""


def defaults(table: Table) -> dict[str, str]:
    """The attributes of a new resource."""
    return {name: default for name, (default, _, _, _) in table.items()}


def checked(table: Table, given: list[dict[str, str]]) -> dict[str, str]:
    """Attributes to be set, by name; ApiError when one does not exist or does not take its value."""
    found: dict[str, str] = {}
    for attribute in given:
        name, value = attribute.get("Key", ""), attribute.get("Value", "")
        if name not in table:
            raise ApiError("ValidationError", f"Attribute key '{name}' is not recognized")
        _, pattern, least, most = table[name]
        if not re.fullmatch(pattern, value):
            raise ApiError("ValidationError", f"'{value}' is not a valid value for the attribute '{name}'")
        if least is not None and most is not None and not least <= int(value) <= most:
            raise ApiError("ValidationError", f"The value '{value}' of the attribute '{name}' must be between {least} and {most}")
        found[name] = value
    slow = int(found.get("slow_start.duration_seconds", "0"))
    if 0 < slow < 30:
        raise ApiError(
            "ValidationError", f"The value '{slow}' of the attribute 'slow_start.duration_seconds' must be 0 or between 30 and 900"
        )
    return found


def listed(attributes: dict[str, str]) -> list[dict[str, str]]:
    """Attributes as the API shows them."""
    return [{"Key": name, "Value": value} for name, value in attributes.items()]
