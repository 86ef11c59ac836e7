# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeInstanceInformation: what Systems Manager says of the instances whose agents have connected; reads only."""

from __future__ import annotations

import datetime
import typing as t

from ..session.answers import ApiError, paginate
from ..session.gateway import Gateway
from ..session.records import AgentLink

if t.TYPE_CHECKING:
    from ..cloud import Cloud, Instance

_LATEST_AGENT = "3.3.3050.0"


class ManagedInstances:
    """Instances with an agent, as filters and commands see them."""

    def __init__(self, cloud: Cloud, gateway: Gateway) -> None:
        self._cloud = cloud
        self._gateway = gateway

    def known(self) -> list[tuple[AgentLink, Instance]]:
        """Every agent that has connected since its instance was launched, with the instance; terminated ones are forgotten."""
        found = []
        for agent in list(self._gateway.agents.values()):
            instance = self._cloud.instances.get(agent.instance_id)
            if instance is not None and instance.state != "terminated":
                found.append((agent, instance))
        return found

    def describe(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """The operation."""
        filters = [(item["Key"], item["Values"]) for item in body.get("Filters") or []]
        filters += [(item["key"], item["valueSet"]) for item in body.get("InstanceInformationFilterList") or []]
        chosen = [pair for pair in self.known() if all(_matches(*pair, key, values) for key, values in filters)]
        page, token = paginate(chosen, body, 50)
        return {"InstanceInformationList": [self._entry(*pair) for pair in page], **token}

    def _entry(self, agent: AgentLink, instance: Instance) -> dict[str, t.Any]:
        entry = {
            "InstanceId": agent.instance_id,
            "PingStatus": ping_status(agent),
            "LastPingDateTime": _last_ping(agent).timestamp(),
            "AgentVersion": agent.info.get("AgentVersion", ""),
            "IsLatestVersion": agent.info.get("AgentVersion") == _LATEST_AGENT,
            "PlatformType": agent.info.get("PlatformType", "Linux"),
            "PlatformName": agent.info.get("PlatformName", ""),
            "PlatformVersion": agent.info.get("PlatformVersion", ""),
            "ResourceType": "EC2Instance",
            "IPAddress": instance.private_ip or "",
            "ComputerName": agent.info.get("ComputerName", ""),
            "SourceId": agent.instance_id,
            "SourceType": "AWS::EC2::Instance",
        }
        return entry


def ping_status(agent: AgentLink) -> str:
    """Online while the agent's control channel is open."""
    return "Online" if agent.socket is not None else "ConnectionLost"


def _last_ping(agent: AgentLink) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) if agent.socket is not None else agent.last_ping


def _matches(agent: AgentLink, instance: Instance, key: str, values: list[str]) -> bool:
    facts = {
        "InstanceIds": agent.instance_id,
        "PingStatus": ping_status(agent),
        "AgentVersion": agent.info.get("AgentVersion", ""),
        "PlatformTypes": agent.info.get("PlatformType", "Linux"),
        "ResourceType": "EC2Instance",
        "SourceIds": agent.instance_id,
        "SourceTypes": "AWS::EC2::Instance",
        "IamRole": "",  # the role of an activation; instances of EC2 have none
        "ActivationIds": "",
        "AssociationStatus": "",
    }
    if key in facts:
        return facts[key] in values
    if key == "tag-key":
        return any(value in instance.tags for value in values)
    if key.startswith("tag:"):
        return instance.tags.get(key.removeprefix("tag:")) in values
    raise ApiError("InvalidFilterKey", f"The specified key isn't valid: {key}.")
