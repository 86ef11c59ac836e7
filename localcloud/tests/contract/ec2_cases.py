# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 answers, good and bad: the table of cases, run by test_ec2_contract. The control plane is moto's, the instances are ours."""

from __future__ import annotations

import base64
import typing as t

from .cases import Case
from .ec2_world import World

NO_INSTANCE = "i-00000000000000000"
NO_SUBNET = "subnet-00000000000000000"
NO_GATEWAY = "igw-00000000000000000"
NO_GATEWAY_CODE = "InvalidInternetGatewayID.NotFound"
NO_TABLE = "rtb-00000000000000000"
EVERYWHERE = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
OPEN = [{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "web"}]}]
ROUTE = "203.0.113.0/24"


def _case(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    """One call with fixed members."""
    return Case(operation, name, lambda w: w.call(operation, **members), error)


def _on(operation: str, name: str, make: t.Callable[[World], dict[str, t.Any]], error: str | None = None) -> Case:
    """One call with members that depend on the world."""
    return Case(operation, name, lambda w: w.call(operation, **make(w)), error)


def _on_instances(operation: str) -> list[Case]:
    return [
        _case(operation, "absent", "InvalidInstanceID.NotFound", InstanceIds=[NO_INSTANCE]),
        _case(operation, "malformed", "InvalidInstanceID.Malformed", InstanceIds=["nonsense"]),
    ]


def _twice(operation: str, make: t.Callable[[World], dict[str, t.Any]]) -> t.Callable[[World], t.Any]:
    def run(w: World) -> None:
        members = make(w)
        for _ in range(2):
            w.call(operation, **members)

    return run


def _life(w: World) -> None:
    """Every state that an instance passes through."""
    instance = w.running()
    w.ec2.reboot_instances(InstanceIds=[instance])
    w.ec2.stop_instances(InstanceIds=[instance])
    w.ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    w.ec2.start_instances(InstanceIds=[instance])
    w.ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    w.ec2.describe_instance_status(InstanceIds=[instance])
    w.ec2.get_console_output(InstanceId=instance)
    w.ec2.terminate_instances(InstanceIds=[instance])
    w.ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    w.ec2.describe_instances(InstanceIds=[instance])


def _address(w: World) -> None:
    instance = w.running()
    allocation = w.address()
    association = w.ec2.associate_address(InstanceId=instance, AllocationId=allocation)["AssociationId"]
    w.ec2.describe_addresses(AllocationIds=[allocation])
    w.ec2.disassociate_address(AssociationId=association)
    w.ec2.release_address(AllocationId=allocation)
    w.ec2.terminate_instances(InstanceIds=[instance])


def _run(w: World, **members: t.Any) -> dict[str, t.Any]:
    return {"ImageId": w.image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, "SubnetId": w.vpc.private_subnet, **members}


INSTANCES: list[Case] = [
    Case("RunInstances", "a life", _life),
    Case("RunInstances", "two with user data", lambda w: w.instances(2, UserData="#!/bin/sh\ntrue\n")),
    _on("RunInstances", "no image", lambda w: _run(w, ImageId="ami-00000000000000000"), "InvalidAMIID.NotFound"),
    _on("RunInstances", "no subnet", lambda w: _run(w, SubnetId=NO_SUBNET), "InvalidSubnetID.NotFound"),
    _on("RunInstances", "no group", lambda w: _run(w, SecurityGroupIds=["sg-00000000000000000"]), "InvalidGroup.NotFound"),
    _on("RunInstances", "no type", lambda w: _run(w, InstanceType="t0.none"), "InvalidParameterValue"),
    _on("RunInstances", "no profile", lambda w: _run(w, IamInstanceProfile={"Name": "there-is-none"}), "InvalidParameterValue"),
    _case("DescribeInstances", "all"),
    _case("DescribeInstances", "filtered", Filters=[{"Name": "instance-state-name", "Values": ["running"]}]),
    *_on_instances("DescribeInstances"),
    _case("DescribeInstanceStatus", "all", IncludeAllInstances=True),
    *_on_instances("DescribeInstanceStatus"),
    _on("StartInstances", "running", lambda w: {"InstanceIds": [w.running()]}),
    _on("StartInstances", "terminated", lambda w: {"InstanceIds": [w.terminated()]}, "IncorrectInstanceState"),
    *_on_instances("StartInstances"),
    _on("StopInstances", "running", lambda w: {"InstanceIds": [w.running()]}),
    _on("StopInstances", "pending", lambda w: {"InstanceIds": w.instances()}, "IncorrectInstanceState"),
    _on("StopInstances", "terminated", lambda w: {"InstanceIds": [w.terminated()]}, "IncorrectInstanceState"),
    *_on_instances("StopInstances"),
    _on("RebootInstances", "running", lambda w: {"InstanceIds": [w.running()]}),
    *_on_instances("RebootInstances"),
    _on("TerminateInstances", "pending", lambda w: {"InstanceIds": w.instances()}),
    _on("TerminateInstances", "again", lambda w: {"InstanceIds": [w.terminated()]}),
    *_on_instances("TerminateInstances"),
    _on("GetConsoleOutput", "pending", lambda w: {"InstanceId": w.instances()[0]}),
    _case("GetConsoleOutput", "absent", "InvalidInstanceID.NotFound", InstanceId=NO_INSTANCE),
    _on("DescribeInstanceAttribute", "user data", lambda w: {"InstanceId": w.instances()[0], "Attribute": "userData"}),
    _on("DescribeInstanceAttribute", "termination", lambda w: {"InstanceId": w.instances()[0], "Attribute": "disableApiTermination"}),
    _case("DescribeInstanceAttribute", "absent", "InvalidInstanceID.NotFound", InstanceId=NO_INSTANCE, Attribute="userData"),
    _on("ModifyInstanceAttribute", "source check", lambda w: {"InstanceId": w.instances()[0], "SourceDestCheck": {"Value": False}}),
    _case("ModifyInstanceAttribute", "absent", "InvalidInstanceID.NotFound", InstanceId=NO_INSTANCE, SourceDestCheck={"Value": False}),
    _on("ModifyInstanceMetadataOptions", "tokens", lambda w: {"InstanceId": w.instances()[0], "HttpTokens": "required"}),
    _case("ModifyInstanceMetadataOptions", "absent", "InvalidInstanceID.NotFound", InstanceId=NO_INSTANCE, HttpTokens="required"),
    _case("DescribeIamInstanceProfileAssociations", "all"),
    _case("DescribeImages", "Amazon's", Owners=["amazon"]),
    _case("DescribeImages", "absent", "InvalidAMIID.NotFound", ImageIds=["ami-00000000000000000"]),
    _case("DescribeInstanceTypes", "one", InstanceTypes=["t3.micro"]),
    _case("DescribeInstanceTypes", "absent", "InvalidInstanceType", InstanceTypes=["t0.none"]),
    _case("DescribeVolumes", "all"),
    _case("DescribeVolumes", "absent", "InvalidVolume.NotFound", VolumeIds=["vol-00000000000000000"]),
    _case("DescribeNetworkInterfaces", "all"),
    _case("DescribeNetworkInterfaces", "absent", "InvalidNetworkInterfaceID.NotFound", NetworkInterfaceIds=["eni-00000000000000000"]),
    _case("DescribeAvailabilityZones", "all"),
    _case("DescribeAvailabilityZones", "absent", "InvalidParameterValue", ZoneNames=["ap-northeast-2x"]),
    _case("DescribeRegions", "all"),
    _case("DescribeAccountAttributes", "all"),
    _case("DescribeKeyPairs", "all"),
    _case("DescribeKeyPairs", "absent", "InvalidKeyPair.NotFound", KeyNames=["there-is-none"]),
]

NETWORK: list[Case] = [
    Case("CreateVpc", "one", World.own_vpc),
    _case("CreateVpc", "too large", "InvalidVpc.Range", CidrBlock="10.0.0.0/8"),
    _case("DescribeVpcs", "all"),
    _case("DescribeVpcs", "absent", "InvalidVpcID.NotFound", VpcIds=["vpc-00000000000000000"]),
    _on("DescribeVpcAttribute", "names", lambda w: {"VpcId": w.vpc.id, "Attribute": "enableDnsHostnames"}),
    _case("DescribeVpcAttribute", "absent", "InvalidVpcID.NotFound", VpcId="vpc-00000000000000000", Attribute="enableDnsSupport"),
    _on("ModifyVpcAttribute", "names", lambda w: {"VpcId": w.own_vpc(), "EnableDnsHostnames": {"Value": True}}),
    _case("ModifyVpcAttribute", "absent", "InvalidVpcID.NotFound", VpcId="vpc-00000000000000000", EnableDnsHostnames={"Value": True}),
    _on("DeleteVpc", "empty", lambda w: {"VpcId": w.own_vpc()}),
    _on("DeleteVpc", "in use", lambda w: {"VpcId": w.vpc.id}, "DependencyViolation"),
    _case("DeleteVpc", "absent", "InvalidVpcID.NotFound", VpcId="vpc-00000000000000000"),
    Case("CreateSubnet", "one", World.own_subnet),
    _on("CreateSubnet", "overlap", lambda w: {"VpcId": w.vpc.id, "CidrBlock": w.vpc.cidr}, "InvalidSubnet.Conflict"),
    _on("CreateSubnet", "outside", lambda w: {"VpcId": w.vpc.id, "CidrBlock": "192.168.0.0/24"}, "InvalidSubnet.Range"),
    _case("CreateSubnet", "no VPC", "InvalidVpcID.NotFound", VpcId="vpc-00000000000000000", CidrBlock="10.0.0.0/24"),
    _case("DescribeSubnets", "all"),
    _case("DescribeSubnets", "absent", "InvalidSubnetID.NotFound", SubnetIds=[NO_SUBNET]),
    _on("ModifySubnetAttribute", "public", lambda w: {"SubnetId": w.own_subnet(), "MapPublicIpOnLaunch": {"Value": True}}),
    _case("ModifySubnetAttribute", "absent", "InvalidSubnetID.NotFound", SubnetId=NO_SUBNET, MapPublicIpOnLaunch={"Value": True}),
    _on("DeleteSubnet", "one", lambda w: {"SubnetId": w.own_subnet()}),
    _case("DeleteSubnet", "absent", "InvalidSubnetID.NotFound", SubnetId=NO_SUBNET),
    Case("CreateInternetGateway", "one", World.gateway),
    _case("DescribeInternetGateways", "all"),
    _case("DescribeInternetGateways", "absent", "InvalidInternetGatewayID.NotFound", InternetGatewayIds=[NO_GATEWAY]),
    _on("AttachInternetGateway", "one", lambda w: {"InternetGatewayId": w.gateway(), "VpcId": w.own_vpc()}),
    _on("AttachInternetGateway", "absent", lambda w: {"InternetGatewayId": NO_GATEWAY, "VpcId": w.vpc.id}, NO_GATEWAY_CODE),
    _on("DetachInternetGateway", "not attached", lambda w: {"InternetGatewayId": w.gateway(), "VpcId": w.vpc.id}, "Gateway.NotAttached"),
    Case("DetachInternetGateway", "attached", lambda w: _attached(w, "detach_internet_gateway", True)),
    _on("DeleteInternetGateway", "one", lambda w: {"InternetGatewayId": w.gateway()}),
    Case("DeleteInternetGateway", "attached", lambda w: _attached(w, "delete_internet_gateway", False), "DependencyViolation"),
    _case("DeleteInternetGateway", "absent", "InvalidInternetGatewayID.NotFound", InternetGatewayId=NO_GATEWAY),
    Case("CreateRouteTable", "one", World.table),
    _case("CreateRouteTable", "no VPC", "InvalidVpcID.NotFound", VpcId="vpc-00000000000000000"),
    _case("DescribeRouteTables", "all"),
    _case("DescribeRouteTables", "absent", "InvalidRouteTableID.NotFound", RouteTableIds=[NO_TABLE]),
    _on("AssociateRouteTable", "one", lambda w: {"RouteTableId": w.table(), "SubnetId": w.own_subnet()}),
    _on("AssociateRouteTable", "absent", lambda w: {"RouteTableId": NO_TABLE, "SubnetId": w.own_subnet()}, "InvalidRouteTableID.NotFound"),
    _on("DisassociateRouteTable", "one", lambda w: {"AssociationId": _association(w)}),
    _case("DisassociateRouteTable", "absent", "InvalidAssociationID.NotFound", AssociationId="rtbassoc-00000000000000000"),
    _on("CreateRoute", "to a gateway", lambda w: _route(w)),
    _on("CreateRoute", "no gateway", lambda w: {**_route(w), "GatewayId": NO_GATEWAY}, "InvalidGatewayID.NotFound"),
    Case("CreateRoute", "twice", _twice("CreateRoute", lambda w: _route(w)), "RouteAlreadyExists"),
    Case("DeleteRoute", "one", lambda w: _routed(w, lambda table: w.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=ROUTE))),
    _on("DeleteRoute", "absent", lambda w: {"RouteTableId": w.table(), "DestinationCidrBlock": ROUTE}, "InvalidRoute.NotFound"),
    _on("DeleteRouteTable", "one", lambda w: {"RouteTableId": w.table()}),
    _case("DeleteRouteTable", "absent", "InvalidRouteTableID.NotFound", RouteTableId=NO_TABLE),
    Case("CreateSecurityGroup", "one", World.group),
    Case("CreateSecurityGroup", "twice", lambda w: [w.group(), w.group()], "InvalidGroup.Duplicate"),
    _case("DescribeSecurityGroups", "all"),
    _case("DescribeSecurityGroups", "absent", "InvalidGroup.NotFound", GroupIds=["sg-00000000000000000"]),
    _on("DescribeSecurityGroupRules", "one", lambda w: {"Filters": [{"Name": "group-id", "Values": [w.group()]}]}),
    _on("AuthorizeSecurityGroupIngress", "one", lambda w: {"GroupId": w.group(), "IpPermissions": OPEN}),
    Case(
        "AuthorizeSecurityGroupIngress",
        "twice",
        _twice("AuthorizeSecurityGroupIngress", lambda w: {"GroupId": w.group(), "IpPermissions": OPEN}),
        "InvalidPermission.Duplicate",
    ),
    _case("AuthorizeSecurityGroupIngress", "absent", "InvalidGroup.NotFound", GroupId="sg-00000000000000000", IpPermissions=OPEN),
    _on("AuthorizeSecurityGroupEgress", "one", lambda w: {"GroupId": w.group(), "IpPermissions": OPEN}),
    _case("AuthorizeSecurityGroupEgress", "absent", "InvalidGroup.NotFound", GroupId="sg-00000000000000000", IpPermissions=OPEN),
    Case("RevokeSecurityGroupIngress", "one", lambda w: _opened(w)),
    _on("RevokeSecurityGroupIngress", "absent", lambda w: {"GroupId": w.group(), "IpPermissions": OPEN}, "InvalidPermission.NotFound"),
    _on("RevokeSecurityGroupEgress", "absent", lambda w: {"GroupId": w.group(), "IpPermissions": OPEN}, "InvalidPermission.NotFound"),
    _on("RevokeSecurityGroupEgress", "default", lambda w: {"GroupId": w.group(), "IpPermissions": EVERYWHERE}),
    _on("DeleteSecurityGroup", "one", lambda w: {"GroupId": w.group()}),
    _case("DeleteSecurityGroup", "absent", "InvalidGroup.NotFound", GroupId="sg-00000000000000000"),
    Case("AllocateAddress", "one", World.address),
    Case("AssociateAddress", "a life", _address),
    _on("AssociateAddress", "absent", lambda w: {"InstanceId": NO_INSTANCE, "AllocationId": w.address()}, "InvalidInstanceID.NotFound"),
    Case("DisassociateAddress", "a life", _address),
    _case("DisassociateAddress", "absent", "InvalidAssociationID.NotFound", AssociationId="eipassoc-00000000000000000"),
    _on("ReleaseAddress", "one", lambda w: {"AllocationId": w.address()}),
    _case("ReleaseAddress", "absent", "InvalidAllocationID.NotFound", AllocationId="eipalloc-00000000000000000"),
    _on("DescribeAddresses", "one", lambda w: {"AllocationIds": [w.address()]}),
    _case("DescribeAddresses", "absent", "InvalidAllocationID.NotFound", AllocationIds=["eipalloc-00000000000000000"]),
    _case("DescribeVpcEndpoints", "all"),
    _case("DescribeNatGateways", "all"),
    _case("DescribeNetworkAcls", "all"),
]

TAGS: list[Case] = [
    _on("CreateTags", "one", lambda w: {"Resources": [w.group()], "Tags": [{"Key": "a", "Value": "b"}]}),
    _case("CreateTags", "absent", "InvalidInstanceID.NotFound", Resources=[NO_INSTANCE], Tags=[{"Key": "a", "Value": "b"}]),
    _on("DeleteTags", "one", lambda w: {"Resources": [w.group()], "Tags": [{"Key": "a"}]}),
    _on("DescribeTags", "an address", lambda w: {"Filters": [{"Name": "resource-id", "Values": [_tagged(w, w.address())]}]}),
    _on("DescribeTags", "an instance", lambda w: {"Filters": [{"Name": "resource-id", "Values": w.instances()}]}),
    _case("DescribeTags", "all"),
]

TEMPLATES: list[Case] = [
    Case("CreateLaunchTemplate", "one", World.template),
    Case("CreateLaunchTemplate", "twice", lambda w: [w.template(), w.template()], "InvalidLaunchTemplateName.AlreadyExistsException"),
    _on("CreateLaunchTemplateVersion", "inherits", lambda w: _version(w)),
    _case(
        "CreateLaunchTemplateVersion",
        "absent",
        "InvalidLaunchTemplateId.NotFound",
        LaunchTemplateId="lt-00000000000000000",
        LaunchTemplateData={"InstanceType": "t3.small"},
    ),
    _case("DescribeLaunchTemplates", "all"),
    _case("DescribeLaunchTemplates", "absent", "InvalidLaunchTemplateName.NotFoundException", LaunchTemplateNames=["there-is-none"]),
    _on("DescribeLaunchTemplateVersions", "one", lambda w: {"LaunchTemplateId": w.template()}),
    _case("DescribeLaunchTemplateVersions", "absent", "InvalidLaunchTemplateId.NotFound", LaunchTemplateId="lt-00000000000000000"),
    _on("ModifyLaunchTemplate", "default", lambda w: {"LaunchTemplateId": w.template(), "DefaultVersion": "1"}),
    _on(
        "ModifyLaunchTemplate",
        "no version",
        lambda w: {"LaunchTemplateId": w.template(), "DefaultVersion": "7"},
        "InvalidLaunchTemplateId.VersionNotFound",
    ),
    _on(
        "DeleteLaunchTemplateVersions",
        "one and the default",
        lambda w: {"LaunchTemplateId": _two_versions(w), "Versions": ["1", "2", "9"]},
    ),
    _case(
        "DeleteLaunchTemplateVersions",
        "absent",
        "InvalidLaunchTemplateId.NotFound",
        LaunchTemplateId="lt-00000000000000000",
        Versions=["2"],
    ),
    _on("DeleteLaunchTemplate", "one", lambda w: {"LaunchTemplateId": w.template()}),
    _case("DeleteLaunchTemplate", "absent", "InvalidLaunchTemplateId.NotFound", LaunchTemplateId="lt-00000000000000000"),
]

CASES: list[Case] = [*INSTANCES, *NETWORK, *TAGS, *TEMPLATES]
CANNOT_FAIL = frozenset({
    # questions without a resource in them, creations without conditions, and DeleteTags, which is content when nothing is there
    "AllocateAddress", "CreateInternetGateway", "DeleteTags", "DescribeAccountAttributes", "DescribeIamInstanceProfileAssociations",
    "DescribeNatGateways", "DescribeNetworkAcls", "DescribeRegions", "DescribeSecurityGroupRules", "DescribeTags", "DescribeVpcEndpoints",
})  # fmt: skip


def _attached(w: World, method: str, detach: bool) -> t.Any:
    gateway, vpc = w.gateway(), w.own_vpc()
    w.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return getattr(w.ec2, method)(InternetGatewayId=gateway, **({"VpcId": vpc} if detach else {}))


def _association(w: World) -> str:
    return w.ec2.associate_route_table(RouteTableId=w.table(), SubnetId=w.own_subnet())["AssociationId"]


def _route(w: World) -> dict[str, t.Any]:
    gateways = w.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [w.vpc.id]}])["InternetGateways"]
    return {"RouteTableId": w.table(), "DestinationCidrBlock": ROUTE, "GatewayId": gateways[0]["InternetGatewayId"]}


def _routed(w: World, then: t.Callable[[str], t.Any]) -> t.Any:
    route = _route(w)
    w.ec2.create_route(**route)
    return then(route["RouteTableId"])


def _opened(w: World) -> t.Any:
    group = w.group()
    w.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=OPEN)
    return w.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=OPEN)


def _tagged(w: World, resource: str) -> str:
    w.ec2.create_tags(Resources=[resource], Tags=[{"Key": "Name", "Value": w.name}])
    return resource


def _two_versions(w: World) -> str:
    template = w.template()
    w.call("CreateLaunchTemplateVersion", LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"})
    return template


def _version(w: World) -> dict[str, t.Any]:
    data = base64.b64encode(b"#!/bin/sh\ntrue\n").decode()
    return {"LaunchTemplateId": w.template(), "SourceVersion": "1", "LaunchTemplateData": {"UserData": data}}
