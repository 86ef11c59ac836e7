"""The plain way of redeploying: its scripts are valid shell, and what goes wrong is one sentence."""

from __future__ import annotations

import subprocess

import boto3
import plain_compose
import pytest
from botocore.stub import Stubber

SETTINGS = {"directory": "/opt/popcon", "project": "popcon", "region": "ap-northeast-2", "compose_file": "docker-compose.yml"}


def client(service: str):
    return boto3.client(service, region_name="ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.mark.parametrize("verb", ["start", "up", "stop"])
def test_a_script_is_valid_shell(verb):
    text = plain_compose.script(verb, **SETTINGS)
    assert subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False).stderr == ""
    assert "{" + "login" not in text


def test_a_start_pulls_before_it_starts():
    """A tag that an earlier run left on the instance is another image by now."""
    text = plain_compose.script("start", **SETTINGS)
    assert text.index(" pull --quiet") < text.index(" up --detach --wait")


def reservations(*identifiers: str) -> dict:
    return {"Reservations": [{"Instances": [{"InstanceId": identifier} for identifier in identifiers]}]}


def test_the_instance_is_found_by_its_tags():
    ec2 = client("ec2")
    with Stubber(ec2) as stub:
        filters = [
            {"Name": "tag:bluegreen:system", "Values": ["popcon"]},
            {"Name": "tag:bluegreen:environment", "Values": ["dev"]},
            {"Name": "tag:bluegreen:component", "Values": ["app"]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        stub.add_response("describe_instances", reservations("i-1"), {"Filters": filters})
        assert plain_compose.find_instance(ec2, "popcon", "dev", "app") == "i-1"


@pytest.mark.parametrize("found", [(), ("i-1", "i-2")])
def test_none_or_several_instances_are_one_sentence(found):
    ec2 = client("ec2")
    with Stubber(ec2) as stub:
        stub.add_response("describe_instances", reservations(*found))
        with pytest.raises(plain_compose.PlainError) as caught:
            plain_compose.find_instance(ec2, "popcon", "dev", "app")
    assert str(caught.value) == f"Cannot redeploy popcon dev the plain way: {len(found)} running instances are tagged as its app, not one."


@pytest.mark.parametrize("status, fails", [("Success", False), ("Failed", True), ("TimedOut", True)])
def test_a_command_is_followed_to_its_end(monkeypatch, capsys, status, fails):
    monkeypatch.setattr(plain_compose.time, "sleep", lambda seconds: None)
    ssm = client("ssm")
    command = "11111111-2222-3333-4444-555555555555"
    with Stubber(ssm) as stub:
        stub.add_response("send_command", {"Command": {"CommandId": command}})
        stub.add_client_error("get_command_invocation", "InvocationDoesNotExist")
        stub.add_response("get_command_invocation", {"Status": "InProgress"})
        answer = {"Status": status, "StandardOutputContent": "out", "StandardErrorContent": "err", "ResponseCode": 3}
        stub.add_response("get_command_invocation", answer)
        if fails:
            with pytest.raises(plain_compose.PlainError, match=f"ended as {status} with code 3"):
                plain_compose.send(ssm, "i-1", "true", 60)
        else:
            plain_compose.send(ssm, "i-1", "true", 60)
        stub.assert_no_pending_responses()
    assert capsys.readouterr().out == "out\nerr\n"
