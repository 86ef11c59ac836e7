# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus with the role's configuration: targets, rules, every dashboard's queries; a real Alertmanager and its messages."""

from __future__ import annotations

import importlib
import json
import re

import pytest
import yaml
from monitoring import DASHBOARDS, docker, eventually, get
from running import DEADMAN, WEBHOOK

grafana = importlib.import_module("ansible_collections.bluegreen.aws.plugins.module_utils._grafana")

QUERIES = [
    pytest.param(expression, id=f"{path.stem}: {title}")
    for path in sorted(DASHBOARDS.glob("*.yml"))
    for title, expression in grafana.queries(yaml.safe_load(path.read_text()))
]


def as_grafana_asks(expression: str) -> str:
    """Variables at All, and the interval that Grafana would put in."""
    return re.sub(r"\$[a-z_]+\b", ".*", expression.replace("$__rate_interval", "1m"))


@pytest.mark.parametrize("expression", QUERIES)
def test_every_query_of_a_dashboard_returns_series(running, expression):
    asked = as_grafana_asks(expression)
    found = eventually(f"{asked} returns series", lambda: running.prometheus.query(asked), 90)
    # A percentile of a route that nobody asked for in this while is none; the panel has a gap there.
    assert any(series["value"][1] != "NaN" for series in found), found


def test_tags_become_labels(running):
    targets = {(target["labels"].get("job"), target["labels"]["instance"]): target for target in running.prometheus.targets()}
    blue = targets["application", "i-0a"]
    assert blue["health"] == "up"
    assert blue["labels"] == {
        "job": "application", "service": "user", "instance": "i-0a", "name": "shop-test-app", "system": "shop", "environment": "test",
        "component": "app", "zone": "ap-northeast-2a",
    }  # fmt: skip
    assert targets["application", "i-0b"]["labels"]["colour"] == "green"
    assert ("application", "i-0c") not in targets, "another component is not the application's"
    assert targets["node", "i-0a"]["health"] == "up"


def test_blue_and_green_are_told_apart(running):
    """Blue by what its process says, green by its instance's tag, which overrules the process; errors are green's alone."""

    def ratios():
        found = {
            entry["metric"]["colour"]: float(entry["value"][1]) for entry in running.prometheus.query("colour:http_error_ratio:rate5m")
        }
        return found if set(found) == {"blue", "green"} and found["green"] > 0 else None

    found = eventually("an error ratio of each colour", ratios, 60)
    assert found["blue"] == 0
    assert 0.05 < found["green"] < 0.5


def test_rules_are_evaluated_without_an_error(running):
    status, text = get(f"{running.prometheus.url}/api/v1/rules")
    assert status == 200
    rules = [rule for group in json.loads(text)["data"]["groups"] for rule in group["rules"]]
    assert [rule for rule in rules if rule["health"] == "err"] == []
    names = {rule["name"] for rule in rules}
    assert {"OwnAlert", "Deadman", "limit:cache_connections"} <= names
    assert "HostRebooted" not in names, "it is disabled"


def test_alertmanager_tells_discord_in_one_message(running):
    messages = eventually("a message for Discord", lambda: running.received(WEBHOOK.removeprefix("http://receiver:8000")), 60)
    told = next(message for message in messages if "OwnAlert" in message["embeds"][0]["title"])
    # https://discord.com/developers/docs/resources/webhook#execute-webhook
    embed = told["embeds"][0]
    assert embed["title"] == "CRITICAL: OwnAlert (shop test)"
    assert embed["description"] == "Value is 7\nMade by a test.\nhttps://runbooks.test/own"
    assert len(embed["title"]) <= 256 and len(embed["description"]) <= 4096


def test_the_deadman_keeps_knocking(running):
    path = DEADMAN.removeprefix("http://receiver:8000")
    knocks = eventually("a knock", lambda: running.received(path), 60)
    assert knocks[0]["alerts"][0]["labels"]["alertname"] == "Deadman"
    assert not any("Deadman" in json.dumps(message) for message in running.received(WEBHOOK.removeprefix("http://receiver:8000")))


def test_the_webhook_is_a_secret(running):
    """Neither Alertmanager's own environment, nor its pages, nor any log shows it."""
    token = "to-ken-of-discord"
    name = f"{running.project}-alertmanager-1"
    assert token not in docker("logs", name)
    assert token not in get(f"http://127.0.0.1:{running.ports['alertmanager']}/api/v2/status")[1]
    assert token not in docker("exec", name, "cat", "/etc/alertmanager/alertmanager.yml")
    # Its own, not that of whoever looks: `docker exec` gives that the container's.
    look = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline | grep -q ^prometheus-alertmanager && tr '\\0' '\\n' <$p/environ; done"
    environment = docker("exec", "-u", "monitor", name, "sh", "-c", look, check=False)
    assert "PATH=" in environment and token not in environment
    assert token in docker("exec", name, "cat", "/run/monitor/discord")


def test_programs_do_not_run_as_root(running):
    users = {
        service: docker(
            "exec", f"{running.project}-{service}-1", "sh", "-c", "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; stat -c %U $p; done"
        )
        for service in ("prometheus", "alertmanager", "blackbox")
    }
    for service, text in users.items():
        line = next(line for line in text.splitlines() if line.startswith(("prometheus ", f"prometheus-{service}")))
        assert line.endswith("monitor"), line
