# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions and commands in real instances: users, processes, agents that come and go, encryption, and ways to the service."""

from __future__ import annotations

import asyncio
import json
import typing as t

import pytest
from botocore.exceptions import ClientError
from conftest import client_of, describe, wait_for, wait_for_state
from session_client import Client


def ping_status(ssm: t.Any, instance_id: str) -> str:
    found = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [instance_id]}])["InstanceInformationList"]
    return found[0]["PingStatus"] if found else ""


def wait_online(ssm: t.Any, instance_id: str) -> None:
    wait_for(lambda: ping_status(ssm, instance_id) == "Online", 40)


@pytest.fixture(scope="module")
def node(boto, instance) -> str:
    """The instance of the whole run, with its agent connected."""
    wait_online(boto("ssm"), instance["InstanceId"])
    return instance["InstanceId"]


def start(ssm: t.Any, target: str, command: str | None = None, *, terminal: bool = False, **keys: t.Any) -> Client:
    options: dict[str, t.Any] = {}
    if command is not None and terminal:
        options = {"DocumentName": "AWS-StartInteractiveCommand", "Parameters": {"command": [command]}}
    elif command is not None:
        parameters = {"command": [command], "separateOutputStream": ["true"]}
        options = {"DocumentName": "AWS-StartNonInteractiveCommand", "Parameters": parameters}
    answer = ssm.start_session(Target=target, **options) | {"Target": target}
    resume = lambda: ssm.resume_session(SessionId=answer["SessionId"]) | {"Target": target}  # noqa: E731
    return Client(answer, resume=resume, **keys)


def run(ssm: t.Any, target: str, command: str) -> Client:
    async def scenario() -> Client:
        async with start(ssm, target, command) as client:
            await client.wait_end()
            return client

    return asyncio.run(scenario())


def test_command_runs_as_ssm_user(boto, node):
    client = run(boto("ssm"), node, "sh -c 'id -un; echo $HOME; pwd; echo $TERM $LANG; sudo id -un; env | grep -c ^AWS_SECRET'")
    assert bytes(client.stdout).decode().splitlines() == ["ssm-user", "/home/ssm-user", "/usr/bin", "xterm-256color C.UTF-8", "root", "0"]
    assert client.exit_text == "EXIT_CODE: 1"


def test_role_credentials_are_for_everybody_who_asks(boto, node):
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    client = run(boto("ssm"), node, f'python3 -c "{script}"')
    assert ":assumed-role/test-web/" in bytes(client.stdout).decode(), bytes(client.stderr)


def test_shell_in_a_terminal(boto, node):
    async def scenario() -> bytes:
        async with start(boto("ssm"), node) as client:
            await client.send(b"tty; id -un; test -c /dev/tty && echo has-$((1+1))-tty </dev/tty; exit\n")
            await client.wait_end()
            return bytes(client.stdout)

    out = asyncio.run(scenario())
    assert b"/dev/pts/" in out and b"ssm-user\r\n" in out and b"has-2-tty\r\n" in out


def test_processes_end_with_the_session_unless_they_left(boto, node, in_instance):
    async def scenario() -> None:
        command = "nohup setsid sleep 7771 >/dev/null 2>&1 & sleep 7772 & sleep 7773 & echo READY; wait"
        async with start(boto("ssm"), node, command, terminal=True) as client:
            await client.wait_for(b"READY")
            await asyncio.to_thread(boto("ssm").terminate_session, SessionId=client.session_id)
            await client.wait_end()

    asyncio.run(scenario())
    running = "ps -eo args | grep -o '^sleep 777[0-9]'"
    wait_for(lambda: in_instance(node, running, check=False).split("\n")[:-1] == ["sleep 7771"])
    in_instance(node, "pkill -f '^sleep 777[1]'")


def test_agent_that_is_killed_comes_back_and_its_sessions_end(boto, node, in_instance):
    ssm = boto("ssm")

    async def scenario() -> str | None:
        async with start(ssm, node, "cat", terminal=True) as client:
            await client.send(b"hello\n")
            await client.wait_for(b"hello\r\nhello")
            in_instance(node, "pkill -KILL -f '[a]gent/main.py'")
            await asyncio.to_thread(wait_for, lambda: ping_status(ssm, node) == "ConnectionLost", 10)
            await asyncio.to_thread(wait_online, ssm, node)
            await client.wait_end(60)
            return client.closed_output

    assert "connection to the agent" in (asyncio.run(scenario()) or "")
    assert bytes(run(ssm, node, "echo again").stdout) == b"again\n"


def test_run_command_is_root_in_the_instance(boto, node, instance):
    ssm = boto("ssm")
    command = ssm.send_command(
        DocumentName="AWS-RunShellScript",
        Targets=[{"Key": "tag:Name", "Values": ["web"]}],
        Parameters={"commands": ["id -un", "hostname -I"], "workingDirectory": ["/root"]},
    )["Command"]["CommandId"]
    ssm.get_waiter("command_executed").wait(CommandId=command, InstanceId=node, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    out = ssm.get_command_invocation(CommandId=command, InstanceId=node)["StandardOutputContent"].split()
    assert out[0] == "root" and instance["PrivateIpAddress"] in out


@pytest.fixture
def preferences(boto) -> t.Iterator[t.Callable[..., None]]:
    ssm = boto("ssm")

    def put(**inputs: t.Any) -> None:
        body = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}
        ssm.create_document(Name="SSM-SessionManagerRunShell", DocumentType="Session", Content=json.dumps(body))

    yield put
    ssm.delete_document(Name="SSM-SessionManagerRunShell")


def test_session_as_another_user(boto, node, preferences):
    preferences(runAsEnabled=True, runAsDefaultUser="admin")
    assert bytes(run(boto("ssm"), node, "sh -c 'id -un; echo $HOME'").stdout) == b"admin\n/home/admin\n"


def test_session_as_a_user_that_does_not_exist(boto, node, preferences):
    preferences(runAsEnabled=True, runAsDefaultUser="nobody-here")
    client = run(boto("ssm"), node, "id")
    assert client.closed_output == "failed to start pty since RunAs user nobody-here does not exist"


def test_encrypted_session(boto, node, preferences):
    kms = boto("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    preferences(kmsKeyId=key)

    def data_keys(key_id: str, context: dict[str, str]) -> tuple[bytes, bytes]:
        answer = kms.generate_data_key(KeyId=key_id, NumberOfBytes=64, EncryptionContext=context)
        return answer["Plaintext"], answer["CiphertextBlob"]

    async def scenario() -> bytes:
        async with start(boto("ssm"), node, generate_data_key=data_keys) as client:
            await asyncio.wait_for(client.complete.wait(), 20)
            await client.send(b"echo sealed-$((40+2)); exit\n")
            await client.wait_end()
            return bytes(client.stdout)

    assert b"sealed-42\r\n" in asyncio.run(scenario())


def test_instance_without_a_role_is_not_managed(boto, run_instance):
    ssm, ec2 = boto("ssm"), boto("ec2")
    instance_id = run_instance()["InstanceId"]
    with pytest.raises(ClientError) as caught:
        ssm.start_session(Target=instance_id)
    assert caught.value.response["Error"] == {"Code": "TargetNotConnected", "Message": f"{instance_id} is not connected."}
    assert ping_status(ssm, instance_id) == ""
    ec2.associate_iam_instance_profile(InstanceId=instance_id, IamInstanceProfile={"Name": "test-web"})
    wait_online(ssm, instance_id)  # without a restart: the agent keeps asking for credentials
    ec2.stop_instances(InstanceIds=[instance_id])
    wait_for(lambda: ping_status(ssm, instance_id) == "ConnectionLost")
    wait_for_state(ec2, instance_id, "stopped")
    ec2.start_instances(InstanceIds=[instance_id])
    wait_online(ssm, instance_id)
    ec2.terminate_instances(InstanceIds=[instance_id])
    wait_for_state(ec2, instance_id, "terminated")
    assert ping_status(ssm, instance_id) == ""


def test_private_instance_needs_the_endpoints(boto, cloud_env, run_instance, instance_profile, vpc):
    ssm, ec2 = boto("ssm"), client_of(cloud_env, "ec2")
    # AWS answers the state in lower case, against its own model: not to be judged here
    ec2.meta.events.unregister("before-parse.ec2", unique_id="localcloud-contract")
    instance_id = run_instance(SubnetId=vpc.private_subnet, IamInstanceProfile={"Name": instance_profile})["InstanceId"]
    assert "PublicIpAddress" not in describe(ec2, instance_id)

    def endpoint(service: str) -> str:
        name = f"com.amazonaws.ap-northeast-2.{service}"
        answer = ec2.create_vpc_endpoint(VpcId=vpc.id, VpcEndpointType="Interface", ServiceName=name, SubnetIds=[vpc.private_subnet])
        return answer["VpcEndpoint"]["VpcEndpointId"]

    created = [endpoint("ssm")]
    assert ping_status(ssm, instance_id) == ""
    created.append(endpoint("ssmmessages"))
    wait_online(ssm, instance_id)
    ec2.delete_vpc_endpoints(VpcEndpointIds=created)
    wait_for(lambda: ping_status(ssm, instance_id) == "ConnectionLost")
    ec2.terminate_instances(InstanceIds=[instance_id])
