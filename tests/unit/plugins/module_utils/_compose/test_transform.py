# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions of workers, proxies and plain services."""

from __future__ import annotations

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import model, transform

from .builders import VOLUME, classify, project, published

DEFINITION = {
    "ports": [published(8080, 80)],
    "container_name": "api",
    "depends_on": {"db": {"condition": "service_healthy"}},
    "build": {"context": "."},
    "pull_policy": "always",
    "environment": {"DB_PASSWORD": "secret"},
    "labels": {"team": "a"},
    "restart": "always",
    "networks": {"default": {"aliases": ["api"], "ipv4_address": "172.20.0.9"}, "back": None},
    "command": None,
    "healthcheck": {"test": ["CMD", "true"]},
}


def backend():
    services, _warnings = classify(project(backend=dict(DEFINITION), db={"volumes": [VOLUME]}))
    return services[1]


def test_a_worker_gives_its_name_ports_and_addresses_away():
    definition = transform.worker(backend(), "pinned", "green", "r1", "mark")
    assert definition == {
        "image": "pinned",
        "environment": {"COLOUR": "green", "DB_PASSWORD": "secret"},
        "restart": "always",
        "networks": {"default": None, "back": None},
        "healthcheck": {"test": ["CMD", "true"]},
        "labels": {
            "team": "a",
            "bluegreen.service": "backend",
            "bluegreen.role": "worker",
            "bluegreen.release": "r1",
            "bluegreen.fingerprint": "mark",
            "bluegreen.colour": "green",
        },
    }


def test_a_worker_that_sets_its_colour_itself_keeps_it():
    services, _warnings = classify(project(web={"ports": [published(80, 80)], "environment": {"COLOUR": "red"}}))
    assert transform.worker(services[0], "pinned", "blue", "r1", "mark")["environment"] == {"COLOUR": "red"}


def test_a_worker_without_a_proxy_keeps_its_name_as_an_alias():
    services, _warnings = classify(project(cron={"networks": {"default": {"aliases": ["clock"]}}}))
    assert services[0].kind == model.ROLLING
    assert transform.worker(services[0], "pinned", "blue", "r1", "mark")["networks"] == {"default": {"aliases": ["cron", "clock"]}}


def test_a_proxy_takes_name_ports_and_addresses_and_knows_no_secret():
    definition = transform.proxy(backend(), "haproxy:3.2", "/opt/popcon/.bluegreen/proxy/backend")
    assert definition["ports"] == DEFINITION["ports"]
    assert definition["container_name"] == "api"
    assert definition["networks"] == DEFINITION["networks"]
    assert definition["volumes"] == [{"type": "bind", "source": "/opt/popcon/.bluegreen/proxy/backend", "target": "/bluegreen"}]
    assert "environment" not in definition and "secret" not in str(definition)
    assert (definition["cap_drop"], definition["read_only"]) == (["ALL"], True)


def test_a_plain_service_keeps_everything_but_its_image():
    services, _warnings = classify(project(db={"volumes": [VOLUME], "container_name": "db", "ports": [published(3306, 3306)]}))
    definition = transform.plain(services[0], "pinned", "r1", "mark")
    assert (definition["image"], definition["container_name"], definition["volumes"]) == ("pinned", "db", [VOLUME])
    assert definition["labels"]["bluegreen.role"] == "plain"


def test_a_job_is_not_started_again_by_docker():
    config = project(a={"depends_on": {"job": {"condition": "service_completed_successfully"}}}, job={"restart": "always"})
    services, _warnings = classify(config)
    definition = transform.plain(services[0], "pinned", "r1", "mark")
    assert (definition["restart"], definition["labels"]["bluegreen.role"]) == ("no", "job")


def test_the_application_is_not_changed():
    service = backend()
    transform.worker(service, "pinned", "green", "r1", "mark")["networks"]["default"] = "spoilt"
    transform.proxy(service, "x", "/x")["networks"]["default"]["aliases"].append("spoilt")
    assert service.definition["networks"] == DEFINITION["networks"]


def test_the_whole_model():
    config = project(a={})
    assert transform.compose_model(config, {"a-blue": {"image": "x"}}) == {
        "name": "popcon",
        "services": {"a-blue": {"image": "x"}},
        "networks": config["networks"],
        "volumes": config["volumes"],
    }
