# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cases of EC2 and Auto Scaling act on: clients of a whole cloud, a network, and instances when a case needs one."""

from __future__ import annotations

import itertools
import typing as t

import botocore
from conftest import wait_for

_octets = itertools.count(1)


class World:
    """One case's world. The network and the running instance are shared by all cases; what a case makes has the case's name."""

    def __init__(self, boto: t.Callable[[str], t.Any], vpc: t.Any, image: str, name: str) -> None:
        self.boto = boto
        self.ec2 = boto("ec2")
        self.asg = boto("autoscaling")
        self.vpc = vpc
        self.image = image
        self.name = name

    def call(self, operation: str, **members: t.Any) -> t.Any:
        """Call an operation of EC2 by its API name."""
        return getattr(self.ec2, botocore.xform_name(operation))(**members)

    def scale(self, operation: str, **members: t.Any) -> t.Any:
        """Call an operation of Auto Scaling by its API name."""
        return getattr(self.asg, botocore.xform_name(operation))(**members)

    def own_vpc(self) -> str:
        """A VPC in which nothing is."""
        return self.ec2.create_vpc(CidrBlock=f"10.234.{next(_octets)}.0/24")["Vpc"]["VpcId"]

    def own_subnet(self) -> str:
        """A subnet of the shared VPC in which nothing is."""
        block = ".".join(self.vpc.cidr.split(".")[:2])
        answer = self.ec2.create_subnet(VpcId=self.vpc.id, CidrBlock=f"{block}.{100 + next(_octets)}.0/24")
        return answer["Subnet"]["SubnetId"]

    def group(self) -> str:
        """A security group of the case's own."""
        return self.ec2.create_security_group(GroupName=self.name, Description="x", VpcId=self.vpc.id)["GroupId"]

    def table(self) -> str:
        """A route table of the case's own."""
        return self.ec2.create_route_table(VpcId=self.vpc.id)["RouteTable"]["RouteTableId"]

    def gateway(self) -> str:
        """An internet gateway that is not attached."""
        return self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]

    def address(self) -> str:
        """The allocation id of an Elastic IP."""
        return self.ec2.allocate_address(Domain="vpc")["AllocationId"]

    def template(self) -> str:
        """The id of a launch template."""
        answer = self.ec2.create_launch_template(
            LaunchTemplateName=self.name, LaunchTemplateData={"ImageId": self.image, "InstanceType": "t3.micro"}
        )
        return answer["LaunchTemplate"]["LaunchTemplateId"]

    def instances(self, count: int = 1, **members: t.Any) -> list[str]:
        """Start instances of the case's own."""
        wanted = {
            "ImageId": self.image,
            "InstanceType": "t3.micro",
            "MinCount": count,
            "MaxCount": count,
            "SubnetId": self.vpc.public_subnet,
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": self.name}]}],
        }
        return [found["InstanceId"] for found in self.ec2.run_instances(**{**wanted, **members})["Instances"]]

    def running(self) -> str:
        """An instance of the case's own that runs."""
        (instance,) = self.instances()
        self.ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
        return instance

    def terminated(self) -> str:
        """An instance that is gone, or about to be."""
        (instance,) = self.instances()
        self.ec2.terminate_instances(InstanceIds=[instance])
        return instance

    def scaling_group(self, **members: t.Any) -> str:
        """An Auto Scaling group without instances, from a launch template unless told otherwise."""
        settings = {"MinSize": 0, "MaxSize": 1, "DesiredCapacity": 0, "VPCZoneIdentifier": self.vpc.private_subnet, **members}
        template_id = self.template()
        if "LaunchConfigurationName" not in settings:
            settings.setdefault("LaunchTemplate", {"LaunchTemplateId": template_id, "Version": "$Latest"})
        self.asg.create_auto_scaling_group(AutoScalingGroupName=self.name, **settings)
        return self.name

    def serving(self, state: str = "InService", **members: t.Any) -> list[str]:
        """The one instance of an Auto Scaling group of the case's own, when it is in this state."""
        self.scaling_group(**{"DesiredCapacity": 1, **members})

        def found() -> list[str]:
            instances = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"][0]["Instances"]
            return [instance["InstanceId"] for instance in instances if instance["LifecycleState"] == state]

        return wait_for(found, 30)

    def targets(self) -> str:
        """A target group for instances."""
        made = self.boto("elbv2").create_target_group(Name=self.name, Protocol="HTTP", Port=80, VpcId=self.vpc.id, TargetType="instance")
        return made["TargetGroups"][0]["TargetGroupArn"]
