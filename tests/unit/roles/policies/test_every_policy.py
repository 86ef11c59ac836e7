# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No policy is left out: each is rendered, each action fits its resource, and no role may do what none may."""

from __future__ import annotations

import re

import pytest
import rendering
import yaml

pytestmark = pytest.mark.case("A2")

REGION, ACCOUNT = "ap-northeast-2", "111111111111"
# Arguments of modules that are policies of access; a lifecycle policy, a scaling policy or a restart policy is none.
POLICIES = {
    "assume_role_policy_document", "inline_policies", "key_policy", "managed_policies", "managed_policy", "policy", "policy_document",
    "policy_json", "policy_text", "repository_policy",
}  # fmt: skip
# Everything that can be switched on and adds to a policy.
SWITCHED_ON = {
    "popcon": {
        "instance_parameters_kms_key": "alias/popcon",
        "monitoring_iam_role": "popcon-dev-monitoring",
        "monitoring_bucket": "popcon-dev-metrics",
        "monitoring_discord": True,
        "monitoring_grafana_image": "grafana/grafana:12.2.0",
        "monitoring_parameters_kms_key": "alias/popcon",
    },
    "wealist": {
        "monitoring_discord": True,
        "monitoring_grafana_image": "grafana/grafana:12.2.0",
        "fleet_parameters_kms_key": "alias/wealist",
    },
    "chat": {
        "ecs_app_secrets": {
            "TOKEN": "/chat/dev/TOKEN",
            "PASSWORD": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:chat-dev-AbCdEf:password::",
        }
    },
}
ROLES = {
    "popcon-dev", "popcon-dev-monitoring", "popcon-prod", "wealist-prod-ec2-role", "wealist-prod-monitoring-ec2-role", "chat-dev-execution",
    "chat-dev-task",
}  # fmt: skip


class Loader(yaml.SafeLoader):
    """Ansible's and inventories' own tags (!vault, !unsafe) are of no interest."""


Loader.add_multi_constructor("!", lambda _loader, _tag, node: node.value)


def tasks_of(value):
    """Each task or mapping of a file, on every level (block, rescue, always, plays)."""
    if isinstance(value, list):
        for each in value:
            yield from tasks_of(each)
    elif isinstance(value, dict):
        yield value
        for key in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers"):
            yield from tasks_of(value.get(key))


def writing():
    """{(role, file), …} of the tasks that hand a policy to AWS, and the files outside of roles that do.

    The benchmarks' playbooks of stock modules are not read: they are what the collection is measured against.
    """
    found = set()
    files = [path for top in ("roles", "playbooks", "molecule", "inventories", "tests") for path in (rendering.ROOT / top).rglob("*.yml")]
    for path in files:
        for task in tasks_of(yaml.load(path.read_text(encoding="utf-8"), Loader)):
            arguments = [value for value in task.values() if isinstance(value, dict) and task.get("name")]
            if any(POLICIES & set(each) for each in arguments) or any("iam_policy" in str(key).split(".")[-1:] for key in task):
                parts = path.relative_to(rendering.ROOT).parts
                found.add((parts[1], parts[3]) if parts[0] == "roles" else parts)
    return found


def test_every_file_that_writes_a_policy_is_rendered():
    """A role that gets a new policy fails here until rendering.py has its file and the tests its requests."""
    rendered = {part for parts in rendering.ROLES.values() for part in parts}
    absent = {(role, "absent.yml") for role, _file in rendered}  # they take policies away
    assert writing() - absent == rendered - {("fleet", "template.yml")}  # which says who gets a role


def test_a_task_with_a_policy_is_seen():
    play = [{"name": "p", "tasks": [{"name": "b", "block": [{"name": "t", "community.aws.sqs_queue": {"policy": {}}}]}]}]
    assert [task["name"] for task in tasks_of(play) if any("policy" in each for each in task.values() if isinstance(each, dict))] == ["t"]


@pytest.fixture(scope="module")
def policies(render):
    found = {name: policy for one in render(**SWITCHED_ON).values() for name, policy in one.policies().items()}
    assert set(found) == ROLES
    return found


# What a resource of each action must look like, from the Service Authorization Reference; None: the action knows no resources, "*" alone.
# https://docs.aws.amazon.com/service-authorization/latest/reference/
OBJECT, BUCKET = r"arn:aws:s3:::[^/*]+/.+", r"arn:aws:s3:::[^/*]+"
PARAMETER, LOG = r"arn:aws:ssm:[\w-]+:[\d*]+:parameter/.+", r"arn:aws:logs:[\w-]+:[\d*]+:log-group:[^:*]+:\*"
REPOSITORY, TABLE = r"arn:aws:ecr:[\w-]+:[\d*]+:repository/[^*]+", r"arn:aws:dynamodb:[\w-]+:[\d*]+:table/[^*]+"
FITTING = {
    **dict.fromkeys(("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject"), OBJECT),
    "s3:ListBucket": BUCKET,
    **dict.fromkeys(("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"), PARAMETER),
    "secretsmanager:GetSecretValue": r"arn:aws:secretsmanager:[\w-]+:\d+:secret:[^*]+",
    "kms:Decrypt": r"arn:aws:kms:[\w-]+:[\d*]+:key/.+",
    **dict.fromkeys(("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), REPOSITORY),
    **dict.fromkeys(("logs:CreateLogStream", "logs:PutLogEvents"), LOG),
    "autoscaling:CompleteLifecycleAction": r"arn:aws:autoscaling:[\w-]+:[\d*]+:autoScalingGroup:\*:autoScalingGroupName/[^*]+",
    **dict.fromkeys((f"dynamodb:{one}Item" for one in ("Get", "Put", "Update", "Delete")), TABLE),
    **dict.fromkeys(("dynamodb:Query", "dynamodb:ConditionCheckItem"), TABLE),
    # Of an instance that registers itself; its id is not known when the policy is written.
    "ssm:UpdateInstanceInformation": None,
    **dict.fromkeys((f"ssmmessages:{what}{kind}Channel" for what in ("Create", "Open") for kind in ("Control", "Data")), None),
    "ecr:GetAuthorizationToken": None,
    **dict.fromkeys((f"ec2:Describe{what}" for what in ("Instances", "AvailabilityZones", "Regions", "Tags")), None),
    **dict.fromkeys(("autoscaling:DescribeAutoScalingGroups", "elasticloadbalancing:DescribeTargetGroups", "tag:GetResources"), None),
    **dict.fromkeys(("cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "cloudwatch:DescribeAlarmsForMetric"), None),
    # These know resources, but are asked here about all there are.
    **dict.fromkeys(("cloudwatch:DescribeAlarms", "elasticache:DescribeReplicationGroups"), None),
}


def listed(value):
    return [value] if isinstance(value, str) else list(value)


def misfits(policy):
    """Each (action, resource) of a policy that can never match, or is not in the table."""
    return [
        (action, resource)
        for statement in policy["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if action not in FITTING or (resource != "*" if FITTING[action] is None else not re.fullmatch(FITTING[action], resource))
    ]


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_action_fits_its_resource(policies, role):
    assert misfits(policies[role]) == []


def test_every_bucket_policy_fits(render):
    found = [misfits(policy) for one in render(**SWITCHED_ON).values() for policy in one.buckets().values()]
    assert found == [[], [], []]  # chat's site, and the logs of two load balancers


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:ListBucket", "arn:aws:s3:::shop/*"),
        ("s3:GetObject", "arn:aws:s3:::shop"),
        ("ecr:GetAuthorizationToken", f"arn:aws:ecr:{REGION}:*:repository/shop"),
        ("ssm:GetParameter", "*"),
        ("logs:PutLogEvents", f"arn:aws:logs:{REGION}:*:log-group:/shop"),
        ("dynamodb:TransactWriteItems", f"arn:aws:dynamodb:{REGION}:*:table/shop"),  # no action: each item's own is asked
    ],
)
def test_what_never_matches_is_seen(action, resource):
    assert misfits({"Statement": [{"Action": action, "Resource": [resource]}]}) == [(action, resource)]


# What no role of a system may do, whatever it is for: rights, other secrets, and neighbours of every kind.
FORBIDDEN = [
    *(
        (f"iam:{one}", f"arn:aws:iam::{ACCOUNT}:role/popcon-dev")
        for one in ("PassRole", "PutRolePolicy", "AttachRolePolicy", "CreateRole", "UpdateAssumeRolePolicy", "GetRolePolicy")
    ),
    ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/popcon-dev"),
    *((f"ssm:{one}", f"arn:aws:ssm:{REGION}:{ACCOUNT}:*") for one in ("GetParameter", "GetParameters", "GetParametersByPath")),
    *((f"ssm:{one}", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/other/dev/KEY") for one in ("GetParameter", "GetParameters")),
    ("ssm:GetParametersByPath", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/"),
    *((f"ssm:{one}", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/popcon/dev/KEY") for one in ("PutParameter", "DeleteParameter")),
    ("ssm:SendCommand", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123"),
    ("ssm:StartSession", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123"),
    ("ec2:TerminateInstances", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123"),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:other-AbCdEf"),
    ("s3:GetObject", "arn:aws:s3:::other/config/docker-compose.prod.yml"),
    ("s3:ListBucket", "arn:aws:s3:::other"),
    ("s3:ListAllMyBuckets", "*"),
    *((f"ecr:{one}", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/other") for one in ("BatchGetImage", "PutImage")),
    ("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/other/boot:log-stream:i-0123"),
    ("logs:GetLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/chat-dev/blue:log-stream:one"),
    *((f"dynamodb:{one}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/other") for one in ("GetItem", "PutItem", "DeleteTable")),
    ("autoscaling:CompleteLifecycleAction", f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:0:autoScalingGroupName/other"),
    ("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0000"),
]


def test_what_no_role_may_do(policies, decide):
    asked = [(role, *request) for role in sorted(policies) for request in FORBIDDEN]
    decided = decide([(policies[role], action, resource) for role, action, resource in asked])
    assert [request for request, allowed in zip(asked, decided, strict=True) if allowed] == []


def monitored(name):
    return f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/bluegreen/popcon/{name}"


@pytest.mark.parametrize(
    ("action", "resource", "context", "expected"),
    [
        ("ssm:GetParametersByPath", monitored("dev/monitoring"), {}, True),
        ("ssm:GetParameters", monitored("dev/monitoring/DISCORD_WEBHOOK_URL"), {}, True),
        ("ssm:GetParameters", monitored("dev/monitoring2/DISCORD_WEBHOOK_URL"), {}, False),
        ("ssm:GetParameters", monitored("dev2/monitoring/DISCORD_WEBHOOK_URL"), {}, False),
        ("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/popcon/dev/DB_PASSWORD", {}, False),
        ("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/popcon", {}, True),
        ("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/popcon2", {}, False),
        ("s3:PutObject", "arn:aws:s3:::popcon-dev-metrics/monitoring-data/dev/manifest.json", {}, True),
        ("s3:DeleteObject", "arn:aws:s3:::popcon-dev-metrics/monitoring-data/dev/files/prometheus/wal/0", {}, True),
        ("s3:PutObject", "arn:aws:s3:::popcon-dev-metrics/monitoring-data/dev2/manifest.json", {}, False),
        # S3 asks for a missing key with the key as prefix.
        ("s3:ListBucket", "arn:aws:s3:::popcon-dev-metrics", {"s3:prefix": "monitoring-data/dev/manifest.json"}, True),
        ("s3:ListBucket", "arn:aws:s3:::popcon-dev-metrics", {"s3:prefix": "monitoring-data/dev/files/"}, True),
        ("s3:ListBucket", "arn:aws:s3:::popcon-dev-metrics", {"s3:prefix": "monitoring-data/dev2/"}, False),
        ("s3:ListBucket", "arn:aws:s3:::popcon-dev-metrics", {"s3:prefix": ""}, False),
        ("ec2:DescribeInstances", "*", {}, True),
        ("cloudwatch:GetMetricData", "*", {}, True),
        ("cloudwatch:ListMetrics", "*", {}, True),  # Grafana
        ("cloudwatch:PutMetricData", "*", {}, False),
    ],
)
def test_a_request_of_monitoring_with_a_role_of_its_own(policies, decide, action, resource, context, expected):
    assert decide([(policies["popcon-dev-monitoring"], action, resource, {"context": context})]) == [expected]


KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0000"


@pytest.mark.parametrize(
    ("role", "parameter", "expected"),
    [
        ("popcon-dev", "/popcon/dev/DB_PASSWORD", True),
        ("popcon-dev", "/popcon/dev2/DB_PASSWORD", False),
        ("wealist-prod-ec2-role", "/wealist/prod/db/user_db_password", True),
        ("wealist-prod-ec2-role", "/wealist/prod/db/postgres_superuser_password", False),
        ("wealist-prod-monitoring-ec2-role", "/wealist/prod/db/postgres_superuser_password", True),
        ("popcon-dev-monitoring", "/bluegreen/popcon/dev/monitoring/DISCORD_WEBHOOK_URL", True),
        ("popcon-dev-monitoring", "/popcon/dev/DB_PASSWORD", False),
    ],
)
def test_a_key_of_its_own_opens_own_parameters_alone(policies, decide, role, parameter, expected):
    system = role.partition("-")[0]
    context = {
        "kms:EncryptionContext:PARAMETER_ARN": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{parameter}",
        "kms:ResourceAliases": [f"alias/{system}"],
    }
    other = {**context, "kms:ResourceAliases": ["alias/other"]}
    asked = [(policies[role], "kms:Decrypt", KEY, {"context": each}) for each in (context, other)]
    assert decide(asked) == [expected, False]
