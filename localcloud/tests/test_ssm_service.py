# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ssm service through boto3, with real agents as processes: managed instances, commands, documents, encryption. No container."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from session_client import Client
from ssm_world import ACCOUNT, MANAGED, World

QUICK = {"agent": {"first_output_delay": 0.0}}


def eventually(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true value of a condition."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not become true")


def refused(call: Callable[..., Any], **arguments: Any) -> dict[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with World(tmp_path_factory.mktemp("ssm")) as world:
        world.role("managed", MANAGED)
        yield world


@pytest.fixture(scope="module")
def node(service):
    instance = service.instance(1, "managed", tags={"Name": "node", "bluegreen:environment": "test"})
    service.start_agent(instance)
    eventually(lambda: online(service, instance.id))
    return instance


@pytest.fixture
def world(service):
    service.admin("PUT", "faults", QUICK)
    yield service
    service.admin("DELETE", "faults")


def online(world: World, instance_id: str) -> bool:
    found = world.ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [instance_id]}])["InstanceInformationList"]
    return bool(found) and found[0]["PingStatus"] == "Online"


def command(world: World, node: Any, script: str, **options: Any) -> str:
    parameters = {"commands": script.splitlines()} | options.pop("parameters", {})
    answer = world.ssm.send_command(DocumentName="AWS-RunShellScript", InstanceIds=[node.id], Parameters=parameters, **options)
    return answer["Command"]["CommandId"]


def ended(world: World, node: Any, command_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = world.ssm.get_command_invocation(CommandId=command_id, InstanceId=node.id)
        return found if found["Status"] not in ("Pending", "InProgress", "Cancelling") else None

    return eventually(look)


# -- managed instances


def test_instance_information(world, node):
    (entry,) = world.ssm.describe_instance_information(Filters=[{"Key": "tag:Name", "Values": ["node"]}])["InstanceInformationList"]
    assert entry["PlatformType"] == "Linux"
    assert entry["IPAddress"] == node.private_ip
    assert entry["AgentVersion"].startswith("3.")
    assert entry["PlatformName"] and entry["PlatformVersion"] and entry["ComputerName"]
    assert world.ssm.describe_instance_information(Filters=[{"Key": "tag:Name", "Values": ["other"]}])["InstanceInformationList"] == []
    assert refused(world.ssm.describe_instance_information, Filters=[{"Key": "Colour", "Values": ["x"]}])["Code"] == "InvalidFilterKey"


@pytest.mark.parametrize(
    ("number", "role", "changes", "reason"),
    [
        (11, None, {}, "has no role"),
        (12, "bare", {}, "is not authorized to perform: ssmmessages:CreateControlChannel"),
        (13, "half", {}, "is not authorized to perform: ssm:UpdateInstanceInformation"),
        (14, "managed", {"reaches_internet": False}, "has no way to Systems Manager"),
    ],
    ids=["no role", "no policy", "half a policy", "no way out"],
)
def test_agent_that_may_not_connect(world, number, role, changes, reason):
    world.role("bare")
    world.role("half", inline={"Effect": "Allow", "Action": "ssmmessages:*", "Resource": "*"})
    instance = world.instance(number, role, **changes)
    world.start_agent(instance, credentials_of=role or "bare")
    eventually(lambda: reason in world.agent_log(instance))
    assert not online(world, instance.id)
    error = refused(world.ssm.start_session, Target=instance.id)
    assert error == {"Code": "TargetNotConnected", "Message": f"{instance.id} is not connected."}
    world.stop_agent(instance.id)


def test_agent_with_credentials_of_another_role(world):
    world.role("other", MANAGED)
    instance = world.instance(15, "managed")
    world.start_agent(instance, credentials_of="other")
    eventually(lambda: f"is not the role of {instance.id}" in world.agent_log(instance))
    world.stop_agent(instance.id)


def test_agent_connects_once_its_role_allows_it(world):
    world.role("late")
    instance = world.instance(16, "late")
    world.start_agent(instance)
    eventually(lambda: "is not authorized" in world.agent_log(instance))
    world.role("late", MANAGED)
    eventually(lambda: online(world, instance.id))
    world.stop_agent(instance.id)
    eventually(lambda: not online(world, instance.id))
    (entry,) = world.ssm.describe_instance_information(Filters=[{"Key": "PingStatus", "Values": ["ConnectionLost"]}])[
        "InstanceInformationList"
    ]
    assert entry["InstanceId"] == instance.id
    world.change(instance, state="terminated")
    assert (
        world.ssm.describe_instance_information(Filters=[{"Key": "PingStatus", "Values": ["ConnectionLost"]}])["InstanceInformationList"]
        == []
    )


def test_agent_loses_its_way_and_finds_it_again(world):
    instance = world.instance(17, "managed")
    world.start_agent(instance)
    eventually(lambda: online(world, instance.id))
    world.change(instance, reaches_internet=False)
    eventually(lambda: not online(world, instance.id))
    world.change(instance, reaches_internet=True)
    eventually(lambda: online(world, instance.id))
    world.stop_agent(instance.id)


# -- commands


def test_command_succeeds(world, node):
    command_id = command(world, node, "echo out\necho err >&2\npwd", parameters={"workingDirectory": ["/tmp"]}, Comment="a comment")
    found = ended(world, node, command_id)
    assert (found["Status"], found["StatusDetails"], found["ResponseCode"]) == ("Success", "Success", 0)
    assert found["StandardOutputContent"] == "out\n/tmp\n"
    assert found["StandardErrorContent"] == "err\n"
    assert found["ExecutionStartDateTime"].endswith("Z") and found["ExecutionElapsedTime"].startswith("PT")
    (listed,) = world.ssm.list_commands(CommandId=command_id)["Commands"]
    assert (listed["Status"], listed["TargetCount"], listed["CompletedCount"], listed["ErrorCount"]) == ("Success", 1, 1, 0)
    assert listed["Parameters"]["commands"] == ["echo out", "echo err >&2", "pwd"]
    (short,) = world.ssm.list_command_invocations(CommandId=command_id)["CommandInvocations"]
    assert short["CommandPlugins"] == []
    (invocation,) = world.ssm.list_command_invocations(CommandId=command_id, Details=True)["CommandInvocations"]
    assert invocation["CommandPlugins"][0]["Output"] == "out\n/tmp\n\n----------ERROR-------\nerr\n"
    assert invocation["CommandPlugins"][0]["Name"] == "aws:runShellScript"


def test_command_fails_with_its_code(world, node):
    found = ended(world, node, command(world, node, "exit 3"))
    assert (found["Status"], found["ResponseCode"]) == ("Failed", 3)


def test_command_waiter_of_boto(world, node):
    command_id = command(world, node, "sleep 0.2; echo done")
    world.ssm.get_waiter("command_executed").wait(CommandId=command_id, InstanceId=node.id, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    assert ended(world, node, command_id)["StandardOutputContent"] == "done\n"


def test_command_output_is_cut(world, node):
    found = ended(world, node, command(world, node, "seq 1 100000; seq 1 100000 >&2"))
    assert len(found["StandardOutputContent"]) == 24_000
    assert len(found["StandardErrorContent"]) == 8_000
    assert found["StandardOutputContent"].startswith("1\n2\n")


def test_command_execution_times_out(world, node):
    found = ended(world, node, command(world, node, "echo begun; sleep 60", parameters={"executionTimeout": ["1"]}))
    assert (found["Status"], found["StatusDetails"]) == ("TimedOut", "ExecutionTimedOut")
    assert found["StandardOutputContent"] == "begun\n"


def test_command_is_cancelled(world, node):
    command_id = command(world, node, "echo begun; sleep 60")
    eventually(lambda: world.ssm.get_command_invocation(CommandId=command_id, InstanceId=node.id)["Status"] == "InProgress")
    world.ssm.cancel_command(CommandId=command_id)
    assert ended(world, node, command_id)["Status"] == "Cancelled"
    assert world.ssm.list_commands(CommandId=command_id)["Commands"][0]["Status"] == "Cancelled"


def test_command_by_tag_and_none(world, node):
    answer = world.ssm.send_command(
        DocumentName="AWS-RunShellScript",
        Targets=[{"Key": "tag:bluegreen:environment", "Values": ["test"]}],
        Parameters={"commands": ["hostname"]},
    )
    assert ended(world, node, answer["Command"]["CommandId"])["Status"] == "Success"
    none = world.ssm.send_command(
        DocumentName="AWS-RunShellScript", Targets=[{"Key": "tag:Name", "Values": ["nobody"]}], Parameters={"commands": ["true"]}
    )["Command"]
    assert (none["TargetCount"], none["StatusDetails"]) == (0, "NoInstancesInTag")


def test_command_waits_for_an_agent_that_is_away(world):
    world.role("away", MANAGED)
    instance = world.instance(21, "away")
    world.start_agent(instance)
    eventually(lambda: online(world, instance.id))
    world.stop_agent(instance.id)
    eventually(lambda: not online(world, instance.id))
    command_id = command(world, instance, "echo late")
    assert world.ssm.get_command_invocation(CommandId=command_id, InstanceId=instance.id)["Status"] == "Pending"
    world.start_agent(instance)
    assert ended(world, instance, command_id)["StandardOutputContent"] == "late\n"
    world.stop_agent(instance.id)
    waiting = command(world, instance, "true")
    world.change(instance, state="terminated")
    found = eventually(lambda: ended(world, instance, waiting))
    assert (found["Status"], found["StatusDetails"]) == ("Failed", "Undeliverable")


def test_command_refusals(world, node):
    send = world.ssm.send_command
    parameters = {"commands": ["true"]}
    assert refused(send, DocumentName="AWS-Nothing", InstanceIds=[node.id], Parameters=parameters)["Code"] == "InvalidDocument"
    assert refused(send, DocumentName="AWS-RunShellScript", InstanceIds=[node.id])["Code"] == "InvalidParameters"
    error = refused(send, DocumentName="AWS-RunShellScript", InstanceIds=["i-00000000000000099"], Parameters=parameters)
    assert error == {
        "Code": "InvalidInstanceId",
        "Message": f"Instances [[i-00000000000000099]] not in a valid state for account {ACCOUNT}",
    }
    unknown = "00000000-0000-0000-0000-000000000000"
    assert refused(world.ssm.get_command_invocation, CommandId=unknown, InstanceId=node.id)["Code"] == "InvocationDoesNotExist"
    assert refused(world.ssm.cancel_command, CommandId=unknown)["Code"] == "InvalidCommandId"
    known = command(world, node, "true")
    assert (
        refused(world.ssm.get_command_invocation, CommandId=known, InstanceId=node.id, PluginName="aws:other")["Code"]
        == "InvalidPluginName"
    )
    assert refused(world.ssm.list_commands, NextToken="nonsense")["Code"] == "InvalidNextToken"


def test_listing_pages(world, node):
    for _ in range(3):
        command(world, node, "true")
    seen = [
        item["CommandId"]
        for page in world.ssm.get_paginator("list_commands").paginate(InstanceId=node.id, PaginationConfig={"PageSize": 2})
        for item in page["Commands"]
    ]
    assert len(seen) == len(set(seen)) >= 3


# -- sessions and their documents


def session(world: World, node: Any, data_keys: Any = None, **options: Any) -> Client:
    answer = world.ssm.start_session(Target=node.id, **options) | {"Target": node.id}
    return Client(answer, resume=lambda: world.ssm.resume_session(SessionId=answer["SessionId"]), generate_data_key=data_keys)


def shell(world: World, node: Any, typed: bytes, **options: Any) -> tuple[Client, bytes]:
    async def scenario() -> tuple[Client, bytes]:
        async with session(world, node, **options) as client:
            if client.handshake is None and options.get("data_keys"):
                await asyncio.wait_for(client.complete.wait(), 20)
            await client.send(typed)
            await client.wait_end()
            return client, bytes(client.stdout)

    return asyncio.run(scenario())


def test_sessions_are_described(world, node):
    answer = world.ssm.start_session(Target=node.id, Reason="a reason")
    (active,) = world.ssm.describe_sessions(State="Active", Filters=[{"key": "SessionId", "value": answer["SessionId"]}])["Sessions"]
    assert (active["Target"], active["Reason"], active["DocumentName"]) == (node.id, "a reason", "SSM-SessionManagerRunShell")
    world.ssm.terminate_session(SessionId=answer["SessionId"])
    (past,) = world.ssm.describe_sessions(State="History", Filters=[{"key": "SessionId", "value": answer["SessionId"]}])["Sessions"]
    assert past["Status"] == "Terminated" and past["EndDate"] >= past["StartDate"]
    assert world.ssm.get_connection_status(Target=node.id)["Status"] == "connected"


@pytest.fixture
def preferences(world):
    def set_preferences(**inputs: Any) -> None:
        body = {"schemaVersion": "1.0", "description": "x", "sessionType": "Standard_Stream", "inputs": inputs}
        name = "SSM-SessionManagerRunShell"
        try:
            world.ssm.create_document(Name=name, DocumentType="Session", Content=json.dumps(body))
        except world.ssm.exceptions.DocumentAlreadyExists:
            version = world.ssm.update_document(Name=name, Content=json.dumps(body), DocumentVersion="$LATEST")["DocumentDescription"]
            world.ssm.update_document_default_version(Name=name, DocumentVersion=version["DocumentVersion"])

    yield set_preferences
    world.ssm.delete_document(Name="SSM-SessionManagerRunShell")


def test_preferences_profile_and_duration(world, node, preferences):
    preferences(shellProfile={"linux": "echo from-$((1+1))-profile"}, maxSessionDuration="60")
    _, out = shell(world, node, b"exit\n")
    assert b"from-2-profile\r\n" in out
    history = world.ssm.describe_sessions(State="History")["Sessions"]
    assert history[0]["MaxSessionDuration"] == "60"


@pytest.mark.parametrize("challenge", [True, False], ids=["with challenge", "older agent"])
def test_encrypted_session(world, node, preferences, challenge):
    world.admin("PUT", "faults", {"agent": {"first_output_delay": 0.0, "kms_challenge": challenge}})
    key = world.kms.create_key()["KeyMetadata"]["Arn"]
    preferences(kmsKeyId=key)

    def data_keys(key_id: str, context: dict[str, str]) -> tuple[bytes, bytes]:
        assert key_id == key
        assert ("aws:ssm:RandomChallenge" in context) == challenge
        answer = world.kms.generate_data_key(KeyId=key_id, NumberOfBytes=64, EncryptionContext=context)
        return answer["Plaintext"], answer["CiphertextBlob"]

    client, out = shell(world, node, b"echo secret-$((40+2)); exit\n", data_keys=data_keys)
    assert b"secret-42\r\n" in out
    assert [action["ActionType"] for action in client.handshake["RequestedClientActions"]] == ["KMSEncryption", "SessionType"]


def test_encrypted_session_with_a_wrong_context(world, node, preferences):
    key = world.kms.create_key()["KeyMetadata"]["Arn"]
    preferences(kmsKeyId=key)

    def data_keys(key_id: str, context: dict[str, str]) -> tuple[bytes, bytes]:
        answer = world.kms.generate_data_key(KeyId=key_id, NumberOfBytes=64, EncryptionContext=context | {"aws:ssm:TargetId": "i-0"})
        return answer["Plaintext"], answer["CiphertextBlob"]

    async def scenario() -> str:
        async with session(world, node, data_keys) as client:
            await client.wait_end()
            return client.closed_output

    assert "Error when decrypting data key" in asyncio.run(scenario())


def test_own_session_document(world, node):
    body = {
        "schemaVersion": "1.0",
        "sessionType": "InteractiveCommands",
        "parameters": {"word": {"type": "String", "allowedPattern": "^[a-z]+$"}},
        "properties": {"linux": {"commands": "echo the {{ word }}"}},
    }
    world.ssm.create_document(Name="Echo", DocumentType="Session", Content=json.dumps(body))
    _, out = shell(world, node, b"\n", DocumentName="Echo", Parameters={"word": ["hello"]})
    assert b"the hello\r\n" in out
    assert (
        refused(world.ssm.start_session, Target=node.id, DocumentName="Echo", Parameters={"word": ["No;rm"]})["Code"]
        == "ValidationException"
    )
    world.ssm.delete_document(Name="Echo")


def test_documents(world):
    names = [item["Name"] for item in world.ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Amazon"]}])["DocumentIdentifiers"]]
    assert names == sorted(names)
    assert {"AWS-RunShellScript", "AWS-StartInteractiveCommand", "AWS-StartNonInteractiveCommand", "AWS-StartSSHSession"} <= set(names)
    described = world.ssm.describe_document(Name="AWS-StartSSHSession")["Document"]
    assert described["DocumentType"] == "Session"
    assert [item["Name"] for item in described["Parameters"]] == ["portNumber"]
    assert json.loads(world.ssm.get_document(Name="AWS-RunShellScript")["Content"])["schemaVersion"] == "1.2"
    assert refused(world.ssm.get_document, Name="Nothing")["Code"] == "InvalidDocument"
    assert refused(world.ssm.delete_document, Name="AWS-RunShellScript")["Code"] == "InvalidDocumentOperation"
    assert refused(world.ssm.create_document, Name="Bad", DocumentType="Session", Content="{")["Code"] == "InvalidDocumentContent"
