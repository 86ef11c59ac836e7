# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of Auto Scaling share: groups whose instances are web servers behind a load balancer, and a client that counts; no tests."""

from __future__ import annotations

import base64
import collections
import http.client
import threading
import time
import typing as t

from alb_world import Balancer, forward
from conftest import PARAMETER, wait_for

SERVER = """#!/bin/sh
mkdir -p /srv/www
echo {version} >/srv/www/index.html
{health}
nohup python3 -m http.server 80 --directory /srv/www >/dev/null 2>&1 &
"""


class Front:
    """A load balancer that forwards to one target group for instances."""

    def __init__(self, boto: t.Callable[[str], t.Any], vpc: t.Any, name: str) -> None:
        self.balancer = Balancer(boto("elbv2"), vpc, name)
        self.targets = self.balancer.group(
            "web", TargetType="instance", HealthCheckPath="/health", attributes={"deregistration_delay.timeout_seconds": "2"}
        )
        self.balancer.listener(80, forward((self.targets, 1)))
        self.balancer.activate(boto("ec2"))


class Fleet:
    """One launch template, and a group of it behind a load balancer. Version n serves the text `v<n>`."""

    def __init__(self, boto: t.Callable[[str], t.Any], vpc: t.Any, name: str, front: Front) -> None:
        self.asg, self.ec2, self.vpc, self.name = boto("autoscaling"), boto("ec2"), vpc, name
        self.image = boto("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]
        self.balancer, self.targets = front.balancer, front.targets
        self.versions = 0
        self.version()

    def version(self, *, healthy: bool = True) -> str:
        """The next version of the launch template."""
        self.versions += 1
        health = "touch /srv/www/health" if healthy else "true"
        script = SERVER.format(version=f"v{self.versions}", health=health)
        data = {"ImageId": self.image, "InstanceType": "t3.micro", "UserData": base64.b64encode(script.encode()).decode()}
        if self.versions == 1:
            self.ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=data)
        else:
            self.ec2.create_launch_template_version(LaunchTemplateName=self.name, LaunchTemplateData=data)
        return str(self.versions)

    def create(self, count: int, **members: t.Any) -> None:
        """The group, in both subnets; waits until all serve and are healthy targets."""
        settings = {
            "MinSize": 0, "MaxSize": 6, "DesiredCapacity": count, "TargetGroupARNs": [self.targets],
            "VPCZoneIdentifier": f"{self.vpc.public_subnet},{self.vpc.private_subnet}",
            "LaunchTemplate": {"LaunchTemplateName": self.name, "Version": "1"}, "HealthCheckType": "ELB", "HealthCheckGracePeriod": 20,
        }  # fmt: skip
        self.asg.create_auto_scaling_group(AutoScalingGroupName=self.name, **{**settings, **members})
        self.settled(count)

    def describe(self) -> dict[str, t.Any]:
        return self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"][0]

    def instances(self, state: str = "InService") -> list[str]:
        """Ids of the instances in a lifecycle state."""
        return [found["InstanceId"] for found in self.describe()["Instances"] if found["LifecycleState"] == state]

    def healthy(self) -> set[str]:
        """Ids of the healthy targets."""
        found = self.balancer.elb.describe_target_health(TargetGroupArn=self.targets)["TargetHealthDescriptions"]
        return {item["Target"]["Id"] for item in found if item["TargetHealth"]["State"] == "healthy"}

    def settled(self, count: int, seconds: float = 60.0) -> set[str]:
        """Wait until so many serve, all of them are healthy targets, and nothing else is there."""

        def done() -> set[str] | None:
            states = [found["LifecycleState"] for found in self.describe()["Instances"]]
            serving = set(self.instances())
            return serving if states == ["InService"] * count and self.healthy() >= serving and len(serving) == count else None

        return wait_for(done, seconds, interval=0.3) if count else set()

    def activities(self) -> list[dict[str, t.Any]]:
        """Its activities, the newest first."""
        return self.asg.describe_scaling_activities(AutoScalingGroupName=self.name)["Activities"]

    def refresh(self, version: str, **preferences: t.Any) -> str:
        """Start a refresh to a version; its id."""
        desired = {"LaunchTemplate": {"LaunchTemplateName": self.name, "Version": version}}
        wanted = {"InstanceWarmup": 2, "MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, **preferences}
        return self.asg.start_instance_refresh(AutoScalingGroupName=self.name, DesiredConfiguration=desired, Preferences=wanted)[
            "InstanceRefreshId"
        ]

    def refreshed(self, refresh_id: str, seconds: float = 120.0) -> dict[str, t.Any]:
        """The refresh when it has ended."""

        def ended() -> dict[str, t.Any] | None:
            found = self.asg.describe_instance_refreshes(AutoScalingGroupName=self.name, InstanceRefreshIds=[refresh_id])
            (refresh,) = found["InstanceRefreshes"]
            return refresh if "EndTime" in refresh else None

        return wait_for(ended, seconds, interval=0.3)

    def remove(self) -> None:
        """The group with its instances, and the template."""
        self.asg.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)
        wait_for(
            lambda: not self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"], 60, interval=0.3
        )
        self.ec2.delete_launch_template(LaunchTemplateName=self.name)


class Client(threading.Thread):
    """Asks the load balancer all the time, each time on a new connection; counts what comes back."""

    def __init__(self, fleet: Fleet, per_second: float = 50.0) -> None:
        super().__init__(daemon=True)
        self._address, self._pause = fleet.balancer.addresses[0], 1 / per_second
        self._over = threading.Event()
        self.answers: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._over.is_set():
            connection = http.client.HTTPConnection(self._address, 80, timeout=10)
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                text = answer.read().decode().strip()
                if answer.status == 200:
                    self.answers[text] += 1
                else:
                    self.failures.append(f"{answer.status} {text[:80]}")
            except OSError as error:
                self.failures.append(repr(error))
            finally:
                connection.close()
            time.sleep(self._pause)

    def __enter__(self) -> Client:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(15)
