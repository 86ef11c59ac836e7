# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on clusters, capacity providers and account settings; changes records and nothing else."""

from __future__ import annotations

import re

from . import shapes
from .errors import ApiError, client, cluster_not_found, invalid
from .fargate import PROVIDERS
from .requests import page, tags_of
from .state import Cluster, Members, State

DEFAULT = "default"
SETTINGS = {
    "serviceLongArnFormat": "enabled", "taskLongArnFormat": "enabled", "containerInstanceLongArnFormat": "enabled",
    "awsvpcTrunking": "disabled", "containerInsights": "disabled", "fargateFIPSMode": "disabled", "tagResourceAuthorization": "off",
    "fargateTaskRetirementWaitPeriod": "7", "guardDutyActivate": "off", "defaultLogDriverMode": "non-blocking",
}  # fmt: skip
"""Account settings and their values in a new account."""

_VALUES = {"containerInsights": ("enabled", "disabled", "enhanced"), "tagResourceAuthorization": ("on", "off"),
           "fargateTaskRetirementWaitPeriod": ("0", "7", "14"), "defaultLogDriverMode": ("blocking", "non-blocking")}  # fmt: skip


def cluster_named(state: State, name: str | None) -> Cluster:
    """The active cluster with this name or ARN. Raises ApiError."""
    found = state.clusters.get((name or DEFAULT).rpartition("cluster/")[2] or (name or DEFAULT))
    if found is None or ((name or "").startswith("arn:") and found.arn != name):
        raise cluster_not_found()
    if found.status != "ACTIVE":
        raise ApiError("ClusterNotFoundException", "The referenced cluster was inactive.")
    return found


class Clusters:
    """The operations; one method each, named as in boto3."""

    def __init__(self, state: State) -> None:
        self._state = state

    def create_cluster(self, members: Members) -> Members:
        """An active cluster of the same name is returned as it is."""
        name = members.get("clusterName") or DEFAULT
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            raise invalid(f"Invalid cluster name '{name}'.")
        providers = _providers(members.get("capacityProviders") or [])
        strategy = _strategy(members.get("defaultCapacityProviderStrategy") or [], providers)
        tags = tags_of(members.get("tags"))
        found = self._state.clusters.get(name)
        if found is None or found.status != "ACTIVE":
            found = Cluster(
                name=name,
                arn=self._state.arn(f"cluster/{name}"),
                settings=members.get("settings") or [{"name": "containerInsights", "value": "disabled"}],
                configuration=members.get("configuration"),
                capacity_providers=providers,
                default_strategy=strategy,
                tags=tags,
            )
            self._state.clusters[name] = found
        return {"cluster": shapes.cluster(self._state, found, ["SETTINGS", "CONFIGURATIONS", "STATISTICS", "TAGS"])}

    def describe_clusters(self, members: Members) -> Members:
        """Inactive ones are shown too; unknown ones are failures."""
        include = members.get("include") or []
        clusters, failures = [], []
        for name in members.get("clusters") or [DEFAULT]:
            found = self._state.clusters.get(name.rpartition("cluster/")[2])
            if found is None:
                arn = name if name.startswith("arn:") else self._state.arn(f"cluster/{name}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                clusters.append(shapes.cluster(self._state, found, include))
        return {"clusters": clusters, "failures": failures}

    def list_clusters(self, members: Members) -> Members:
        """ARNs of the active ones."""
        arns, more = page([found.arn for found in self._state.clusters.values() if found.status == "ACTIVE"], members)
        return {"clusterArns": arns, **more}

    def update_cluster(self, members: Members) -> Members:
        """Settings and configuration."""
        found = cluster_named(self._state, members["cluster"])
        if members.get("settings"):
            self._set(found, members["settings"])
        if members.get("configuration"):
            found.configuration = members["configuration"]
        return {"cluster": shapes.cluster(self._state, found, ["SETTINGS", "CONFIGURATIONS"])}

    def update_cluster_settings(self, members: Members) -> Members:
        """Settings alone."""
        found = cluster_named(self._state, members["cluster"])
        self._set(found, members["settings"])
        return {"cluster": shapes.cluster(self._state, found, ["SETTINGS"])}

    def put_cluster_capacity_providers(self, members: Members) -> Members:
        """Replaces providers and default strategy."""
        found = cluster_named(self._state, members["cluster"])
        providers = _providers(members["capacityProviders"])
        strategy = _strategy(members["defaultCapacityProviderStrategy"], providers)
        found.capacity_providers, found.default_strategy = providers, strategy
        return {"cluster": shapes.cluster(self._state, found, [])}

    def delete_cluster(self, members: Members) -> Members:
        """Refused while something is in it."""
        found = cluster_named(self._state, members["cluster"])
        if any(service.status == "ACTIVE" for service in self._state.services_in(found)):
            raise ApiError("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
        if any(task.cluster is found and task.last_status != "STOPPED" for task in self._state.tasks.values()):
            raise ApiError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        found.status = "INACTIVE"
        return {"cluster": shapes.cluster(self._state, found, [])}

    def describe_capacity_providers(self, members: Members) -> Members:
        """Those of Fargate, which every account has."""
        wanted = members.get("capacityProviders") or list(PROVIDERS)
        names = [name.rpartition("capacity-provider/")[2] for name in wanted]
        found = [
            {
                "capacityProviderArn": self._state.arn(f"capacity-provider/{name}"),
                "name": name,
                "status": "ACTIVE",
                "tags": [],
            }
            for name in names
            if name in PROVIDERS
        ]
        failures = [{"arn": self._state.arn(f"capacity-provider/{name}"), "reason": "MISSING"} for name in names if name not in PROVIDERS]
        return {"capacityProviders": found, "failures": failures}

    def list_container_instances(self, members: Members) -> Members:
        """None: tasks run on Fargate."""
        cluster_named(self._state, members.get("cluster"))
        return {"containerInstanceArns": []}

    def describe_container_instances(self, members: Members) -> Members:
        """Each is a failure: there are none."""
        found = cluster_named(self._state, members.get("cluster"))
        names = [name.rpartition("/")[2] for name in members["containerInstances"]]
        failures = [{"arn": self._state.arn(f"container-instance/{found.name}/{name}"), "reason": "MISSING"} for name in names]
        return {"containerInstances": [], "failures": failures}

    def put_account_setting(self, members: Members) -> Members:
        """For the whole account: there is one principal."""
        name, value = members["name"], members["value"]
        if value not in _VALUES.get(name, ("enabled", "disabled", "on", "off")):
            raise invalid(f"Invalid value '{value}' for the account setting {name}.")
        self._state.account_settings[name] = value
        return {"setting": self._setting(name)}

    def put_account_setting_default(self, members: Members) -> Members:
        """The same, as there is one principal."""
        return self.put_account_setting(members)

    def delete_account_setting(self, members: Members) -> Members:
        """Back to a new account's value."""
        shown = self._setting(members["name"])
        self._state.account_settings.pop(members["name"], None)
        return {"setting": shown}

    def list_account_settings(self, members: Members) -> Members:
        """Those that were put, or with effectiveSettings all."""
        names = list(SETTINGS) if members.get("effectiveSettings") else list(self._state.account_settings)
        if "value" in members and "name" not in members:
            raise invalid("You must specify a setting name to filter by value.")
        names = [name for name in names if members.get("name") in (None, name)]
        names, more = page(names, members, most=100)
        shown = [self._setting(name) for name in names]
        return {"settings": [item for item in shown if members.get("value") in (None, item["value"])], **more}

    def _setting(self, name: str) -> Members:
        value = self._state.account_settings.get(name, SETTINGS.get(name, "disabled"))
        return {"name": name, "value": value, "principalArn": f"arn:aws:iam::{self._state.account_id}:root", "type": "user"}

    @staticmethod
    def _set(found: Cluster, settings: list[Members]) -> None:
        merged = {item["name"]: item for item in found.settings}
        merged |= {item["name"]: item for item in settings}
        found.settings = list(merged.values())


def _providers(names: list[str]) -> list[str]:
    for name in names:
        if name not in PROVIDERS:
            raise invalid(f"The specified capacity provider '{name}' was not found. Specify a valid name or ARN and try again.")
    return list(dict.fromkeys(names))


def _strategy(items: list[Members], providers: list[str]) -> list[Members]:
    for item in items:
        if item["capacityProvider"] not in providers:
            raise invalid(
                "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. "
                "Associate the capacity provider with the cluster and try again."
            )
    if items and not any(item.get("weight") for item in items):
        raise client("At least one capacity provider of a strategy must have a weight greater than zero.")
    return [{"capacityProvider": item["capacityProvider"], "weight": item.get("weight", 0), "base": item.get("base", 0)} for item in items]
