# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary's lines."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible.plugins.loader import connection_loader

from ansible_collections.bluegreen.aws.plugins.callback.summary import minutes, short, summary_lines
from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm.preload import preload, start_broker


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0s"), (59.4, "59s"), (60, "1m00s"), (95.6, "1m36s")])
def test_minutes(seconds, text):
    assert minutes(seconds) == text


def test_short():
    assert short("sha256:0123456789abcdef") == "sha256:0123456789ab"
    assert short("r/popcon@sha256:0123456789abcdef") == "sha256:0123456789ab"
    assert short("popcon:1") == "popcon:1"


def test_summary_lines():
    collected = {
        "popcon-dev": {
            "urls": {"frontend": "http://127.77.0.5:3000", "api": "http://127.77.0.5:8080"},
            "release": {
                "id": "20261121T041530Z-ab12",
                "actor": "kim",
                "config_version": "c0ffee",
                "images": {"mysql": "r/popcon@sha256:0123456789abcdef", "backend": "r/popcon@sha256:fedcba9876543210"},
            },
            "colours": {"mysql": "", "backend": "blue"},
            "next_steps": ["roll back", "roll back"],
        }
    }
    assert summary_lines(collected, [("Provision", 61), ("Deploy", 5)], 66) == [
        "popcon-dev",
        "  frontend  http://127.77.0.5:3000",
        "  api       http://127.77.0.5:8080",
        "  release 20261121T041530Z-ab12 by kim, configuration c0ffee",
        "    backend  sha256:fedcba987654  blue",
        "    mysql    sha256:0123456789ab",
        "time",
        "  Provision  1m01s",
        "  Deploy     5s",
        "  total      1m06s",
        "next",
        "  - roll back",
    ]


@pytest.mark.parametrize(
    "module",
    [
        "ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.link",
        "ansible_collections.bluegreen.aws.plugins.filter.tags",
        "ansible_collections.bluegreen.aws.plugins.action.autoscaling_refresh",
        "ansible.plugins.action.normal",
    ],
)
def test_what_tasks_use_is_loaded_before_workers_are_forked(module):
    program = (
        "import sys\n"
        "from ansible.plugins.loader import init_plugin_loader\n"
        "init_plugin_loader()\n"
        "from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm.preload import preload\n"
        f"preload()\nprint({module!r} in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=False)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.parametrize("inventory_asks_aws", [True, False])
def test_botocore_is_prepared_where_the_inventory_has_loaded_it(inventory_asks_aws):
    program = (
        "from ansible.plugins.loader import init_plugin_loader\n"
        "init_plugin_loader()\n"
        f"{'import botocore.session' if inventory_asks_aws else ''}\n"
        "from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm.preload import preload\n"
        "preload()\n"
        "import botocore.session\n"
        "print(('load_service_model', 'ecr') in {key[:2] for key in botocore.session.create_loader()._cache})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=False)
    assert done.stdout.strip() == str(inventory_asks_aws), done.stderr


class Play:
    """A play whose inventory has these hosts, {name: variables}."""

    def __init__(self, hosts):
        self._hosts, self._inventory = hosts, self

    def get_variable_manager(self):
        return self

    def get_hosts(self, pattern, ignore_restrictions=False):
        assert (pattern, ignore_restrictions) == ("all:!localhost", True)
        return list(self._hosts)

    def get_vars(self, play, host, include_hostvars):
        return self._hosts[host]


class Connection:
    """One that starts the broker when it learns its options, as bluegreen.aws.ssm does."""

    def __init__(self):
        self.options = []

    def set_options(self, var_options):
        self.options.append(var_options)


SSM = {"ansible_connection": "bluegreen.aws.ssm", "ansible_ssm_persist": 60}


@pytest.mark.parametrize(
    "hosts, options",
    [({"one": SSM, "other": {}}, [SSM]), ({"one": {"ansible_connection": "ssh"}}, []), ({"one": {}}, []), ({}, [])],
)
def test_the_broker_starts_before_the_first_session(monkeypatch, hosts, options):
    connection = Connection()
    monkeypatch.setattr(connection_loader, "get", lambda name, *_arguments: connection if name == "bluegreen.aws.ssm" else None)
    start_broker(Play(hosts))
    assert connection.options == options


def test_a_broker_that_cannot_be_started_stops_no_play(monkeypatch):
    monkeypatch.setattr(connection_loader, "get", lambda *_arguments: None)
    start_broker(Play({"one": SSM}))


def test_a_connection_that_cannot_be_loaded_stops_no_play():
    preload(("bluegreen.aws.there_is_none",))


def test_nothing_collected():
    assert summary_lines({}, [], 1) == []


def test_services_show_what_each_colour_runs_and_gets():
    def colour(version, weight, healthy, digest):
        return {"version": version, "weight": weight, "desired": 1, "running": 1, "healthy": healthy, "image": f"r/chat@sha256:{digest}"}

    services = {"blue": colour("1.0.0", 90, 1, "0123456789abcdef"), "green": colour("1.10.0", 10, 0, "fedcba9876543210")}
    facts = {"urls": {"site": "https://d1.cloudfront.net"}, "services": services}
    assert summary_lines({"chat-dev": facts}, [], 1) == [
        "chat-dev",
        "  site  https://d1.cloudfront.net",
        "  blue    90 %  version 1.0.0   1 of 1 healthy  sha256:0123456789ab",
        "  green   10 %  version 1.10.0  0 of 1 healthy  sha256:fedcba987654",
    ]


def test_weights_are_shares_whatever_they_add_up_to():
    services = {colour: {"version": "1", "weight": 1, "desired": 1, "healthy": 1, "image": "i"} for colour in ("blue", "green")}
    assert [line.split("%")[0].split()[-1] for line in summary_lines({"c": {"services": services}}, [], 1)[1:]] == ["50", "50"]


def test_groups_show_what_each_launches():
    groups = {
        "wealist-prod-monitoring": {"version": "3", "instances": 1, "limits": [1, 1]},
        "wealist-prod-backend": {"version": "12", "instances": 2, "limits": [2, 6]},
    }
    assert summary_lines({"wealist-prod": {"groups": groups}}, [], 0) == [
        "wealist-prod",
        "  wealist-prod-backend     2 in service (2 to 6), launch template version 12",
        "  wealist-prod-monitoring  1 in service (1 to 1), launch template version 3",
    ]
