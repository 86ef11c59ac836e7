# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How services are treated."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import model
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput

from .builders import ROOT, VOLUME, classify, facts, project, published

BIND = {"type": "bind", "source": "/data", "target": "/data", "bind": {}}


def kinds(config, treatments=None, **images):
    services, warnings = classify(config, treatments, **images)
    return {item.name: item.kind for item in services}, warnings


@pytest.mark.parametrize(
    ("definition", "kind"),
    [
        ({"ports": [published(8080, 8080)]}, "proxied"),
        ({"expose": ["8080"]}, "proxied"),
        ({}, "rolling"),
        ({"volumes": [VOLUME]}, "stateful"),
        ({"volumes": [{"type": "volume", "target": "/anonymous"}]}, "stateful"),
        ({"volumes": [dict(VOLUME, read_only=True)]}, "rolling"),
        ({"volumes": [BIND]}, "stateful"),
        ({"volumes": [dict(BIND, read_only=True)]}, "rolling"),
        ({"volumes": [dict(BIND, source=ROOT + "/nginx.conf")]}, "rolling"),
        ({"volumes": [{"type": "tmpfs", "target": "/tmp"}]}, "rolling"),
    ],
)
def test_kinds(definition, kind):
    assert kinds(project(one=definition))[0] == {"one": kind}


def test_what_the_image_says_counts():
    assert kinds(project(one={}), one=facts(exposed=(80,)))[0] == {"one": "proxied"}
    assert kinds(project(one={}), one=facts(has_volumes=True))[0] == {"one": "stateful"}


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ({"network_mode": "host", "networks": {}}, "network_mode is host"),
        ({"ports": [published(53, 53, protocol="udp")]}, "it publishes a UDP port, which the proxy cannot serve"),
        ({"mac_address": "02:42:ac:11:00:01"}, "it has a fixed MAC address"),
        ({"pid": "service:two"}, "pid is service:two"),
    ],
)
def test_what_cannot_run_twice_is_recreated_and_says_so(definition, reason):
    found, warnings = kinds(project(one=definition, two={}))
    assert found["one"] == "recreated"
    assert f"one is recreated, not replaced side by side: {reason}." in warnings


def test_a_service_whose_namespace_is_shared_is_recreated():
    found, warnings = kinds(project(one={"network_mode": "service:two", "networks": {}}, two={"expose": ["80"]}))
    assert found == {"one": "recreated", "two": "recreated"}
    assert "two is recreated, not replaced side by side: one shares its namespaces or volumes." in warnings


def test_strategies():
    config = project(one={"volumes": [VOLUME], "expose": ["80"]}, two={"expose": ["80"]}, three={"expose": ["80"]})
    treatments = {"one": model.Treatment("replace", "tcp"), "two": model.Treatment("recreate"), "three": model.Treatment("stay")}
    services, warnings = classify(config, treatments)
    assert {item.name: (item.kind, item.mode) for item in services} == {
        "one": ("proxied", "tcp"),
        "two": ("recreated", "http"),
        "three": ("stateful", "http"),
    }
    assert warnings == []


def test_replace_where_it_cannot_be():
    with pytest.raises(InvalidInput, match="as its strategy asks: network_mode is host"):
        classify(project(one={"network_mode": "host"}), {"one": model.Treatment("replace")})


def test_ports():
    definition = {"ports": [published(3000, 80), published(53, 53, protocol="udp")], "expose": ["9000-9002", "7000/tcp", "5000/udp"]}
    assert model.ports_of(definition, (8080, 3000)) == (3000, 7000, 8080, 9000, 9001, 9002)
    services, _warnings = classify(project(one={"expose": ["80"]}), {"one": model.Treatment(ports=(81, 82))}, one=facts(exposed=(83,)))
    assert services[0].ports == services[0].required_ports == (81, 82)


def test_only_declared_ports_have_to_be_open():
    services, _warnings = classify(project(one={"ports": [published(80, 80)]}), one=facts(exposed=(80, 443)))
    assert (services[0].ports, services[0].required_ports) == ((80, 443), (80,))


def test_a_job_is_what_somebody_waits_to_complete():
    config = project(
        backend={"depends_on": {"migrate": {"condition": "service_completed_successfully"}, "db": {"condition": "service_healthy"}}},
        migrate={"volumes": [VOLUME], "depends_on": {"db": {"condition": "service_healthy"}}},
        db={"volumes": [VOLUME]},
    )
    services, _warnings = classify(config)
    assert [(item.name, item.kind) for item in services] == [("db", "stateful"), ("migrate", "job"), ("backend", "rolling")]
    assert services[2].needs == {"migrate": "service_completed_successfully", "db": "service_healthy"}


def test_the_order_puts_what_is_needed_first():
    needs = {"frontend": ["backend"], "backend": ["mysql", "redis"], "mysql": [], "redis": []}
    services = {name: {"depends_on": {need: {"condition": "service_started"} for need in items}} for name, items in needs.items()}
    assert model.order(services) == ["mysql", "redis", "backend", "frontend"]


def test_a_circle():
    with pytest.raises(InvalidInput, match="services a, b depend on each other in a circle"):
        model.order({"a": {"depends_on": {"b": {}}}, "b": {"depends_on": {"a": {}}}})


def test_replicas():
    assert [model.replicas(item) for item in ({}, {"scale": 3}, {"deploy": {"replicas": 2}}, {"deploy": {}})] == [1, 3, 2, 1]
    services, _warnings = classify(project(one={"scale": 0}, two={}))
    assert [item.name for item in services] == ["two"]


def test_a_relative_mount_of_data_stays_outside_the_releases():
    config = project(db={"volumes": [dict(BIND, source=ROOT + "/data/mysql"), dict(BIND, source=ROOT + "/init.sql"), BIND]})
    moved = model.relocate(config, ROOT, {"init.sql"}, "/opt/popcon")
    assert [mount["source"] for mount in moved["services"]["db"]["volumes"]] == ["/opt/popcon/data/mysql", ROOT + "/init.sql", "/data"]
    assert config["services"]["db"]["volumes"][0]["source"] == ROOT + "/data/mysql"


@pytest.mark.parametrize("path", ["", "/releases/x", "/current", "/.bluegreen/key"])
def test_a_mount_of_where_the_releases_are_kept(path):
    with pytest.raises(InvalidInput, match="where the releases themselves are kept"):
        model.relocate(project(one={"volumes": [dict(BIND, source=ROOT + path)]}), ROOT, set(), "/opt/popcon")


def test_names_that_collide():
    with pytest.raises(InvalidInput, match="has services 'a' and 'a-blue'"):
        classify(project(**{"a": {}, "a-blue": {}}))


def test_unknown_and_no_services():
    with pytest.raises(InvalidInput, match="services names b, which the compose file does not have"):
        classify(project(a={}), {"b": model.Treatment()})
    with pytest.raises(InvalidInput, match="has no service that runs"):
        classify(project())


def test_a_fixed_name_goes_to_the_proxy():
    _services, warnings = classify(project(a={"container_name": "popcon-a", "expose": ["80"]}))
    assert warnings == ["a: the name 'popcon-a' is given to its proxy; two containers of a run at once."]


@pytest.mark.parametrize(
    ("healthcheck", "of_image", "has"),
    [
        ({"test": ["CMD", "true"]}, False, True),
        ({"test": ["NONE"]}, True, False),
        ({"disable": True}, True, False),
        ({}, True, True),
        ({"interval": "1s"}, False, False),
    ],
)
def test_health_checks(healthcheck, of_image, has):
    services, _warnings = classify(project(a={"healthcheck": healthcheck}), a=facts(has_healthcheck=of_image))
    assert services[0].has_healthcheck is has


def test_references():
    digest = "sha256:" + "2" * 64
    assert model.reference_of("a", {"image": "r.example/a:1"}, {}) == "r.example/a:1"
    assert model.reference_of("a", {"image": "r.example/a:1"}, {"a": digest}) == f"r.example/a@{digest}"
    assert model.reference_of("a", {"build": {}}, {"a": "r.example/a:2"}) == "r.example/a:2"
    for overrides in ({}, {"a": digest}):
        with pytest.raises(InvalidInput, match="it has no image"):
            model.reference_of("a", {"build": {}}, overrides)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("", "80", "tcp"), ("127.0.0.1", "80", "tcp"), True),
        (("127.0.0.2", "80", "tcp"), ("127.0.0.1", "80", "tcp"), False),
        (("", "80", "tcp"), ("", "80", "udp"), False),
        (("", "80", "tcp"), ("", "81", "tcp"), False),
    ],
)
def test_ports_that_exclude_each_other(first, second, same):
    assert model.same_port(first, second) is same
    assert model.published({"ports": [published(8080, 80), {"target": 9}]}) == (("", "80", "tcp"),)
