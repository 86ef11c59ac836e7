# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is pulled, and what is pinned."""

from __future__ import annotations

import base64
import json
import os
import pathlib

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import fingerprint
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.observed import Container
from ansible_collections.bluegreen.aws.plugins.module_utils._host import aws, pull

from .machine import make_host

D = "sha256:" + "e" * 64


class Registry:
    """Images on the instance and in a registry; pulling moves them."""

    def __init__(self, local=(), remote=()):
        self.local, self.remote, self.pulled, self.logins = dict(local), dict(remote), [], []

    def image(self, reference):
        identifier = self.local.get(reference)
        digests = [reference] if "@" in reference else [f"r.example/a@{D}"]
        return identifier and {"id": identifier, "repo_digests": digests, "exposed": (80,), "has_volumes": False, "has_healthcheck": False}

    def pull(self, reference, service, config):
        self.pulled.append((reference, bool(config)))
        if reference not in self.remote:
            raise InvalidInput(f"Failed to pull {reference}")
        self.local[reference] = self.remote[reference]

    def login(self, host, user, password, config):
        assert os.stat(config).st_mode & 0o077 == 0
        self.logins.append((host, user, password))


def resolve(machine, docker, image="r.example/a:1", overrides=None, pins=None, containers=(), check=False, proxied=True, **options):
    host = make_host(machine, state="rolled_back", **options)
    host.key, host.docker = b"k", docker
    project = {"services": {"a": {"image": image, "volumes": [{"type": "volume", "source": "d", "target": "/d"}]}}}
    given = {"overrides": overrides or {}, "pins": pins or {}, "containers": list(containers), "check": check, "proxied": proxied}
    return pull.resolve(host, project, **given)["a"]


PROXY = {"proxy": "sha256:f"}


def test_a_tag_is_asked_for_and_pinned(machine):
    docker = Registry({"r.example/a:1": "sha256:old", **PROXY}, {"r.example/a:1": "sha256:new"})
    facts = resolve(machine, docker, pull="always")
    assert (facts.reference, facts.pinned, facts.image_id) == ("r.example/a:1", f"r.example/a@{D}", "sha256:new")
    assert docker.pulled == [("r.example/a:1", False)]


@pytest.mark.parametrize(("how", "image"), [("missing", "r.example/a:1"), ("always", f"r.example/a@{D}"), ("never", "r.example/a:1")])
def test_what_is_there_is_not_pulled(machine, how, image):
    docker = Registry({image: "sha256:old", **PROXY})
    assert resolve(machine, docker, image, pull=how).image_id == "sha256:old"
    assert docker.pulled == []


def test_the_proxys_image_is_pulled_when_it_is_missing(machine):
    docker = Registry({"r.example/a:1": "sha256:old"}, {"r.example/a:1": "sha256:old", "proxy": "sha256:f"})
    resolve(machine, docker, pull="missing")
    assert docker.pulled == [("proxy", False)]


def test_what_a_release_recorded_wins_over_the_tag(machine):
    pinned = f"r.example/a@{D}"
    docker = Registry({"r.example/a:1": "sha256:new", **PROXY}, {pinned: "sha256:old"})
    facts = resolve(machine, docker, pins={"a": pinned}, pull="always")
    assert (facts.reference, facts.pinned, facts.image_id) == ("r.example/a:1", pinned, "sha256:old")
    assert docker.pulled == [(pinned, False)]


def test_what_stays_is_not_pulled(machine):
    same = Container(id="1", name="a", service="a", role="plain", image=f"r.example/a@{D}", image_id="sha256:old",
                     fingerprint=fingerprint.digest(b"k", "r.example/a:1") + ".e.m.d")  # fmt: skip
    docker = Registry({"sha256:old": "sha256:old", **PROXY})
    assert resolve(machine, docker, containers=[same], pull="always").pinned == f"r.example/a@{D}"
    adopted = Container(id="1", name="a", service="a", image="r.example/a:1", image_id="sha256:old")
    assert resolve(machine, docker, containers=[adopted], pull="always").pinned == "sha256:old"
    assert docker.pulled == []


def test_check_mode_pulls_nothing_and_guesses(machine):
    docker = Registry({"sha256:old": "sha256:old"})
    running = Container(id="1", name="a-blue-1", service="a-blue", owner="a", role="worker", image_id="sha256:old")
    facts = resolve(machine, docker, f"r.example/a@{D}", containers=[running], check=True, pull="always")
    assert (facts.pinned, facts.image_id, facts.exposed) == (f"r.example/a@{D}", "", (80,))
    assert docker.pulled == []


def test_unknown_names_and_missing_images(machine):
    with pytest.raises(InvalidInput, match="images names b, which the compose file does not have"):
        resolve(machine, Registry(), overrides={"b": "x"})
    with pytest.raises(InvalidInput, match="Cannot release service 'a': image r.example/a:1 is not on the instance, and pull is never"):
        resolve(machine, Registry(PROXY), pull="never")


def test_a_login_for_the_time_of_the_pull(machine, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text('{"credsStore": "pass", "credHelpers": {"other.example": "helper"}}')
    monkeypatch.setattr(pull.scratch.tempfile, "tempdir", str(tmp_path))

    class Client:
        def get_authorization_token(self):
            token = base64.b64encode(b"AWS:hunter2").decode()
            return {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": "https://r.example"}]}

    monkeypatch.setattr(aws, "make_client", lambda *_args: Client())
    docker = Registry(PROXY, {"r.example/a:1": "sha256:new"})
    configs = []
    real = docker.pull

    def pulled(*args):
        configs.append(json.loads((pathlib.Path(args[2]) / "config.json").read_text()))
        real(*args)

    docker.pull = pulled
    resolve(machine, docker, pull="missing", registry="ecr")
    # No credential helper gets the password to keep.
    assert configs == [{"credsStore": "pass", "credHelpers": {"other.example": "helper", "r.example": ""}}]
    assert docker.logins == [("r.example", "AWS", "hunter2")]
    assert [path.name for path in tmp_path.iterdir() if "bluegreen-login" in path.name] == []


def test_the_proxy_of_services_that_have_none_is_not_pulled(machine):
    docker = Registry({"r.example/a:1": "sha256:old"}, {"r.example/a:1": "sha256:old"})
    resolve(machine, docker, pull="missing", proxied=False)
    assert docker.pulled == []
