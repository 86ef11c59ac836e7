# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Auto Scaling touches outside its records: EC2, target groups, subnets, alarms and events."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import typing as t

from ..emulation import alarms, events, launches
from ..emulation.calls import CallFailed, Calls
from ..emulation.launches import Ec2Calls, Launched, Refused
from ..emulation.vpcs import Vpcs
from .errors import LaunchFailed, invalid
from .placing import Zones
from .state import Group, Member, Members, State, Template

if t.TYPE_CHECKING:
    from ..cloud import Cloud

POLICY_PREFIX = "arn:aws:autoscaling:"
DRAINING = "draining"


class Surroundings:
    """Of one region; on the event loop."""

    def __init__(self, cloud: Cloud, state: State) -> None:
        self._cloud = cloud
        self._state = state
        self._ec2 = Ec2Calls(cloud.account_id, cloud.region)
        self._vpcs = Vpcs(cloud.region)
        self.call = Calls(cloud.account_id, cloud.region)

    # -- what there is

    async def machines(self, ids: t.Iterable[str]) -> dict[str, str]:
        """Instance id -> EC2's state of it."""
        return await launches.gather_states(self._cloud.instances, ids)

    def zones(self, subnets: list[str]) -> Zones:
        """Subnet -> Availability Zone, of those that exist."""
        found = {subnet_id: self._vpcs.subnet(subnet_id) for subnet_id in subnets}
        return {subnet_id: subnet.zone for subnet_id, subnet in found.items() if subnet is not None}

    def instance(self, instance_id: str) -> t.Any:
        """The instance as EC2 has it, or None."""
        return self._cloud.instances.get(instance_id)

    async def target_health(self, arns: t.Iterable[str]) -> dict[str, dict[str, str]]:
        """Target group -> instance id -> its state, the worst when it is registered at several ports."""
        found: dict[str, dict[str, str]] = {}
        for arn in arns:
            states: dict[str, str] = {}
            with contextlib.suppress(KeyError):
                for (target, _), state in (await asyncio.to_thread(self._cloud.target_groups.target_health, arn)).items():
                    if states.get(target) != "unhealthy":
                        states[target] = state
            found[arn] = states
        return found

    def is_target_group(self, arn: str) -> bool:
        """Whether there is a target group with this ARN."""
        return self._cloud.target_groups.exists(arn)

    def alarms_in_alarm(self, names: list[str]) -> list[str]:
        """Those of the named alarms that are in ALARM."""
        return alarms.in_alarm(self._cloud.account_id, self._cloud.region, names)

    def alarms_of(self, policy_arn: str) -> list[tuple[str, str]]:
        """Name and ARN of the alarms that execute a policy."""
        return alarms.acting_on(self._cloud.account_id, self._cloud.region, policy_arn)

    def template(self, launch: Members) -> launches.TemplateVersion | None:
        """The version of a launch template that a group's LaunchTemplate or MixedInstancesPolicy stands for now; None when it is gone."""
        wanted = first_specification(launch)
        if wanted is None:
            return None
        version = str(wanted.get("Version") or "$Default")
        where = (self._cloud.account_id, self._cloud.region, wanted.get("LaunchTemplateId"), wanted.get("LaunchTemplateName"))
        return launches.template_version(*where, version)

    # -- what is done

    async def launch(self, group: Group, launch: Members, subnet: str, zone: str, now: float) -> Member:
        """Launch one instance. Raises LaunchFailed."""
        tags = {"aws:autoscaling:groupName": group.name} | {key: value for key, (value, propagates) in group.tags.items() if propagates}
        template = None
        configuration = launch.get("LaunchConfigurationName")
        if configuration is not None:
            form = _form_of(self._state.configurations[configuration])
        else:
            found = self.template(launch)
            if found is None:
                wanted = specification(launch) or {}
                named = wanted.get("LaunchTemplateName") or wanted.get("LaunchTemplateId")
                raise LaunchFailed("ValidationError", f"The launch template {named} has no version {wanted.get('Version')}.")
            template = Template(found.id, found.name, str(found.number))
            form = {"LaunchTemplate.LaunchTemplateId": found.id, "LaunchTemplate.Version": str(found.number)}
            if types := override_types(launch):
                form["InstanceType"] = types[0]
        if "NetworkInterface.1.DeviceIndex" in form:
            form["NetworkInterface.1.SubnetId"] = subnet
        else:
            form["SubnetId"] = subnet
        try:
            launched: Launched = await self._ec2.run(form, tags)
        except Refused as error:
            raise LaunchFailed(error.code, error.message) from error
        return Member(
            id=launched.id, zone=zone, subnet=subnet, type=launched.type, image=launched.image_id, launched_at=now, template=template,
            configuration=configuration, protected=group.protect_new,
        )  # fmt: skip

    async def terminate(self, instance_id: str) -> None:
        """Let EC2 terminate it; nothing happens when it is gone."""
        with contextlib.suppress(Refused):
            await self._ec2.terminate(instance_id)

    async def tag(self, instance_id: str, tags: dict[str, str]) -> None:
        """Tag an instance."""
        with contextlib.suppress(Refused):
            await self._ec2.tag(instance_id, tags)

    async def untag(self, instance_id: str, keys: list[str]) -> None:
        """Take tags from an instance."""
        with contextlib.suppress(Refused):
            await self._ec2.untag(instance_id, keys)

    async def put_alarm(self, members: Members) -> str:
        """Make an alarm; its ARN."""
        await self.call("monitoring", "PutMetricAlarm", members)
        return f"arn:aws:cloudwatch:{self._cloud.region}:{self._cloud.account_id}:alarm:{members['AlarmName']}"

    async def delete_alarms(self, names: list[str]) -> None:
        """Remove alarms; nothing happens when they are gone."""
        for name in names:
            with contextlib.suppress(CallFailed):
                await self.call("monitoring", "DeleteAlarms", {"AlarmNames": [name]})

    async def register(self, arn: str, instance_id: str) -> bool:
        """Register an instance at the target group's own port; whether that was possible."""
        try:
            await asyncio.to_thread(self._cloud.target_groups.register_instance, arn, instance_id)
        except (KeyError, ValueError):
            return False
        return True

    async def deregister(self, arn: str, instance_id: str) -> None:
        """Let it drain; nothing happens when the target group, or the target, is gone."""
        with contextlib.suppress(KeyError):
            known = await asyncio.to_thread(self._cloud.target_groups.target_health, arn)
            targets = [target for target in known if target[0] == instance_id]
            if targets:
                await asyncio.to_thread(self._cloud.target_groups.deregister_targets, arn, targets)

    def tell(self, kind: str, detail: Members, resources: list[str]) -> None:
        """An event on the default event bus."""
        events.emit(self._cloud.account_id, self._cloud.region, "aws.autoscaling", kind, detail, resources)

    def notify(self, arn: str, subject: str, message: Members) -> None:
        """A message to an SNS topic or an SQS queue."""
        events.notify(self._cloud.account_id, self._cloud.region, arn, subject, message)


def specification(launch: Members) -> Members | None:
    """The launch template that a group's members name; None with a launch configuration."""
    mixed = (launch.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    return launch.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")


def first_specification(launch: Members) -> Members | None:
    """The launch template of the instances that are launched: that of the first override when it has one of its own."""
    overrides = ((launch.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}).get("Overrides") or []
    own = overrides[0].get("LaunchTemplateSpecification") if overrides else None
    return own or specification(launch)


def override_types(launch: Members) -> list[str]:
    """The instance types of a mixed instances policy, in its order."""
    overrides = ((launch.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}).get("Overrides") or []
    return [item["InstanceType"] for item in overrides if item.get("InstanceType")]


def check_launchable(around: Surroundings, launch: Members) -> None:
    """Raises ApiError for a launch template or a version that does not exist."""
    wanted = specification(launch)
    if wanted is None:
        return
    if bool(wanted.get("LaunchTemplateId")) is bool(wanted.get("LaunchTemplateName")):
        raise invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
    if around.template(launch) is None:
        named = wanted.get("LaunchTemplateName") or wanted.get("LaunchTemplateId")
        version = wanted.get("Version") or "$Default"
        what = "The specified launch template, or its version, does not exist"
        raise invalid(f"You must use a valid fully-formed launch template. {what}: {named}, version {version}.")


def _form_of(configuration: Members) -> dict[str, str]:
    """A launch configuration as the flat members of RunInstances."""
    form = {"ImageId": configuration["ImageId"], "InstanceType": configuration["InstanceType"]}
    for name in ("KeyName", "EbsOptimized"):
        if configuration.get(name) not in (None, "", False):
            form[name] = str(configuration[name]).lower() if name == "EbsOptimized" else configuration[name]
    if configuration.get("UserData"):
        form["UserData"] = _in_base64(configuration["UserData"])
    if profile := configuration.get("IamInstanceProfile"):
        form[f"IamInstanceProfile.{'Arn' if profile.startswith('arn:') else 'Name'}"] = profile
    for name, value in (configuration.get("MetadataOptions") or {}).items():
        form[f"MetadataOptions.{name}"] = str(value)
    public = configuration.get("AssociatePublicIpAddress")
    groups = configuration.get("SecurityGroups") or []
    if public is None:
        form |= {f"SecurityGroupId.{number}": group for number, group in enumerate(groups, 1)}
    else:
        form |= {"NetworkInterface.1.DeviceIndex": "0", "NetworkInterface.1.AssociatePublicIpAddress": str(public).lower()}
        form |= {f"NetworkInterface.1.SecurityGroupId.{number}": group for number, group in enumerate(groups, 1)}
    return form


def _in_base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return base64.b64encode(text.encode()).decode()
    return text
