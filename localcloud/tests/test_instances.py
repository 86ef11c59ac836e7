# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances of a real cloud: life cycle, addresses, user data, metadata, an Engine of their own."""

from __future__ import annotations

import io
import ipaddress
import json
import socket
import subprocess
import tarfile
import time

import pytest
from botocore.exceptions import ClientError
from conftest import describe, wait_for, wait_for_state

TOKEN = "TOKEN=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)"
ASK = "curl -s -w '\\n%{http_code}' -H \"X-aws-ec2-metadata-token: $TOKEN\" http://169.254.169.254/latest/"


def container(engine, cloud_name, instance_id):
    return engine.containers.get(f"localcloud-{cloud_name}-{instance_id}")


def test_describe_shows_the_instance_that_runs(instance, vpc, boto):
    assert instance["State"] == {"Code": 16, "Name": "running"}
    assert instance["Placement"]["AvailabilityZone"] == "ap-northeast-2a"
    assert instance["SubnetId"] == vpc.public_subnet
    assert instance["NetworkInterfaces"][0]["PrivateIpAddress"] == instance["PrivateIpAddress"]
    assert instance["PublicIpAddress"].startswith("127.")
    assert instance["PublicDnsName"] == instance["PublicIpAddress"]
    assert instance["IamInstanceProfile"]["Arn"] == "arn:aws:iam::123456789012:instance-profile/test-web"
    assert {"Key": "Name", "Value": "web"} in instance["Tags"]
    zones = {zone["ZoneName"][-1] for zone in boto("ec2").describe_availability_zones()["AvailabilityZones"]}
    assert zones == {"a", "b", "c", "d"}


def test_answers_at_its_private_address(instance, in_instance, vpc):
    address = instance["PrivateIpAddress"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(f"{vpc.address(1, 0)}/24")
    in_instance(instance["InstanceId"], "cd /etc && nohup python3 -m http.server 9101 >/dev/null 2>&1 &")

    def fetch():
        done = subprocess.run(["curl", "-s", "-m", "2", f"http://{address}:9101/hostname"], capture_output=True, text=True, check=False)
        return done.stdout

    assert wait_for(fetch).strip() == f"ip-{address.replace('.', '-')}"


def test_user_data_ran_once_as_root(instance, in_instance):
    wait_for(lambda: "user data ran as root" in in_instance(instance["InstanceId"], "cat /var/log/cloud-init-output.log", check=False))
    assert len(in_instance(instance["InstanceId"], "cat /root/boots").split()) == 1


@pytest.mark.case("A2")
def test_its_engine_runs_containers(instance, in_instance, engine, cloud_name, tmp_path, boto):
    source = tmp_path / "hello.c"
    source.write_text('#include <unistd.h>\nint main(void) { write(1, "hello from inside\\n", 18); return 0; }\n')
    subprocess.run(["gcc", "-static", "-o", str(tmp_path / "hello"), str(source)], check=True)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.add(tmp_path / "hello", arcname="hello")
    outer = io.BytesIO()
    with tarfile.open(fileobj=outer, mode="w") as archive:
        info = tarfile.TarInfo("layer.tar")
        info.size = len(layer.getvalue())
        archive.addfile(info, io.BytesIO(layer.getvalue()))
    container(engine, cloud_name, instance["InstanceId"]).put_archive("/root", outer.getvalue())
    wait_for(lambda: "Server Version" in in_instance(instance["InstanceId"], "docker info 2>/dev/null", check=False))
    in_instance(instance["InstanceId"], "docker import /root/layer.tar hello:1")
    assert in_instance(instance["InstanceId"], "docker run --rm --memory 64m --cpus 0.5 hello:1 /hello") == "hello from inside\n"
    assert "version" in in_instance(instance["InstanceId"], "docker compose version")
    # the default hop limit of 1 keeps tokens from containers inside the instance, as on EC2; 2 lets them through
    run = "docker run --rm -v /usr:/usr -v /usr/lib:/lib -v /usr/lib64:/lib64 hello:1 /usr/bin/curl -s -m 1 -o /dev/null -w '%{http_code}'"
    put = f"{run} -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token"
    assert in_instance(instance["InstanceId"], put, check=False).strip() == "000"
    boto("ec2").modify_instance_metadata_options(InstanceId=instance["InstanceId"], HttpPutResponseHopLimit=2)
    assert in_instance(instance["InstanceId"], put) == "200"
    in_instance(instance["InstanceId"], "service docker restart")
    wait_for(lambda: in_instance(instance["InstanceId"], "docker run --rm hello:1 /hello", check=False) == "hello from inside\n")


def test_metadata_needs_a_token(instance, in_instance):
    output = in_instance(
        instance["InstanceId"], "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id"
    )
    assert output == "401"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("meta-data/instance-id", "InstanceId"),
        ("meta-data/local-ipv4", "PrivateIpAddress"),
        ("meta-data/public-ipv4", "PublicIpAddress"),
        ("meta-data/ami-id", "ImageId"),
        ("meta-data/instance-type", "InstanceType"),
        ("meta-data/hostname", "PrivateDnsName"),
    ],
)
def test_metadata_agrees_with_describe(instance, in_instance, path, key):
    assert in_instance(instance["InstanceId"], f"{TOKEN}; {ASK}{path}") == f"{instance[key]}\n200"


def test_metadata_of_place_tags_mac_and_identity(instance, in_instance):
    def get(path):
        text, _, status = in_instance(instance["InstanceId"], f"{TOKEN}; {ASK}{path}").rpartition("\n")
        return text if status == "200" else status

    assert get("meta-data/placement/availability-zone") == "ap-northeast-2a"
    assert get("meta-data/placement/region") == "ap-northeast-2"
    assert get("meta-data/tags/instance/Name") == "web"
    assert get("meta-data/mac") == instance["NetworkInterfaces"][0]["MacAddress"]
    assert get("meta-data/mac") in in_instance(instance["InstanceId"], "cat /sys/class/net/eth0/address")
    assert json.loads(get("dynamic/instance-identity/document"))["instanceId"] == instance["InstanceId"]
    assert get("user-data").startswith("#!/bin/sh\necho user data ran")
    assert get("meta-data/nothing") == "404"
    assert json.loads(get("meta-data/iam/info"))["InstanceProfileArn"] == instance["IamInstanceProfile"]["Arn"]
    assert get("meta-data/iam/security-credentials/") == "test-web"
    credentials = json.loads(get("meta-data/iam/security-credentials/test-web"))
    assert credentials["Code"] == "Success"
    assert set(credentials) >= {"AccessKeyId", "SecretAccessKey", "Token", "Expiration", "LastUpdated", "Type"}


def test_calls_from_inside_are_made_by_the_role(instance, in_instance):
    identity = in_instance(
        instance["InstanceId"],
        "set -a; . /etc/environment; python3 -c \"import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])\"",
    ).strip()
    assert identity == f"arn:aws:sts::123456789012:assumed-role/test-web/{instance['InstanceId']}"


def test_the_rest_of_loopback_is_closed_to_instances(instance, in_instance, vpc):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        gateway = vpc.address(0, 1)
        in_instance(instance["InstanceId"], f"! curl -s -m 2 telnet://{gateway}:{port} </dev/null")
        in_instance(instance["InstanceId"], f"ip route replace 127.1.0.0/16 via {gateway} && ! curl -s -m 1 http://127.1.0.1:{port}/")


def test_only_an_instance_with_a_way_out_reaches_the_outside(instance, run_instance, in_instance, vpc, boto):
    private = run_instance(SubnetId=vpc.private_subnet)
    in_instance(private["InstanceId"], f"ping -c 1 -W 2 {instance['PrivateIpAddress']}")
    refused = in_instance(private["InstanceId"], "curl -s -m 5 -o /dev/null http://198.51.100.1/; echo $?").strip()
    assert refused == "7", "refused at once, not lost"
    rules = subprocess.run(["iptables-save", "-t", "filter"], capture_output=True, text=True, check=True).stdout
    assert f"-s {private['PrivateIpAddress']}/32 -j REJECT" in rules
    assert f"-s {instance['PrivateIpAddress']}/32 -j REJECT" not in rules
    boto("ec2").terminate_instances(InstanceIds=[private["InstanceId"]])


def test_stop_and_start_keep_address_and_data(run_instance, boto, in_instance):
    ec2 = boto("ec2")
    first = run_instance(UserData="#!/bin/sh\necho once >>/root/boots\n")
    instance_id = first["InstanceId"]
    wait_for(lambda: "once" in in_instance(instance_id, "cat /root/boots", check=False))
    in_instance(instance_id, "echo kept >/var/lib/data")
    begin = time.monotonic()
    assert ec2.stop_instances(InstanceIds=[instance_id])["StoppingInstances"][0]["CurrentState"]["Name"] == "stopping"
    stopped = wait_for_state(ec2, instance_id, "stopped")
    assert time.monotonic() - begin < 7, "the init did not end its processes"
    assert "PublicIpAddress" not in stopped
    assert ec2.start_instances(InstanceIds=[instance_id])["StartingInstances"][0]["CurrentState"]["Name"] == "pending"
    second = wait_for_state(ec2, instance_id, "running")
    assert second["PrivateIpAddress"] == first["PrivateIpAddress"]
    assert in_instance(instance_id, "cat /var/lib/data") == "kept\n"
    wait_for(lambda: "Server Version" in in_instance(instance_id, "docker info 2>/dev/null", check=False))
    assert in_instance(instance_id, "cat /root/boots") == "once\n"
    ec2.terminate_instances(InstanceIds=[instance_id])


def test_reboot_restarts_the_machine(run_instance, boto, engine, cloud_name):
    instance_id = run_instance()["InstanceId"]
    before = container(engine, cloud_name, instance_id).attrs["State"]["StartedAt"]
    boto("ec2").reboot_instances(InstanceIds=[instance_id])
    wait_for(lambda: container(engine, cloud_name, instance_id).attrs["State"]["StartedAt"] > before)
    assert describe(boto("ec2"), instance_id)["State"]["Name"] == "running"
    boto("ec2").terminate_instances(InstanceIds=[instance_id])


def test_shutdown_reboots_from_the_inside(run_instance, boto, in_instance, engine, cloud_name):
    instance_id = run_instance()["InstanceId"]
    read = "cat /proc/sys/kernel/random/boot_id"
    before, started = in_instance(instance_id, read), container(engine, cloud_name, instance_id).attrs["State"]["StartedAt"]
    in_instance(instance_id, "echo kept >/var/lib/data; echo gone >/run/data; shutdown -r now")
    wait_for(lambda: in_instance(instance_id, read, check=False) not in ("", before), 30.0)
    wait_for(lambda: "Server Version" in in_instance(instance_id, "docker info 2>/dev/null", check=False), 30.0)
    assert in_instance(instance_id, "cat /var/lib/data") == "kept\n"
    assert in_instance(instance_id, "test -e /run/data || echo forgotten") == "forgotten\n"
    assert container(engine, cloud_name, instance_id).attrs["State"]["StartedAt"] == started
    assert describe(boto("ec2"), instance_id)["State"]["Name"] == "running"
    boto("ec2").terminate_instances(InstanceIds=[instance_id])


def test_terminate_removes_the_container_and_frees_the_address(run_instance, boto, engine, cloud_name, vpc):
    ec2 = boto("ec2")
    address = vpc.address(2, 77)
    first = run_instance(SubnetId=vpc.private_subnet, PrivateIpAddress=address)
    assert first["PrivateIpAddress"] == address
    assert ec2.terminate_instances(InstanceIds=[first["InstanceId"]])["TerminatingInstances"][0]["CurrentState"]["Name"] == "shutting-down"
    second = run_instance(SubnetId=vpc.private_subnet, PrivateIpAddress=address)  # asked for before the first is gone
    wait_for_state(ec2, first["InstanceId"], "terminated")
    names = [found.name for found in engine.containers.list(all=True, filters={"label": f"localcloud={cloud_name}"})]
    assert f"localcloud-{cloud_name}-{first['InstanceId']}" not in names
    ec2.terminate_instances(InstanceIds=[second["InstanceId"]])


@pytest.mark.parametrize(("subnet", "host"), [(2, 1), (2, 3), (2, 255), (9, 9)])
def test_reserved_and_foreign_addresses_are_refused(boto, vpc, instance, subnet, host):
    address = vpc.address(subnet, host)
    with pytest.raises(ClientError) as caught:
        boto("ec2").run_instances(
            ImageId=instance["ImageId"], MinCount=1, MaxCount=1, SubnetId=vpc.private_subnet, PrivateIpAddress=address
        )
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_an_address_in_use_is_refused(boto, vpc, instance):
    with pytest.raises(ClientError) as caught:
        boto("ec2").run_instances(
            ImageId=instance["ImageId"], MinCount=1, MaxCount=1, SubnetId=vpc.public_subnet, PrivateIpAddress=instance["PrivateIpAddress"]
        )
    assert caught.value.response["Error"]["Code"] == "InvalidIPAddress.InUse"


def test_a_crash_is_noticed(run_instance, boto, engine, cloud_name):
    instance_id = run_instance()["InstanceId"]
    container(engine, cloud_name, instance_id).kill()
    found = wait_for_state(boto("ec2"), instance_id, "stopped", 5)
    assert found["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    boto("ec2").start_instances(InstanceIds=[instance_id])
    wait_for_state(boto("ec2"), instance_id, "running")
    container(engine, cloud_name, instance_id).remove(v=True, force=True)
    found = wait_for_state(boto("ec2"), instance_id, "terminated", 5)
    assert found["StateReason"]["Code"] == "Server.InternalError"


def test_an_auto_scaling_group_launches_real_instances(boto, vpc, engine, cloud_name, in_instance, instance, instance_profile):
    ec2, autoscaling = boto("ec2"), boto("autoscaling")
    data = {
        "ImageId": instance["ImageId"], "InstanceType": "t3.micro", "IamInstanceProfile": {"Name": instance_profile},
        "SecurityGroupIds": [vpc.security_group], "MetadataOptions": {"HttpTokens": "required"},
    }  # fmt: skip
    ec2.create_launch_template(LaunchTemplateName="asg", LaunchTemplateData=data)
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="web", MinSize=1, MaxSize=2, DesiredCapacity=1, VPCZoneIdentifier=vpc.private_subnet,
        LaunchTemplate={"LaunchTemplateName": "asg", "Version": "$Latest"},
        Tags=[{"Key": "colour", "Value": "green", "PropagateAtLaunch": True}],
    )  # fmt: skip
    group = wait_for(
        lambda: (
            (found := autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"][0])["Instances"]
            and found
        )
    )
    found = wait_for_state(ec2, group["Instances"][0]["InstanceId"], "running")
    assert found["IamInstanceProfile"]["Arn"].endswith("/test-web")
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    assert {"Key": "colour", "Value": "green"} in found["Tags"]
    assert in_instance(found["InstanceId"], "hostname").strip() == f"ip-{found['PrivateIpAddress'].replace('.', '-')}"
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    wait_for_state(ec2, found["InstanceId"], "terminated")
