# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions and conditions of listeners and rules: checks them as AWS does and completes them to what AWS gives back; pure."""

from __future__ import annotations

import copy
import ipaddress
import re
import typing as t

from . import elbv2_logins as logins
from .elbv2_state import Action, Condition
from .query_protocol import ApiError

MOST_GROUPS = 5
MOST_WEIGHT = 999
MOST_STICKY_SECONDS = 604800
MOST_VALUES = 5

FIELDS = {
    # field -> its structure
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "path-pattern": "PathPatternConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
_REDIRECT = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}", "Query": "#{query}"}
_OURS = {"forward": "ForwardConfig", "redirect": "RedirectConfig", "fixed-response": "FixedResponseConfig"}


def actions(given: list[Action], before: list[Action], *, secure: bool) -> list[Action]:
    """The actions as they are kept; `before` are those that they replace. Whether their target groups exist is for the caller to see."""
    if not given:
        raise ApiError("ValidationError", "At least one action must be specified")
    authenticating, others = logins.split(given)
    if len(others) > 1:
        raise ApiError("TooManyActions", "A rule has exactly one action of the types forward, redirect and fixed-response")
    return [
        *(logins.checked(action, before, secure=secure) for action in authenticating),
        *(_action(copy.deepcopy(action)) for action in others),
    ]


def _action(action: Action) -> Action:
    kind = action.get("Type", "")
    if kind not in _OURS:
        raise ApiError("InvalidLoadBalancerAction", f"The local cloud does not provide actions of type '{kind}'")
    others = [name for name in ("ForwardConfig", "RedirectConfig", "FixedResponseConfig", "TargetGroupArn") if name in action]
    allowed = {_OURS[kind], "TargetGroupArn"} if kind == "forward" else {_OURS[kind]}
    if not set(others) <= allowed:
        raise ApiError("InvalidLoadBalancerAction", f"An action of type '{kind}' cannot have {', '.join(sorted(set(others) - allowed))}")
    match kind:
        case "forward":
            return _forward(action)
        case "redirect":
            return _redirect(action)
        case _:
            return _fixed(action)


def _forward(action: Action) -> Action:
    config = action.get("ForwardConfig") or {}
    arn = action.pop("TargetGroupArn", None)
    groups = config.get("TargetGroups") or ([{"TargetGroupArn": arn}] if arn else [])
    if not groups:
        raise ApiError("ValidationError", "A target group must be specified for an action of type 'forward'")
    arns = [group.get("TargetGroupArn") for group in groups]
    if arn and arns != [arn]:
        raise ApiError("InvalidLoadBalancerAction", "You cannot specify both a target group ARN and a forward config with others")
    if len(groups) > MOST_GROUPS:
        raise ApiError("InvalidLoadBalancerAction", f"A forward action can have up to {MOST_GROUPS} target groups")
    if len(set(arns)) < len(arns):
        raise ApiError("InvalidLoadBalancerAction", "A forward action cannot have the same target group twice")
    for group in groups:
        weight = group.setdefault("Weight", 1)
        if not 0 <= weight <= MOST_WEIGHT:
            raise ApiError("ValidationError", f"The weight '{weight}' of a target group must be between 0 and {MOST_WEIGHT}")
    sticky = config.setdefault("TargetGroupStickinessConfig", {"Enabled": False})
    sticky.setdefault("Enabled", False)
    if sticky["Enabled"] and not 1 <= sticky.get("DurationSeconds", 0) <= MOST_STICKY_SECONDS:
        raise ApiError("ValidationError", f"The duration of target group stickiness must be between 1 and {MOST_STICKY_SECONDS} seconds")
    kept = {"Type": "forward"}
    if len(groups) == 1:
        kept["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    if "Order" in action:
        kept["Order"] = action["Order"]
    return {**kept, "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky}}


def _redirect(action: Action) -> Action:
    config = {**_REDIRECT, **(action.get("RedirectConfig") or {})}
    if config.get("StatusCode") not in ("HTTP_301", "HTTP_302"):
        raise ApiError("ValidationError", "A redirect needs the status code HTTP_301 or HTTP_302")
    if config["Protocol"] not in ("HTTP", "HTTPS", "#{protocol}"):
        raise ApiError("ValidationError", f"'{config['Protocol']}' is not a protocol of a redirect")
    if config["Port"] != "#{port}" and not (config["Port"].isdigit() and 1 <= int(config["Port"]) <= 65535):
        raise ApiError("ValidationError", f"'{config['Port']}' is not a port of a redirect")
    if not config["Path"].startswith("/"):
        raise ApiError("ValidationError", "The path of a redirect must start with '/'")
    if all(config[name] == value for name, value in _REDIRECT.items() if name != "Query"):
        raise ApiError("InvalidLoadBalancerAction", "The redirect configuration is not valid because it creates a loop.")
    return {**action, "RedirectConfig": config}


def _fixed(action: Action) -> Action:
    config = action.get("FixedResponseConfig") or {}
    if not re.fullmatch(r"[245]\d\d", config.get("StatusCode", "")):
        raise ApiError("ValidationError", "A fixed response needs a status code of the form 2XX, 4XX or 5XX")
    config.setdefault("ContentType", "text/plain")
    if config["ContentType"] not in ("text/plain", "text/css", "text/html", "application/javascript", "application/json"):
        raise ApiError("ValidationError", f"'{config['ContentType']}' is not a content type of a fixed response")
    if len(config.get("MessageBody", "")) > 1024:
        raise ApiError("ValidationError", "The message body of a fixed response has at most 1024 characters")
    return {**action, "FixedResponseConfig": config}


def conditions(given: list[Condition]) -> list[Condition]:
    """The conditions as they are kept and shown."""
    if not given:
        raise ApiError("ValidationError", "A condition must be specified")
    kept = [_condition(copy.deepcopy(condition)) for condition in given]
    for field in ("host-header", "path-pattern", "source-ip", "http-request-method"):
        if sum(condition["Field"] == field for condition in kept) > 1:
            raise ApiError("InvalidConfigurationRequest", f"A rule can have only one '{field}' condition")
    if sum(len(_values(condition)) for condition in kept) > MOST_VALUES:
        raise ApiError("InvalidConfigurationRequest", f"A rule can have up to {MOST_VALUES} condition values")
    return kept


def _values(condition: Condition) -> list[t.Any]:
    return condition[FIELDS[condition["Field"]]].get("Values", [])


def _condition(condition: Condition) -> Condition:
    field = condition.get("Field", "")
    if field not in FIELDS:
        raise ApiError("ValidationError", f"Condition field '{field}' must be one of '[{', '.join(sorted(FIELDS))}]'")
    if condition.get("RegexValues") or (condition.get(FIELDS[field]) or {}).get("RegexValues"):
        raise ApiError("InvalidConfigurationRequest", "The local cloud has conditions with wildcards, not with regular expressions.")
    config = condition.get(FIELDS[field])
    simple = condition.pop("Values", None)
    if simple is not None and field not in ("host-header", "path-pattern"):
        raise ApiError("ValidationError", f"The 'Values' field is not compatible with '{field}'")
    if config is None:
        config = condition[FIELDS[field]] = {"Values": simple or []}
    values = config.get("Values") or []
    if not values:
        raise ApiError("ValidationError", "A condition value must be specified")
    for value in values:
        _check_value(field, value)
    if field == "http-header" and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}", config.get("HttpHeaderName", "")):
        raise ApiError("ValidationError", f"'{config.get('HttpHeaderName', '')}' is not the name of an HTTP header")
    if field in ("host-header", "path-pattern"):
        return {"Field": field, "Values": list(values), FIELDS[field]: config}
    return {"Field": field, FIELDS[field]: config}


def _check_value(field: str, value: t.Any) -> None:
    if field == "query-string":
        parts = [value.get("Key", ""), value.get("Value", "")]
        if not value.get("Value"):
            raise ApiError("ValidationError", "A 'Value' must be specified in 'QueryStringKeyValuePair'")
    else:
        parts = [value]
    if any(len(part) > 128 for part in parts) or not parts[-1]:
        raise ApiError("ValidationError", f"A '{field}' value has 1 to 128 characters")
    if any(not part.isprintable() for part in parts):
        raise ApiError("ValidationError", f"A '{field}' value has printable characters only")
    if field == "http-request-method" and not re.fullmatch(r"[A-Z_-]{1,40}", value):
        raise ApiError("ValidationError", f"'{value}' is not an HTTP method of up to 40 characters A-Z, hyphen and underscore")
    if field == "source-ip":
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise ApiError("ValidationError", f"'{value}' is not a valid CIDR block") from None
        if "/" not in value:
            raise ApiError("ValidationError", f"'{value}' is not a valid CIDR block")
