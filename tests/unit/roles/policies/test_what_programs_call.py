# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call to AWS of the programs that run on an instance or in a task is allowed by the policy of the role that they run with."""

from __future__ import annotations

import ast
import functools

import botocore.session
import pytest
import rendering
from botocore import xform_name

pytestmark = pytest.mark.case("A2")

REGION, ACCOUNT = "ap-northeast-2", "111111111111"
SERVICES = ("autoscaling", "cloudwatch", "dynamodb", "ecr", "elasticache", "elbv2", "logs", "resourcegroupstaggingapi", "s3", "ssm")
# Programs that ask AWS from an instance, from its containers or from a task.
PROGRAMS = (
    "plugins/module_utils/_host",
    "roles/fleet/files",
    "roles/monitoring/files/images",
    "samples",
)
POPCON, BACKEND, EXECUTION, TASK = "popcon-dev", "wealist-prod-ec2-role", "chat-dev-execution", "chat-dev-task"
MONITORING, ALONE = "wealist-prod-monitoring-ec2-role", "popcon-dev-monitoring"
SWITCHED_ON = {
    "popcon": {"monitoring_iam_role": ALONE, "monitoring_bucket": "popcon-dev-metrics"},
    "chat": {"ecs_app_secrets": {"TOKEN": "/chat/dev/TOKEN"}},
}


def arn(service, rest):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


MESSAGES, COUNTER = arn("dynamodb", "table/chat-dev-messages"), arn("dynamodb", "table/chat-dev-user-counter")
RELEASES, STREAM = "arn:aws:s3:::wealist-deploy-scripts", "log-group:/wealist/prod/{}/boot:log-stream:i-0123"
GROUP = "autoScalingGroup:00000000-0000-4000-8000-000000000000:autoScalingGroupName/wealist-prod-{}"
FLEET = ((BACKEND, "backend"), (MONITORING, "monitoring"))
HOOK = [(role, "autoscaling:CompleteLifecycleAction", arn("autoscaling", GROUP.format(name))) for role, name in FLEET]
METRICS = {
    MONITORING: "arn:aws:s3:::wealist-prod-metrics/monitoring-data/prod",
    ALONE: "arn:aws:s3:::popcon-dev-metrics/monitoring-data/dev",
}
MONITORS = (MONITORING, ALONE)


def read_release(*keys):
    """Of each group: its own pin, and what that names."""
    both = ("s3:GetObject", "s3:GetObjectVersion")
    folders = {"backend": "config/docker-compose.prod.yml", "monitoring": "monitoring/prometheus.yml"}
    return [
        (role, action, f"{RELEASES}/{key.format(group=name, file=folders[name])}")
        for role, name in FLEET
        for key in keys
        for action in both
    ]


def kept(action):
    return [
        (role, action, f"{folder}/{key}") for role, folder in METRICS.items() for key in ("manifest.json", "files/prometheus/wal/00000001")
    ]


def everything(action):
    return [(role, action, "*") for role in MONITORS]


# (file, operation of AWS) -> [(role, action, resource), …] that it needs. An operation need not be an action of the same name.
NEEDED = {
    ("_host/aws.py", "get_parameters"): [
        (POPCON, "ssm:GetParameters", arn("ssm", "parameter/popcon/dev/DB_PASSWORD")),
        (BACKEND, "ssm:GetParameters", arn("ssm", "parameter/wealist/prod/db/user_db_password")),
        # Each of a call's names is asked, and the databases are made from here.
        (MONITORING, "ssm:GetParameters", arn("ssm", "parameter/wealist/prod/db/postgres_superuser_password")),
    ],
    ("_host/aws.py", "get_parameters_by_path"): [
        (POPCON, "ssm:GetParametersByPath", arn("ssm", "parameter/popcon/dev")),
    ],
    ("_host/aws.py", "get_authorization_token"): [
        (role, "ecr:GetAuthorizationToken", "*") for role in (POPCON, BACKEND, MONITORING, ALONE, EXECUTION)
    ],
    ("_host/fleet.py", "get_object"): read_release("releases/wealist-prod-{group}/3f2c1d0a9b8c.json", "{file}"),
    ("_host/fleet.py", "complete_lifecycle_action"): HOOK,
    ("files/begin.py", "create_log_stream"): [(role, "logs:CreateLogStream", arn("logs", STREAM.format(name))) for role, name in FLEET],
    ("files/begin.py", "put_log_events"): [(role, "logs:PutLogEvents", arn("logs", STREAM.format(name))) for role, name in FLEET],
    ("files/begin.py", "get_parameter"): [
        (role, "ssm:GetParameter", arn("ssm", "parameter/wealist/prod/startup-script")) for role, _name in FLEET
    ],
    ("files/begin.py", "complete_lifecycle_action"): HOOK,
    ("files/fetch.py", "get_object"): read_release(
        "releases/wealist-prod-{group}/3f2c1d0a9b8c.json", "boot/compose-release-0a1b2c3d4e5f.pyz"
    ),
    ("monitor/cloudwatch.py", "get_resources"): everything("tag:GetResources"),
    ("monitor/cloudwatch.py", "describe_target_groups"): everything("elasticloadbalancing:DescribeTargetGroups"),
    ("monitor/cloudwatch.py", "describe_replication_groups"): everything("elasticache:DescribeReplicationGroups"),
    ("monitor/cloudwatch.py", "describe_auto_scaling_groups"): everything("autoscaling:DescribeAutoScalingGroups"),
    ("monitor/cloudwatch.py", "get_metric_data"): everything("cloudwatch:GetMetricData"),
    ("monitor/snapshots.py", "get_object"): kept("s3:GetObject"),
    ("monitor/snapshots.py", "put_object"): kept("s3:PutObject"),
    ("monitor/snapshots.py", "delete_objects"): kept("s3:DeleteObject"),
    ("monitor/snapshots.py", "list_objects_v2"): [],  # test_every_policy: its answer depends on the prefix
    ("stores/dynamodb.py", "get_item"): [(TASK, "dynamodb:GetItem", MESSAGES)],
    ("stores/dynamodb.py", "query"): [(TASK, "dynamodb:Query", MESSAGES)],
    # A transaction is no action: each of its items is asked as if it came alone. The application writes two with Put.
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
    ("stores/dynamodb.py", "transact_write_items"): [(TASK, "dynamodb:PutItem", MESSAGES)],
    ("stores/dynamodb.py", "update_item"): [(TASK, "dynamodb:UpdateItem", COUNTER)],
    ("stores/dynamodb.py", "create_table"): [],  # for tests of the sample without AWS; see test_the_sample_makes_no_tables_on_aws
}


@functools.cache
def operations():
    """Names of the services' operations as clients and paginators have them."""
    session = botocore.session.get_session()
    return frozenset(xform_name(name) for service in SERVICES for name in session.get_service_model(service).operation_names)


def called(source):
    """Operations that a program's text calls, by a method or through a paginator."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    direct = {node.func.attr for node in calls}
    paged = {node.args[0].value for node in calls if node.func.attr == "get_paginator" and isinstance(node.args[0], ast.Constant)}
    return (direct | paged) & operations()


def all_called():
    found = set()
    for folder in PROGRAMS:
        for path in (rendering.ROOT / folder).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if "botocore" in source or "client" in source:
                found |= {("/".join(path.parts[-2:]), name) for name in called(source)}
    return found


def test_every_call_of_a_program_is_in_the_table():
    assert all_called() == set(NEEDED)


def test_a_call_is_seen():
    assert called("x = client.head_object(Key='a'); y = client.get_paginator('describe_load_balancers')") == {
        "head_object", "describe_load_balancers"
    }  # fmt: skip


@pytest.fixture(scope="module")
def policies(render):
    return {name: policy for one in render(**SWITCHED_ON).values() for name, policy in one.policies().items()}


@pytest.mark.parametrize("call", sorted(NEEDED), ids=": ".join)
def test_a_call_is_allowed(policies, decide, call):
    decided = decide([(policies[role], action, resource) for role, action, resource in NEEDED[call]])
    assert [request for request, allowed in zip(NEEDED[call], decided, strict=True) if not allowed] == []


def test_the_sample_makes_no_tables_on_aws():
    """The task's role must not; role tables makes them, and the sample does so only where CREATE_TABLES says it."""
    files = [path.read_text(encoding="utf-8") for path in (rendering.ROOT / "inventories/chat").rglob("*.yml")]
    assert any("ecs_app_task_statements" in text for text in files)
    assert not any("CREATE_TABLES" in text for text in files)


@pytest.mark.parametrize("action", ["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"])
def test_each_item_of_a_transaction(policies, decide, action):
    """What a transaction's Put, Update, Delete and ConditionCheck ask, on own tables and on neighbours'."""
    tables = [MESSAGES, COUNTER, f"{MESSAGES}2", arn("dynamodb", "table/chat-dev2-messages"), arn("dynamodb", "table/other-dev-messages")]
    assert decide([(policies[TASK], f"dynamodb:{action}", table) for table in tables]) == [True, True, False, False, False]
