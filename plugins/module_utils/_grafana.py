# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Makes a Grafana dashboard out of a short description: rows of panels, each with its queries; no I/O.

A dashboard's JSON is four fifths layout and defaults that are the same everywhere. The description holds what differs, so that it can be
read, reviewed and tested query by query. JSON model: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

import copy
import re

DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
SCHEMA_VERSION = 39  # of Grafana 11; later ones migrate it when they read it
COLUMNS = 24
ROW_HEIGHT = 1
HEIGHTS = {"timeseries": 8, "stat": 4, "table": 8}
COLOURS = {"blue": "blue", "green": "green"}  # series of a release's colours look like what they are called

_KEYS = {
    "dashboard": {"uid", "title", "description", "tags", "variables", "rows", "from", "refresh"},
    "variable": {"name", "label", "query", "all"},
    "row": {"title", "panels"},
    "panel": {"title", "description", "kind", "unit", "min", "max", "decimals", "width", "height", "stack", "thresholds", "queries"},
    "query": {"expr", "legend"},
}


class DashboardError(Exception):
    """A description that is wrong; the message is one sentence that says where."""


def dashboard(description):
    """The dashboard's JSON model as a dictionary. Raises DashboardError."""
    _check(description, "dashboard", "the dashboard", {"uid", "title", "rows"})
    if not re.match(r"^[a-zA-Z0-9_-]{1,40}$", str(description["uid"])):
        raise DashboardError(f"uid '{description['uid']}' is not 1 to 40 letters, digits, - or _.")
    panels, top = [], 0
    for row in description["rows"]:
        _check(row, "row", f"a row of {description['title']}", {"title", "panels"})
        panels.append(
            {"type": "row", "title": row["title"], "collapsed": False, "panels": [], "gridPos": _place(0, top, COLUMNS, ROW_HEIGHT)}
        )
        made, top = _row(row, top + ROW_HEIGHT)
        panels.extend(made)
    for number, panel in enumerate(panels, 1):
        panel["id"] = number
    return {
        "uid": description["uid"],
        "title": description["title"],
        "description": description.get("description", ""),
        "tags": ["bluegreen", *description.get("tags", [])],
        "timezone": "browser",
        "editable": False,
        "graphTooltip": 1,  # the crosshair is shared: what happened at the same moment is the question
        "time": {"from": description.get("from", "now-1h"), "to": "now"},
        "refresh": description.get("refresh", "30s"),
        "schemaVersion": SCHEMA_VERSION,
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [_variable(variable, description["title"]) for variable in description.get("variables", [])]},
        "panels": panels,
    }


def queries(description):
    """(panel's title, expression) of every query, and of every variable as `label_values` would ask for it."""
    found = [(panel["title"], query["expr"]) for row in description["rows"] for panel in row["panels"] for query in panel["queries"]]
    for variable in description.get("variables", []):
        inner = re.match(r"^label_values\((.*), *([a-zA-Z_]\w*)\)$", variable["query"])
        if inner is None:
            raise DashboardError(f"variable {variable['name']} is not label_values(EXPRESSION, LABEL).")
        found.append((f"variable {variable['name']}", f"count by ({inner[2]}) ({inner[1]})"))
    return found


def _check(part, kind, where, required):
    """That a part is a dictionary of known keys with the required ones."""
    if not isinstance(part, dict):
        raise DashboardError(f"{where} is no dictionary.")
    unknown, missing = sorted(set(part) - _KEYS[kind]), sorted(required - set(part))
    if unknown or missing:
        told = [f"unknown keys: {', '.join(unknown)}"] * bool(unknown) + [f"missing keys: {', '.join(missing)}"] * bool(missing)
        raise DashboardError(f"{where} has {'; '.join(told)}.")


def _place(left, top, width, height):
    return {"x": left, "y": top, "w": width, "h": height}


def _row(row, top):
    """(panels, first line below them). Panels without a width share the line."""
    made, left, height = [], 0, 0
    for panel in row["panels"]:
        _check(panel, "panel", f"a panel of row {row['title']}", {"title", "queries"})
        kind = panel.get("kind", "timeseries")
        if kind not in HEIGHTS:
            raise DashboardError(f"panel {panel['title']} is of kind '{kind}'; it can be {', '.join(sorted(HEIGHTS))}.")
        width = panel.get("width", COLUMNS // len(row["panels"]))
        if left + width > COLUMNS:
            left, top, height = 0, top + height, 0
        made.append(_panel(panel, kind, _place(left, top, width, panel.get("height", HEIGHTS[kind]))))
        left, height = left + width, max(height, panel.get("height", HEIGHTS[kind]))
    return made, top + height


def _panel(panel, kind, place):
    for query in panel["queries"]:
        _check(query, "query", f"a query of panel {panel['title']}", {"expr"})
    defaults = {
        "unit": panel.get("unit", "short"),
        "thresholds": {"mode": "absolute", "steps": _steps(panel.get("thresholds", []))},
        **{key: panel[key] for key in ("min", "max", "decimals") if key in panel},
    }
    if kind == "timeseries":
        stacking = {"mode": "normal" if panel.get("stack") else "none", "group": "A"}
        defaults["custom"] = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "stacking": stacking}
    return {
        "type": kind,
        "title": panel["title"],
        "description": panel.get("description", ""),
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": _colours() if kind == "timeseries" else []},
        "options": copy.deepcopy(_OPTIONS[kind]),
        "targets": [_target(number, query, kind) for number, query in enumerate(panel["queries"])],
    }


def _steps(thresholds):
    """[[0.8, "orange"], …] as steps from green on."""
    return [{"color": "green", "value": None}, *({"color": colour, "value": value} for value, colour in thresholds)]


def _colours():
    return [
        {
            "matcher": {"id": "byRegexp", "options": f"(^|.* ){name}( .*|$)"},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in COLOURS.items()
    ]


_OPTIONS = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": ""},
        "orientation": "auto", "textMode": "auto", "colorMode": "value", "graphMode": "area", "justifyMode": "auto",
    },
    "table": {"showHeader": True, "cellHeight": "sm"},
}  # fmt: skip


def _target(number, query, kind):
    instant = kind == "table"
    return {
        "refId": chr(ord("A") + number),
        "datasource": DATASOURCE,
        "expr": " ".join(query["expr"].split()),
        "legendFormat": query.get("legend", "__auto"),
        "editorMode": "code",
        "instant": instant,
        "range": not instant,
        "format": "table" if instant else "time_series",
    }


def _variable(variable, title):
    _check(variable, "variable", f"a variable of {title}", {"name", "query"})
    several = variable.get("all", True)
    return {
        "type": "query",
        "name": variable["name"],
        "label": variable.get("label", variable["name"].capitalize()),
        "datasource": DATASOURCE,
        "query": {"query": variable["query"], "refId": f"Variable-{variable['name']}"},
        "refresh": 2,  # when the time range changes
        "sort": 1,
        "multi": several,
        "includeAll": several,
        **({"allValue": ".*"} if several else {}),
        "current": {"text": "All", "value": "$__all"} if several else {},
        "options": [],
        "regex": "",
        "hide": 0,
        "skipUrlSync": False,
    }
