# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""_grafana: descriptions become dashboards, and Grafana's own model reads every key of them."""

from __future__ import annotations

import json
import pathlib

import pytest
import yaml
from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard as model

from ansible_collections.bluegreen.aws.plugins.module_utils import _grafana

plugins.register_default_plugins()
SHIPPED = sorted((pathlib.Path(__file__).parents[4] / "roles/monitoring/files/dashboards").glob("*.yml"))
SMALL = {"uid": "x", "title": "X", "rows": [{"title": "R", "panels": [{"title": "P", "queries": [{"expr": "up"}]}]}]}


def lost(given, read, path="dashboard"):
    """What Grafana's model does not have, or has as something else, of what was given."""
    if isinstance(given, dict) and isinstance(read, dict):
        unknown = [f"{path}.{key}" for key in given if key not in read]
        return unknown + [entry for key in given if key in read for entry in lost(given[key], read[key], f"{path}.{key}")]
    if isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        return [entry for number, pair in enumerate(zip(given, read, strict=True)) for entry in lost(*pair, f"{path}[{number}]")]
    return [] if given == read else [path]


def through_grafana(dashboard):
    return json.loads(json.dumps(model.Dashboard.from_json(dashboard), cls=encoder.JSONEncoder))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_grafana_knows_every_key(path):
    dashboard = _grafana.dashboard(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert lost(dashboard, through_grafana(dashboard)) == []


@pytest.mark.parametrize(
    ("where", "key", "path"),
    [
        (lambda dashboard: dashboard, "tittle", "dashboard.tittle"),
        (lambda dashboard: dashboard["panels"][1]["options"]["legend"], "where", "dashboard.panels[1].options.legend.where"),
        (lambda dashboard: dashboard["panels"][1]["targets"][0], "expression", "dashboard.panels[1].targets[0].expression"),
        (
            lambda dashboard: dashboard["panels"][1]["fieldConfig"]["defaults"]["custom"],
            "line",
            "dashboard.panels[1].fieldConfig.defaults.custom.line",
        ),
    ],
)
def test_the_test_sees_a_key_that_grafana_does_not_know(where, key, path):
    dashboard = _grafana.dashboard(SMALL)
    where(dashboard)[key] = 1
    assert lost(dashboard, through_grafana(dashboard)) == [path]


def test_there_are_the_dashboards_that_the_documentation_names():
    assert [path.stem for path in SHIPPED] == ["colours", "fleet", "service", "stores"]
    titles = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in SHIPPED]
    assert len({entry["uid"] for entry in titles}) == len({entry["title"] for entry in titles}) == len(SHIPPED)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_panels_do_not_overlap_and_stay_on_the_page(path):
    panels = _grafana.dashboard(yaml.safe_load(path.read_text(encoding="utf-8")))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_panels_share_a_line_and_a_full_one_breaks():
    panel = {"title": "P", "queries": [{"expr": "up"}]}
    row = {"title": "R", "panels": [{**panel, "width": 16}, {**panel, "width": 16, "height": 3}]}
    places = [panel["gridPos"] for panel in _grafana.dashboard({**SMALL, "rows": [row, row]})["panels"]]
    assert places == [
        {"x": 0, "y": 0, "w": 24, "h": 1}, {"x": 0, "y": 1, "w": 16, "h": 8}, {"x": 0, "y": 9, "w": 16, "h": 3},
        {"x": 0, "y": 12, "w": 24, "h": 1}, {"x": 0, "y": 13, "w": 16, "h": 8}, {"x": 0, "y": 21, "w": 16, "h": 3},
    ]  # fmt: skip


def test_a_query_keeps_its_legend_and_loses_its_line_breaks():
    row = {"title": "R", "panels": [{"title": "P", "unit": "s", "queries": [{"expr": "up\n  == 1", "legend": "{{name}}"}]}]}
    panel = _grafana.dashboard({**SMALL, "rows": [row]})["panels"][1]
    assert panel["targets"][0]["expr"] == "up == 1"
    assert panel["targets"][0]["legendFormat"] == "{{name}}"
    assert panel["fieldConfig"]["defaults"]["unit"] == "s"


def test_queries_are_those_of_panels_and_variables():
    description = {**SMALL, "variables": [{"name": "service", "query": 'label_values(up{job="x"}, service)'}]}
    assert _grafana.queries(description) == [("P", "up"), ("variable service", 'count by (service) (up{job="x"})')]


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ([], "the dashboard is no dictionary."),
        ({"title": "X"}, "the dashboard has missing keys: rows, uid."),
        ({**SMALL, "pannels": []}, "the dashboard has unknown keys: pannels."),
        ({**SMALL, "uid": "a b"}, "uid 'a b' is not 1 to 40 letters, digits, - or _."),
        ({**SMALL, "rows": [{"title": "R"}]}, "a row of X has missing keys: panels."),
        ({**SMALL, "rows": [{"title": "R", "panels": [{"title": "P"}]}]}, "a panel of row R has missing keys: queries."),
        (
            {**SMALL, "rows": [{"title": "R", "panels": [{"title": "P", "kind": "pie", "queries": []}]}]},
            "panel P is of kind 'pie'; it can be stat, table, timeseries.",
        ),
        (
            {**SMALL, "rows": [{"title": "R", "panels": [{"title": "P", "queries": [{"query": "up"}]}]}]},
            "a query of panel P has unknown keys: query; missing keys: expr.",
        ),
        ({**SMALL, "variables": [{"name": "x"}]}, "a variable of X has missing keys: query."),
    ],
)
def test_a_wrong_description_says_where(description, said):
    with pytest.raises(_grafana.DashboardError) as caught:
        _grafana.dashboard(description)
    assert str(caught.value) == said
