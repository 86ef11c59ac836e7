# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy's file, commands and answers. Answers were recorded by tests/integration/compose/record.py."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import haproxy

FIXTURES = pathlib.Path(__file__).parents[3] / "fixtures" / "compose"
SHAPE = haproxy.Shape("popcon", "backend", (8080, 9090), "http", {"blue": 1, "green": 2})


def test_the_file_says_who_is_live():
    text = haproxy.render(SHAPE, "green")
    servers = [line.strip() for line in text.splitlines() if line.startswith("    server ")]
    assert servers == [
        "server blue-1 popcon-backend-blue-1:8080 init-addr none disabled",
        "server green-1 popcon-backend-green-1:8080 init-addr libc,none",
        "server green-2 popcon-backend-green-2:8080 init-addr libc,none",
        "server blue-1 popcon-backend-blue-1:9090 init-addr none disabled",
        "server green-1 popcon-backend-green-1:9090 init-addr libc,none",
        "server green-2 popcon-backend-green-2:9090 init-addr libc,none",
    ]
    assert haproxy.live_in_file(text) == "green"
    assert haproxy.replicas_in_file(text) == {"blue": 1, "green": 2}
    assert haproxy.ports_in_file(text) == (8080, 9090)
    assert haproxy.mode_in_file(text) == "http"


def test_what_is_read_from_the_file_renders_the_same_file():
    text = haproxy.render(haproxy.Shape("popcon", "db", (3306,), "tcp", {"blue": 1, "green": 1}), "blue")
    shape = haproxy.Shape("popcon", "db", haproxy.ports_in_file(text), haproxy.mode_in_file(text), haproxy.replicas_in_file(text))
    assert haproxy.render(shape, haproxy.live_in_file(text)) == text


def test_http_repeats_only_what_is_safe_to_repeat():
    text = haproxy.render(SHAPE, "blue")
    assert "retry-on conn-failure empty-response" in text
    assert text.count("http-request disable-l7-retry unless METH_GET") == 2
    assert "option http-server-close" in text


def test_tcp_knows_nothing_of_requests():
    text = haproxy.render(haproxy.Shape("popcon", "backend", (1,), "tcp", {"blue": 1, "green": 1}), "blue")
    assert "mode tcp" in text and "http" not in text.replace("haproxy", "")


@pytest.mark.parametrize("live", ["", "neither"])
def test_a_file_without_an_answer(live):
    assert haproxy.live_in_file(haproxy.render(SHAPE, live)) == ""
    assert haproxy.live_in_file("") == haproxy.live_in_file("garbage") == ""
    assert haproxy.mode_in_file("garbage") == "http"


def test_a_switch_makes_the_new_ready_before_the_old_drains():
    assert haproxy.switch_commands(SHAPE, "blue") == [
        "set server port-8080/blue-1 state ready",
        "set server port-9090/blue-1 state ready",
        "set server port-8080/green-1 state drain",
        "set server port-8080/green-2 state drain",
        "set server port-9090/green-1 state drain",
        "set server port-9090/green-2 state drain",
    ]
    assert haproxy.maintenance_commands(SHAPE, "blue") == [
        "set server port-8080/blue-1 state maint",
        "set server port-9090/blue-1 state maint",
    ]


def test_addresses_of_containers_that_are_there():
    assert haproxy.address_commands(SHAPE, "green", {"popcon-backend-green-2": "172.20.0.5"}) == [
        "set server port-8080/green-2 addr 172.20.0.5 port 8080",
        "set server port-9090/green-2 addr 172.20.0.5 port 9090",
    ]


def test_recorded_state():
    servers = haproxy.parse_servers((FIXTURES / "haproxy-3.0.11-show-servers-state.txt").read_text())
    assert servers == [haproxy.Server("port-8080", "blue-1", "172.24.0.6", True), haproxy.Server("port-8080", "green-1", "-", False)]
    assert haproxy.live_in_runtime(servers, (8080,)) == "blue"
    assert haproxy.ready_in_runtime(servers, "blue") and not haproxy.ready_in_runtime(servers, "green")


def servers(**admin):
    head = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state\n"
    rows = [f"3 port-{key.split('_')[1]} 1 {key.split('_')[0]}-1 10.0.0.1 2 {value}" for key, value in admin.items()]
    return haproxy.parse_servers(head + "\n".join(rows) + "\n")


@pytest.mark.parametrize(
    ("blue", "green", "live"),
    [(0, 8, "blue"), (8, 0, "green"), (5, 0, "green"), (4, 8, "blue"), (0, 0, ""), (8, 8, ""), (32, 0, "green"), (0, 1, "blue")],
)
def test_administrative_states(blue, green, live):
    assert haproxy.live_in_runtime(servers(blue_80=blue, green_80=green), (80,)) == live


def test_ports_that_disagree_are_no_answer():
    found = servers(blue_80=0, green_80=8, blue_81=8, green_81=0)
    assert haproxy.live_in_runtime(found, (80, 81)) == ""
    assert not haproxy.ready_in_runtime(found, "blue")
    assert haproxy.live_in_runtime([], (80,)) == "" and not haproxy.ready_in_runtime([], "blue")


def test_recorded_sessions():
    text = (FIXTURES / "haproxy-3.0.11-show-stat.txt").read_text()
    assert haproxy.parse_sessions(text, "blue") == 0
    busy = text.replace("port-8080,blue-1,0,0,0,", "port-8080,blue-1,2,0,3,")
    assert busy != text and haproxy.parse_sessions(busy, "blue") == 5
    assert haproxy.parse_sessions(busy, "green") == haproxy.parse_sessions("", "blue") == 0
