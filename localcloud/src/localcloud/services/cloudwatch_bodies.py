# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudWatch objects to in the body of a dashboard: the rules that decide whether it can be drawn; pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
import typing as t

MOST_WIDGETS = 500
_TYPES = ("metric", "text", "log", "alarm", "explorer", "custom")
_NEEDED = {"text": ("markdown",), "log": ("query", "region"), "alarm": ("alarms",), "explorer": ("metrics",), "custom": ("endpoint",)}
_RANGES = {"x": (0, 23), "y": (0, None), "width": (1, 24), "height": (1, 1000)}

Objection = dict[str, str]


def objections(text: str) -> list[Objection]:
    """DashboardValidationMessages of a body that is refused; empty for one that is taken."""
    try:
        body = json.loads(text)
    except ValueError as error:
        return [_objection("", f"The field DashboardBody must be a valid JSON object: {error}")]
    if not isinstance(body, dict):
        return [_objection("", "The field DashboardBody must be a valid JSON object")]
    widgets = body.get("widgets", [])
    if not isinstance(widgets, list):
        return [_objection("/widgets", "Should be array")]
    if len(widgets) > MOST_WIDGETS:
        return [_objection("/widgets", f"Should NOT have more than {MOST_WIDGETS} items")]
    return [found for index, widget in enumerate(widgets) for found in _widget(widget, f"/widgets/{index}")]


def _widget(widget: t.Any, path: str) -> list[Objection]:
    if not isinstance(widget, dict):
        return [_objection(path, "Should be object")]
    found = [_objection(path, f"Should have required property '{name}'") for name in ("type", "properties") if name not in widget]
    if found:
        return found
    for name, (low, high) in _RANGES.items():
        if name in widget:
            found += _number(widget[name], low, high, f"{path}/{name}")
    kind, properties = widget["type"], widget["properties"]
    if kind not in _TYPES:
        return [*found, _objection(f"{path}/type", f"Should be equal to one of the allowed values: {', '.join(_TYPES)}")]
    if not isinstance(properties, dict):
        return [*found, _objection(f"{path}/properties", "Should be object")]
    return found + (_metric(properties, f"{path}/properties") if kind == "metric" else _needed(kind, properties, f"{path}/properties"))


def _number(value: t.Any, low: int, high: int | None, path: str) -> list[Objection]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return [_objection(path, "Should be number")]
    if value < low:
        return [_objection(path, f"Should be >= {low}")]
    return [_objection(path, f"Should be <= {high}")] if high is not None and value > high else []


def _needed(kind: str, properties: dict[str, t.Any], path: str) -> list[Objection]:
    return [_objection(path, f"Should have required property '{name}'") for name in _NEEDED[kind] if name not in properties]


def _metric(properties: dict[str, t.Any], path: str) -> list[Objection]:
    if "metrics" not in properties and "annotations" not in properties:
        return [_objection(path, "Should have required property 'metrics'")]
    found = [] if "region" in properties else [_objection(path, "Should have required property 'region'")]
    metrics = properties.get("metrics", [])
    if not isinstance(metrics, list):
        return [*found, _objection(f"{path}/metrics", "Should be array")]
    for index, metric in enumerate(metrics):
        if not isinstance(metric, list):
            found.append(_objection(f"{path}/metrics/{index}", "Should be array"))
        elif len(metric) < 2 and not (metric and isinstance(metric[0], dict)):  # a single object is an expression
            found.append(_objection(f"{path}/metrics/{index}", "Should NOT have fewer than 2 items"))
    return found


def _objection(path: str, message: str) -> Objection:
    return {"DataPath": path, "Message": message}
