# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ECS answers about clusters, task definitions and tags, good and bad; with ecs_run_cases all that test_ecs_contract runs."""

from __future__ import annotations

import typing as t

from .cases import Case
from .ecs_api import ABSENT, World, case, in_cluster, no_cluster, reasons
from .ecs_run_cases import SERVICES, TASKS


def _registered(name: str, error: str | None = None, **members: t.Any) -> Case:
    return Case("RegisterTaskDefinition", name, lambda w: w.definition(**members), error)


def _inactive_cluster(w: World) -> t.Any:
    w.cluster()
    w.ecs.delete_cluster(cluster=w.name)
    return [item["status"] for item in w.ecs.describe_clusters(clusters=[w.name])["clusters"]]


def _deregistered(w: World) -> str:
    arn = w.definition()
    w.ecs.deregister_task_definition(taskDefinition=arn)
    return arn


def _pages(w: World) -> int:
    for _ in range(3):
        w.definition()
    pages = w.ecs.get_paginator("list_task_definitions").paginate(familyPrefix=w.name, PaginationConfig={"PageSize": 2})
    return sum(len(page["taskDefinitionArns"]) for page in pages)


def _tagged(w: World, kind: str) -> str:
    arns = {
        "cluster": lambda: w.ecs.create_cluster(clusterName=w.name)["cluster"]["clusterArn"],
        "definition": w.definition,
        "service": w.service,
        "task": w.task,
    }
    return arns[kind]()


def _tag_round(kind: str) -> t.Callable[[World], t.Any]:
    def run(w: World) -> t.Any:
        arn = _tagged(w, kind)
        w.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
        w.ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
        return w.ecs.list_tags_for_resource(resourceArn=arn)["tags"]

    return run


_LEFT = [{"key": "b", "value": "2"}]
_GONE = "arn:aws:ecs:ap-northeast-2:123456789012:cluster/there-is-none"

CLUSTERS: list[Case] = [
    Case("CreateCluster", "plain", World.cluster),
    Case("CreateCluster", "twice", lambda w: [w.cluster(), w.cluster()]),
    Case(
        "CreateCluster",
        "capacity providers",
        lambda w: w.cluster(
            capacityProviders=["FARGATE", "FARGATE_SPOT"],
            defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],
            settings=[{"name": "containerInsights", "value": "enabled"}],
            tags=[{"key": "a", "value": "b"}],
        ),
    ),
    case("CreateCluster", "bad name", "InvalidParameterException", clusterName="a b"),
    Case("CreateCluster", "unknown provider", lambda w: w.cluster(capacityProviders=["none"]), "InvalidParameterException"),
    Case(
        "DescribeClusters",
        "one with everything",
        lambda w: w.ecs.describe_clusters(
            clusters=[w.cluster()], include=["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"]
        ),
    ),
    Case("DescribeClusters", "absent", lambda w: reasons(w.ecs.describe_clusters(clusters=[ABSENT])), None, ["MISSING"]),
    Case("DescribeClusters", "deleted", _inactive_cluster, None, ["INACTIVE"]),
    case("ListClusters", "all"),
    case("ListClusters", "bad token", "InvalidParameterException", nextToken="nonsense"),
    in_cluster("UpdateCluster", "settings", settings=[{"name": "containerInsights", "value": "enhanced"}]),
    no_cluster("UpdateCluster"),
    in_cluster("UpdateClusterSettings", "settings", settings=[{"name": "containerInsights", "value": "enabled"}]),
    no_cluster("UpdateClusterSettings", settings=[{"name": "containerInsights", "value": "enabled"}]),
    in_cluster(
        "PutClusterCapacityProviders",
        "fargate",
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1, "base": 1}],
    ),
    in_cluster(
        "PutClusterCapacityProviders",
        "strategy without provider",
        "InvalidParameterException",
        capacityProviders=[],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],
    ),
    no_cluster("PutClusterCapacityProviders", capacityProviders=[], defaultCapacityProviderStrategy=[]),
    in_cluster("DeleteCluster", "empty"),
    no_cluster("DeleteCluster"),
    Case(
        "DeleteCluster", "with a service", lambda w: [w.service(), w.ecs.delete_cluster(cluster=w.name)], "ClusterContainsServicesException"
    ),
    Case("DeleteCluster", "with a task", lambda w: [w.task(), w.ecs.delete_cluster(cluster=w.name)], "ClusterContainsTasksException"),
    case("DescribeCapacityProviders", "all"),
    Case(
        "DescribeCapacityProviders",
        "absent",
        lambda w: reasons(w.ecs.describe_capacity_providers(capacityProviders=["x"])),
        None,
        ["MISSING"],
    ),
    in_cluster("ListContainerInstances", "none"),
    no_cluster("ListContainerInstances"),
    in_cluster("DescribeContainerInstances", "absent", containerInstances=["x"]),
    no_cluster("DescribeContainerInstances", containerInstances=["x"]),
    case("PutAccountSetting", "insights", name="containerInsights", value="enabled"),
    case("PutAccountSetting", "bad value", "InvalidParameterException", name="containerInsights", value="x"),
    case("PutAccountSettingDefault", "insights", name="containerInsights", value="disabled"),
    case("PutAccountSettingDefault", "bad value", "InvalidParameterException", name="containerInsights", value="x"),
    case("DeleteAccountSetting", "insights", name="containerInsights"),
    case("ListAccountSettings", "effective", name="taskLongArnFormat", effectiveSettings=True),
    case("ListAccountSettings", "put", effectiveSettings=False),
    case("ListAccountSettings", "value without name", "InvalidParameterException", value="enabled"),
]

DEFINITIONS: list[Case] = [
    _registered("plain"),
    _registered(
        "everything",
        container={
            "portMappings": [{"containerPort": 80, "protocol": "tcp", "name": "http"}],
            "environment": [{"name": "A", "value": "b"}],
            "healthCheck": {"command": ["CMD-SHELL", "true"]},
            "dockerLabels": {"a": "b"},
            "user": "1000",
            "workingDirectory": "/tmp",
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "g", "awslogs-region": "r", "awslogs-stream-prefix": "p"},
            },
            "secrets": [{"name": "S", "valueFrom": "/s"}],
            "linuxParameters": {"initProcessEnabled": True},
            "readonlyRootFilesystem": True,
            "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}],
        },
        volumes=[{"name": "v"}],
        executionRoleArn="arn:aws:iam::123456789012:role/x",
        tags=[{"key": "a", "value": "b"}],
        runtimePlatform={"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        ephemeralStorage={"sizeInGiB": 21},
    ),
    _registered("bridge", requiresCompatibilities=["EC2"], networkMode="bridge"),
    _registered("no containers", "ClientException", containerDefinitions=[]),
    _registered("impossible size", "ClientException", memory="4096"),
    _registered("reserved tag", "InvalidParameterException", tags=[{"key": "aws:a", "value": "b"}]),
    _registered("wrong driver", "InvalidParameterException", container={"logConfiguration": {"logDriver": "none"}}),
    Case(
        "DescribeTaskDefinition",
        "family",
        lambda w: [w.definition(), w.call("DescribeTaskDefinition", taskDefinition=w.name, include=["TAGS"])],
    ),
    Case("DescribeTaskDefinition", "revision", lambda w: w.call("DescribeTaskDefinition", taskDefinition=w.definition())),
    Case("DescribeTaskDefinition", "inactive revision", lambda w: w.call("DescribeTaskDefinition", taskDefinition=_deregistered(w))),
    Case(
        "DescribeTaskDefinition",
        "inactive family",
        lambda w: [_deregistered(w), w.call("DescribeTaskDefinition", taskDefinition=w.name)],
        "ClientException",
    ),
    case("DescribeTaskDefinition", "absent", "ClientException", taskDefinition=ABSENT),
    Case("DeregisterTaskDefinition", "one", _deregistered),
    Case(
        "DeregisterTaskDefinition",
        "twice",
        lambda w: w.call("DeregisterTaskDefinition", taskDefinition=_deregistered(w)),
        "InvalidParameterException",
    ),
    case("DeregisterTaskDefinition", "absent", "ClientException", taskDefinition=f"{ABSENT}:1"),
    case("DeregisterTaskDefinition", "no revision", "ClientException", taskDefinition=ABSENT),
    Case(
        "DeleteTaskDefinitions",
        "inactive",
        lambda w: reasons(w.call("DeleteTaskDefinitions", taskDefinitions=[_deregistered(w)])),
        None,
        [],
    ),
    Case(
        "DeleteTaskDefinitions",
        "active",
        lambda w: len(reasons(w.call("DeleteTaskDefinitions", taskDefinitions=[w.definition()]))),
        None,
        1,
    ),
    case("DeleteTaskDefinitions", "too many", "InvalidParameterException", taskDefinitions=[f"{ABSENT}:{n}" for n in range(11)]),
    Case("ListTaskDefinitions", "pages", _pages, None, 3),
    Case(
        "ListTaskDefinitions",
        "newest first",
        lambda w: [
            w.definition(),
            w.definition(),
            w.call("ListTaskDefinitions", familyPrefix=w.name, sort="DESC")["taskDefinitionArns"][0].rpartition(":")[2],
        ][2],
        None,
        "2",
    ),
    case("ListTaskDefinitions", "too many", "InvalidParameterException", maxResults=101),
    Case(
        "ListTaskDefinitionFamilies",
        "one",
        lambda w: [w.definition(), w.call("ListTaskDefinitionFamilies", familyPrefix=w.name)["families"]][1] == [w.name],
        None,
        True,
    ),
    case("ListTaskDefinitionFamilies", "too many", "InvalidParameterException", maxResults=101),
]

TAGS: list[Case] = [
    *(Case("TagResource", kind, _tag_round(kind), None, _LEFT) for kind in ("cluster", "definition", "service", "task")),
    case("TagResource", "absent", "ResourceNotFoundException", resourceArn=_GONE, tags=_LEFT),
    case("TagResource", "no ARN", "InvalidParameterException", resourceArn="nonsense", tags=_LEFT),
    Case("UntagResource", "a key that is not there", lambda w: w.call("UntagResource", resourceArn=_tagged(w, "cluster"), tagKeys=["x"])),
    case("UntagResource", "absent", "ResourceNotFoundException", resourceArn=_GONE, tagKeys=["a"]),
    Case("ListTagsForResource", "none", lambda w: w.call("ListTagsForResource", resourceArn=_tagged(w, "cluster"))["tags"], None, []),
    case("ListTagsForResource", "absent", "InvalidParameterException", resourceArn=_GONE),
]

CASES: list[Case] = [*CLUSTERS, *DEFINITIONS, *SERVICES, *TASKS, *TAGS]
CANNOT_FAIL = frozenset({"DescribeClusters", "DescribeCapacityProviders", "DeleteAccountSetting"})
CANNOT_SUCCEED = frozenset({"ExecuteCommand"})
"""Operations that are only ever refused here, with one of their documented errors."""
