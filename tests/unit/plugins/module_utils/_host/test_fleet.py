# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a booting instance asks AWS, against botocore's own model of the services."""

from __future__ import annotations

import http.server
import io
import socket
import threading

import botocore.session
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import description
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput
from ansible_collections.bluegreen.aws.plugins.module_utils._host import fleet

from .machine import Clock

WAITING = {
    "AutoScalingGroupName": "wealist-prod-backend",
    "LifecycleHookName": "boot",
    "InstanceId": "i-1",
    "LifecycleActionResult": "CONTINUE",
}
GONE = "No active Lifecycle Action found with instance ID i-1"


@pytest.fixture
def world():
    """(Fleet, Stubber of S3, Stubber of Auto Scaling); every answer laid out must be asked for."""
    session = botocore.session.Session()
    session.set_credentials("key", "secret")
    clients = {name: session.create_client(name, region_name="ap-northeast-2") for name in ("s3", "autoscaling")}
    with Stubber(clients["s3"]) as s3, Stubber(clients["autoscaling"]) as autoscaling:
        yield fleet.Fleet("ap-northeast-2", "", make_client=lambda name, _region, _url: clients[name]), s3, autoscaling
        s3.assert_no_pending_responses()
        autoscaling.assert_no_pending_responses()


def body(content):
    return {"Body": StreamingBody(io.BytesIO(content), len(content))}


def test_an_object_and_one_version_of_it(world):
    calls, s3, _autoscaling = world
    s3.add_response("get_object", body(b"one"), {"Bucket": "b", "Key": "releases/x.json"})
    s3.add_response("get_object", body(b"two"), {"Bucket": "b", "Key": "config/a.yml", "VersionId": "v7"})
    assert calls.read("b", "releases/x.json") == b"one"
    assert calls.pinned("b", description.Pin("config/a.yml", "v7", description.sha256(b"two"))) == b"two"


@pytest.mark.parametrize(
    ("code", "words", "sentence"),
    [
        ("NoSuchKey", "There is no such key.", "There is no such key. Run playbooks/deploy.yml, which writes it again."),
        ("NoSuchVersion", "No such version.", "No such version. Run playbooks/deploy.yml, which writes it again."),
        ("NoSuchBucket", "No such bucket.", "No such bucket. Create the bucket (role deploy_bucket), or correct its name."),
        ("AccessDenied", "Access Denied", "Access Denied. Allow the action in the instance role's policy."),
    ],
)
def test_an_object_that_is_missing(world, code, words, sentence):
    calls, s3, _autoscaling = world
    s3.add_client_error("get_object", code, words)
    with pytest.raises(InvalidInput) as caught:
        calls.pinned("b", description.Pin("config/a.yml", "v7", ""))
    assert str(caught.value) == (
        f"Failed to read s3://b/config/a.yml (version v7): An error occurred ({code}) when calling the GetObject operation: {sentence}"
    )


def test_the_group_may_wait_later_than_the_instance_is_up(world):
    calls, _s3, autoscaling = world
    clock = Clock()
    autoscaling.add_client_error("complete_lifecycle_action", "ValidationError", GONE, expected_params=WAITING)
    autoscaling.add_client_error("complete_lifecycle_action", "ValidationError", GONE, expected_params=WAITING)
    autoscaling.add_response("complete_lifecycle_action", {}, WAITING)
    calls.complete("wealist-prod-backend", "boot", "i-1", fleet.CONTINUE, clock)
    assert clock.now == 1004.0


def test_nothing_waits_for_a_minute(world):
    calls, _s3, autoscaling = world
    for _ignored in range(31):
        autoscaling.add_client_error("complete_lifecycle_action", "ValidationError", GONE)
    with pytest.raises(InvalidInput, match="Failed to complete lifecycle hook boot of wealist-prod-backend for i-1: .* No active"):
        calls.complete("wealist-prod-backend", "boot", "i-1", fleet.CONTINUE, Clock())


def test_a_role_that_may_not(world):
    calls, _s3, autoscaling = world
    autoscaling.add_client_error("complete_lifecycle_action", "AccessDenied", "not authorized")
    with pytest.raises(InvalidInput, match="not authorized. Allow the action in the instance role's policy."):
        calls.complete("wealist-prod-backend", "boot", "i-1", fleet.CONTINUE, Clock())


class Metadata(http.server.BaseHTTPRequestHandler):
    """Answers as the metadata service does, to whoever brings the token."""

    def do_PUT(self):
        assert self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self._answer(b"token")

    def do_GET(self):
        assert self.path == "/latest/meta-data/instance-id"
        self._answer(b"i-0123", 200 if self.headers["X-aws-ec2-metadata-token"] == "token" else 401)

    def _answer(self, body, status=200):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


def test_its_own_id(monkeypatch):
    with http.server.HTTPServer(("127.0.0.1", 0), Metadata) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(fleet, "_METADATA", f"127.0.0.1:{server.server_port}")
        assert fleet.instance_id() == "i-0123"
        server.shutdown()


def test_no_metadata(monkeypatch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setattr(fleet, "_METADATA", f"127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(InvalidInput, match="this machine's metadata service does not answer"):
            fleet.instance_id()
