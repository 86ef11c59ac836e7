# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on services; changes records, and leaves what follows from them to the controller."""

from __future__ import annotations

import re
import time
import typing as t

from . import rollout, shapes
from .clusters import cluster_named
from .definitions import definition_named
from .errors import invalid, service_not_active, service_not_found
from .fargate import PLATFORM, network_of
from .making import for_fargate
from .requests import page, tags_if, tags_of
from .state import Cluster, Definition, Deployment, Members, Service, State, deployment_id
from .surroundings import Surroundings

DEPLOYED = (
    "taskDefinition", "networkConfiguration", "platformVersion", "loadBalancers", "capacityProviderStrategy", "enableExecuteCommand",
    "propagateTags", "enableECSManagedTags",
)  # fmt: skip
"""Members of UpdateService whose change begins a deployment."""

MOST_NAMED = 10


def service_named(state: State, cluster: Cluster, name: str) -> Service | None:
    """The service of a cluster with this name or ARN, inactive or not."""
    found = state.services.get(name if name.startswith("arn:") else state.arn(f"service/{cluster.name}/{name}"))
    return found if found is not None and found.cluster is cluster else None


class Services:
    """The operations; one method each, named as in boto3. `changed` wakes the controller."""

    def __init__(self, state: State, around: Surroundings, changed: t.Callable[[], None], clock: t.Callable[[], float] = time.time) -> None:
        self._state = state
        self._around = around
        self._changed = changed
        self._clock = clock

    def create_service(self, members: Members) -> Members:
        """A service with its first deployment."""
        cluster = cluster_named(self._state, members.get("cluster"))
        name = members["serviceName"]
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            raise invalid(f"Invalid service name '{name}'.")
        known = service_named(self._state, cluster, name)
        if known is not None and known.status == "ACTIVE":
            raise invalid("Creation of service was not idempotent.")
        if known is not None and known.status == "DRAINING":
            raise invalid("Unable to Start a service that is still Draining.")
        if not members.get("taskDefinition"):
            raise invalid("TaskDefinition can not be blank.")
        if members.get("schedulingStrategy") == "DAEMON":
            raise invalid("The daemon scheduling strategy is not supported with the Fargate launch type.")
        controller = (members.get("deploymentController") or {}).get("type", "ECS")
        if controller != "ECS":
            raise invalid(f"The deployment controller {controller} is not available here; use ECS.")
        if members.get("desiredCount") is None:
            raise invalid("desiredCount must be specified for the REPLICA scheduling strategy.")
        definition = for_fargate(definition_named(self._state, members["taskDefinition"]))
        kept = self._members(cluster, definition, members)
        now = self._clock()
        service = Service(
            name=name,
            arn=self._state.arn(f"service/{cluster.name}/{name}"),
            cluster=cluster,
            members=kept,
            desired=_count(members["desiredCount"]),
            created_at=now,
            created_by=f"arn:aws:iam::{self._state.account_id}:root",
            tags=tags_of(members.get("tags")),
        )
        self._state.services[service.arn] = service
        rollout.begin(service, _deployment(kept, definition, now), now)
        self._changed()
        return {"service": {**shapes.service(self._state, service), **tags_if({"include": ["TAGS"]}, service.tags)}}

    def update_service(self, members: Members) -> Members:
        """New settings, and a new deployment when one of them needs it."""
        cluster = cluster_named(self._state, members.get("cluster"))
        service = service_named(self._state, cluster, members["service"])
        if service is None:
            raise service_not_found()
        if service.status != "ACTIVE":
            raise service_not_active()
        wanted = {**service.members, **{name: value for name, value in members.items() if value not in (None, "")}}
        changed = members.get("deploymentConfiguration") or {}
        wanted["deploymentConfiguration"] = {**service.members["deploymentConfiguration"], **changed}
        definition = for_fargate(definition_named(self._state, wanted["taskDefinition"]))
        desired = _count(members["desiredCount"]) if members.get("desiredCount") is not None else service.desired
        kept = self._members(cluster, definition, wanted)
        begins = bool(members.get("forceNewDeployment")) or any(kept[name] != service.members[name] for name in DEPLOYED)
        primary = service.primary
        if primary is not None and definition is not primary.definition and members.get("taskDefinition"):
            begins = True  # after a rollback the service runs something else than it was last told
        service.members, service.desired = kept, desired
        service.steady = service.stuck = False
        if begins:
            now = self._clock()
            rollout.begin(service, _deployment(kept, definition, now), now)
        self._changed()
        return {"service": {**shapes.service(self._state, service), **tags_if({"include": ["TAGS"]}, service.tags)}}

    def delete_service(self, members: Members) -> Members:
        """Lets the tasks end; the service is inactive when the last one has."""
        cluster = cluster_named(self._state, members.get("cluster"))
        service = service_named(self._state, cluster, members["service"])
        if service is None or service.status == "INACTIVE":
            raise service_not_found()
        if service.desired > 0 and not members.get("force"):
            raise invalid("The service cannot be stopped while it is scaled above 0.")
        service.status = "DRAINING"
        service.desired = 0
        service.steady = False
        self._changed()
        return {"service": shapes.service(self._state, service)}

    def describe_services(self, members: Members) -> Members:
        """Inactive ones are shown too; unknown ones are failures."""
        cluster = cluster_named(self._state, members.get("cluster"))
        if not members["services"]:
            raise invalid("Services cannot be empty.")
        if len(members["services"]) > MOST_NAMED:
            raise invalid(f"services can have at most {MOST_NAMED} items.")
        services, failures = [], []
        for name in members["services"]:
            found = service_named(self._state, cluster, name)
            if found is None:
                arn = name if name.startswith("arn:") else self._state.arn(f"service/{cluster.name}/{name}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                services.append({**shapes.service(self._state, found), **tags_if(members, found.tags)})
        return {"services": services, "failures": failures}

    def list_services(self, members: Members) -> Members:
        """ARNs of those that are not inactive."""
        cluster = cluster_named(self._state, members.get("cluster"))
        kinds = {"launchType": members.get("launchType"), "schedulingStrategy": members.get("schedulingStrategy")}
        none = kinds["launchType"] not in (None, "FARGATE") or kinds["schedulingStrategy"] not in (None, "REPLICA")
        found = [] if none else [item.arn for item in self._state.services_in(cluster) if item.status != "INACTIVE"]
        arns, more = page(found, members)
        return {"serviceArns": arns, **more}

    def _members(self, cluster: Cluster, definition: Definition, members: Members) -> Members:
        """What a service is told, defaults filled in. Raises ApiError."""
        configuration = members.get("deploymentConfiguration") or {}
        strategy = members.get("capacityProviderStrategy") or ([] if members.get("launchType") else cluster.default_strategy)
        for item in strategy:
            if item["capacityProvider"] not in cluster.capacity_providers:
                raise invalid(f"The specified capacity provider '{item['capacityProvider']}' was not found in the cluster.")
        if members.get("launchType") not in (None, "FARGATE"):
            raise invalid("No Container Instances were found in your cluster.")
        network = network_of(members)
        self._around.check_network(network)
        balancers = members.get("loadBalancers") or []
        self._around.check_load_balancers(balancers, definition)
        if members.get("healthCheckGracePeriodSeconds") and not balancers:
            raise invalid("Health check grace period is only valid for services configured to use load balancers")
        least, most = configuration.get("minimumHealthyPercent"), configuration.get("maximumPercent")
        least, most = 100 if least is None else least, 200 if most is None else most
        if least == most == 100:
            raise invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
        if least < 0 or most <= 0 or most < least:
            raise invalid("maximumPercent must not be less than minimumHealthyPercent, and both must not be negative.")
        breaker = configuration.get("deploymentCircuitBreaker") or {"enable": False, "rollback": False}
        platform = members.get("platformVersion")
        return {
            "taskDefinition": definition.arn,
            "loadBalancers": balancers,
            "serviceRegistries": members.get("serviceRegistries") or [],
            "launchType": None if strategy else "FARGATE",
            "capacityProviderStrategy": strategy,
            "platformVersion": PLATFORM if platform in (None, "", "LATEST") else platform,
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": breaker,
                "maximumPercent": most,
                "minimumHealthyPercent": least,
                "strategy": configuration.get("strategy") or "ROLLING",
                "bakeTimeInMinutes": 0,
            },
            "networkConfiguration": {"awsvpcConfiguration": network},
            "healthCheckGracePeriodSeconds": (members.get("healthCheckGracePeriodSeconds") or 0) if balancers else None,
            "enableECSManagedTags": bool(members.get("enableECSManagedTags")),
            "propagateTags": members.get("propagateTags") or "NONE",
            "enableExecuteCommand": bool(members.get("enableExecuteCommand")),
            "availabilityZoneRebalancing": members.get("availabilityZoneRebalancing") or "DISABLED",
        }


def _count(number: int) -> int:
    if number < 0:
        raise invalid("desiredCount must not be negative.")
    return number


def _deployment(kept: Members, definition: Definition, now: float) -> Deployment:
    return Deployment(
        id=deployment_id(),
        definition=definition,
        created_at=now,
        updated_at=now,
        network=kept["networkConfiguration"],
        load_balancers=kept["loadBalancers"],
        platform_version=kept["platformVersion"],
        launch_type=kept["launchType"],
        strategy=kept["capacityProviderStrategy"],
    )
