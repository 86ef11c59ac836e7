# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows records as the API does; pure."""

from __future__ import annotations

from .requests import present, tag_list
from .state import Cluster, Container, Definition, Deployment, Members, Service, State, Task

PENDING = ("PROVISIONING", "PENDING", "ACTIVATING")
REVISION_MEMBERS = ("enableFaultInjection",)


def cluster(state: State, found: Cluster, include: list[str]) -> Members:
    """A cluster; settings, configuration, statistics and tags only when asked for."""
    tasks = [task for task in state.tasks.values() if task.cluster is found]
    services = [service for service in state.services_in(found) if service.status == "ACTIVE"]
    running = sum(task.last_status == "RUNNING" for task in tasks)
    pending = sum(task.last_status in PENDING for task in tasks)
    statistics = {
        "runningEC2TasksCount": 0, "runningFargateTasksCount": running, "pendingEC2TasksCount": 0, "pendingFargateTasksCount": pending,
        "activeEC2ServiceCount": 0, "activeFargateServiceCount": len(services),
    }  # fmt: skip
    return {
        "clusterArn": found.arn,
        "clusterName": found.name,
        "status": found.status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": len(services),
        "statistics": [{"name": name, "value": str(value)} for name, value in statistics.items()] if "STATISTICS" in include else [],
        "tags": tag_list(found.tags) if "TAGS" in include else [],
        "settings": found.settings if "SETTINGS" in include else [],
        **({"configuration": found.configuration} if found.configuration and "CONFIGURATIONS" in include else {}),
        "capacityProviders": found.capacity_providers,
        "defaultCapacityProviderStrategy": found.default_strategy,
    }


def definition(found: Definition) -> Members:
    """One revision of a task definition."""
    return {
        **found.members,
        "taskDefinitionArn": found.arn,
        "revision": found.revision,
        "status": found.status,
        "registeredAt": found.registered_at,
        "registeredBy": found.registered_by,
        **present(deregisteredAt=found.deregistered_at),
    }


def service(state: State, found: Service) -> Members:
    """A service with its deployments and events, without its tags."""
    tasks = state.tasks_of(found)
    primary = found.deployments[0] if found.deployments else None
    members = found.members
    launch = {"capacityProviderStrategy": members["capacityProviderStrategy"]} if members["capacityProviderStrategy"] else {}
    shown = {
        "serviceArn": found.arn,
        "serviceName": found.name,
        "clusterArn": found.cluster.arn,
        "loadBalancers": members["loadBalancers"],
        "serviceRegistries": members["serviceRegistries"],
        "status": found.status,
        "desiredCount": found.desired,
        **_counts(tasks),
        **(launch or {"launchType": members["launchType"]}),
        "platformVersion": members["platformVersion"],
        "platformFamily": "Linux",
        "taskDefinition": primary.definition.arn if primary else members["taskDefinition"],
        "deploymentConfiguration": members["deploymentConfiguration"],
        "deployments": [deployment(found, item, tasks) for item in found.deployments],
        "roleArn": service_role(state),
        "events": found.events,
        "createdAt": found.created_at,
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": members["networkConfiguration"],
        **present(healthCheckGracePeriodSeconds=members.get("healthCheckGracePeriodSeconds")),
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "createdBy": found.created_by,
        "enableECSManagedTags": members["enableECSManagedTags"],
        "propagateTags": members["propagateTags"],
        "enableExecuteCommand": members["enableExecuteCommand"],
        "availabilityZoneRebalancing": members["availabilityZoneRebalancing"],
    }
    if not found.members["loadBalancers"]:
        shown.pop("roleArn")
    return shown


def service_role(state: State) -> str:
    """The service-linked role that registers targets on AWS."""
    return f"arn:aws:iam::{state.account_id}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"


def _counts(tasks: list[Task]) -> Members:
    return {
        "runningCount": sum(task.last_status == "RUNNING" for task in tasks),
        "pendingCount": sum(task.last_status in PENDING for task in tasks),
    }


def deployment(owner: Service, found: Deployment, tasks: list[Task]) -> Members:
    """One deployment; an earlier one wants no more tasks than it still has, a failed one none."""
    own = [task for task in tasks if task.deployment is found]
    wanted = sum(task.desired_status == "RUNNING" for task in own)
    desired = owner.desired if found.status == "PRIMARY" and found.rollout_state != "FAILED" else 0
    return {
        "id": found.id,
        "status": found.status,
        "taskDefinition": found.definition.arn,
        "desiredCount": desired if found.status == "PRIMARY" or found.rollout_state == "FAILED" else wanted,
        **_counts(own),
        "failedTasks": found.failed_tasks,
        "createdAt": found.created_at,
        "updatedAt": found.updated_at,
        **({"capacityProviderStrategy": found.strategy} if found.strategy else {"launchType": found.launch_type}),
        "platformVersion": found.platform_version,
        "platformFamily": "Linux",
        "networkConfiguration": found.network,
        "rolloutState": found.rollout_state,
        "rolloutStateReason": found.rollout_reason,
    }


def task(found: Task) -> Members:
    """A task, without its tags."""
    interface = found.interface
    details = [{"name": "subnetId", "value": found.network["subnets"][0]}]
    if interface is not None:
        details += [
            {"name": "networkInterfaceId", "value": interface.id},
            {"name": "macAddress", "value": interface.mac_address},
            {"name": "privateDnsName", "value": f"ip-{interface.private_ip.replace('.', '-')}.{_region(found)}.compute.internal"},
            {"name": "privateIPv4Address", "value": interface.private_ip},
        ]
    provider = {"capacityProviderName": found.capacity_provider} if found.capacity_provider else {}
    return {
        "attachments": [
            {"id": found.attachment_id, "type": "ElasticNetworkInterface", "status": found.attachment_status, "details": details}
        ],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        **present(availabilityZone=found.zone),
        **provider,
        "clusterArn": found.cluster.arn,
        **({"connectivity": "CONNECTED", "connectivityAt": found.pull_started_at} if found.pull_started_at else {}),
        "containers": [container(found, item) for item in found.containers],
        "cpu": found.cpu,
        "createdAt": found.created_at,
        "desiredStatus": found.desired_status,
        "enableExecuteCommand": False,
        "group": found.group,
        "healthStatus": found.health,
        "lastStatus": found.last_status,
        "launchType": "FARGATE",
        "memory": found.memory,
        "overrides": {"containerOverrides": [{"name": item.name} for item in found.containers], "inferenceAcceleratorOverrides": [],
                      **found.overrides},
        "platformVersion": found.platform_version,
        "platformFamily": "Linux",
        **present(
            pullStartedAt=found.pull_started_at, pullStoppedAt=found.pull_stopped_at, startedAt=found.started_at, stopCode=found.stop_code,
            stoppedReason=found.stopped_reason, stoppingAt=found.stopping_at, stoppedAt=found.stopped_at,
            executionStoppedAt=found.execution_stopped_at,
        ),
        "startedBy": found.started_by,
        "tags": [],
        "taskArn": found.arn,
        "taskDefinitionArn": found.definition.arn,
        "version": found.version,
        "ephemeralStorage": {"sizeInGiB": (found.definition.members.get("ephemeralStorage") or {}).get("sizeInGiB", 20)},
    }  # fmt: skip


def _region(found: Task) -> str:
    return found.arn.split(":")[3]


def container(owner: Task, found: Container) -> Members:
    """A container of a task."""
    interface = owner.interface
    networks = [{"attachmentId": owner.attachment_id, "privateIpv4Address": interface.private_ip}] if interface is not None else []
    return {
        "containerArn": found.arn,
        "taskArn": owner.arn,
        "name": found.name,
        "image": found.image,
        **present(imageDigest=found.digest, runtimeId=found.runtime_id, exitCode=found.exit_code, reason=found.reason),
        "lastStatus": found.status,
        "networkBindings": [],
        "networkInterfaces": networks,
        "healthStatus": found.health,
        "managedAgents": [],
        "cpu": found.cpu,
        **present(memory=found.memory, memoryReservation=found.memory_reservation),
    }
