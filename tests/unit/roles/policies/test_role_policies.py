# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each role of each system may do, and what of its neighbours it may not: requests, decided by an evaluator of IAM policies."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.case("A2")

REGION, ACCOUNT = "ap-northeast-2", "111111111111"
POPCON, BACKEND, MONITORING = "popcon-dev", "wealist-prod-ec2-role", "wealist-prod-monitoring-ec2-role"
EXECUTION, TASK = "chat-dev-execution", "chat-dev-task"
INVENTORY = {POPCON: "popcon", BACKEND: "wealist", MONITORING: "wealist", EXECUTION: "chat", TASK: "chat"}


def arn(service, rest):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def parameter(name):
    return arn("ssm", f"parameter{name}")


def table(name):
    return arn("dynamodb", f"table/{name}")


def repository(name):
    return arn("ecr", f"repository/{name}")


def stream(group):
    return arn("logs", f"log-group:{group}:log-stream:i-0123")


def scaling_group(name):
    return arn("autoscaling", f"autoScalingGroup:00000000-0000-4000-8000-000000000000:autoScalingGroupName/{name}")


def released(key):
    return f"arn:aws:s3:::wealist-deploy-scripts/{key}"


AGENT = [
    (name, action, "*", True)
    for name in (POPCON, BACKEND, MONITORING)
    for action in (
        "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    )
]  # fmt: skip
REQUESTS = [
    *AGENT,
    # popcon: one instance that reads its environment's parameters and pulls its system's images.
    (POPCON, "ssm:GetParametersByPath", parameter("/popcon/dev"), True),
    (POPCON, "ssm:GetParametersByPath", parameter("/popcon/dev/"), True),
    (POPCON, "ssm:GetParameters", parameter("/popcon/dev/DB_PASSWORD"), True),
    (POPCON, "ssm:GetParametersByPath", parameter("/popcon/dev2"), False),
    (POPCON, "ssm:GetParameters", parameter("/popcon/dev2/DB_PASSWORD"), False),
    (POPCON, "ssm:GetParameter", parameter("/popcon/development"), False),
    (POPCON, "ssm:GetParametersByPath", parameter("/popcon/prod"), False),
    (POPCON, "ssm:GetParametersByPath", parameter("/popcon"), False),
    (POPCON, "ssm:GetParametersByPath", parameter("/"), False),
    (POPCON, "ssm:GetParameter", parameter("/wealist/prod/db/user_db_password"), False),
    (POPCON, "ssm:GetParameter", parameter("/bluegreen/popcon/dev/lock"), False),
    (POPCON, "ssm:GetParameterHistory", parameter("/popcon/dev/DB_PASSWORD"), False),
    (POPCON, "ssm:PutParameter", parameter("/popcon/dev/DB_PASSWORD"), False),
    (POPCON, "ssm:DescribeParameters", "*", False),
    (POPCON, "ecr:GetAuthorizationToken", "*", True),
    (POPCON, "ecr:BatchGetImage", repository("popcon"), True),
    (POPCON, "ecr:GetDownloadUrlForLayer", repository("popcon"), True),
    (POPCON, "ecr:BatchGetImage", repository("popcon2"), False),
    (POPCON, "ecr:PutImage", repository("popcon"), False),
    (POPCON, "ssm:SendCommand", "*", False),
    (POPCON, "ssm:StartSession", arn("ec2", "instance/i-0123"), False),
    (POPCON, "s3:GetObject", released("config/docker-compose.prod.yml"), False),
    # wealist's backend: the values of its release, its own releases, its own log and its own hook.
    (BACKEND, "ssm:GetParameter", parameter("/wealist/prod/startup-script"), True),
    (BACKEND, "ssm:GetParameters", parameter("/wealist/prod/db/user_db_password"), True),
    (BACKEND, "ssm:GetParameters", parameter("/wealist/prod/db/board_db_password"), True),
    (BACKEND, "ssm:GetParameters", parameter("/wealist/prod/app/redis_host"), True),
    (BACKEND, "ssm:GetParameters", parameter("/wealist/prod/db/postgres_superuser_password"), False),
    (BACKEND, "ssm:GetParameter", parameter("/wealist/prod/db/postgres_superuser_password"), False),
    (BACKEND, "ssm:GetParametersByPath", parameter("/wealist/prod"), False),
    (BACKEND, "ssm:GetParametersByPath", parameter("/wealist/prod/db"), False),
    (BACKEND, "ssm:GetParameters", parameter("/wealist/prod2/db/user_db_password"), False),
    (BACKEND, "ssm:GetParameters", parameter("/bluegreen/wealist/prod/monitoring/DISCORD_WEBHOOK_URL"), False),
    (BACKEND, "s3:GetObject", released("releases/wealist-prod-backend/3f2c1d0a9b8c.json"), True),
    (BACKEND, "s3:GetObjectVersion", released("boot/compose-release-0a1b2c3d4e5f.pyz"), True),
    (BACKEND, "s3:GetObjectVersion", released("config/docker-compose.prod.yml"), True),
    (BACKEND, "s3:GetObject", released("releases/wealist-prod-backend2/3f2c1d0a9b8c.json"), False),
    (BACKEND, "s3:GetObject", released("releases/wealist-prod-monitoring/3f2c1d0a9b8c.json"), False),
    (BACKEND, "s3:GetObjectVersion", released("monitoring/prometheus.yml"), False),
    (BACKEND, "s3:PutObject", released("config/docker-compose.prod.yml"), False),
    (BACKEND, "s3:GetObject", "arn:aws:s3:::wealist-deploy-scripts2/config/docker-compose.prod.yml", False),
    (BACKEND, "s3:GetObject", "arn:aws:s3:::wealist-prod-metrics/monitoring-data/prod/manifest.json", False),
    (BACKEND, "s3:ListBucket", "arn:aws:s3:::wealist-deploy-scripts", True),
    (BACKEND, "ecr:BatchGetImage", repository("user-service"), True),
    (BACKEND, "ecr:BatchGetImage", repository("wealist-proxy"), True),
    (BACKEND, "ecr:BatchGetImage", repository("wealist-monitoring"), False),
    (BACKEND, "ecr:BatchGetImage", repository("user-service2"), False),
    (BACKEND, "logs:CreateLogStream", stream("/wealist/prod/backend/boot"), True),
    (BACKEND, "logs:PutLogEvents", stream("/wealist/prod/backend/boot"), True),
    (BACKEND, "logs:PutLogEvents", stream("/wealist/prod/backend/boot2"), False),
    (BACKEND, "logs:PutLogEvents", stream("/wealist/prod/monitoring/boot"), False),
    (BACKEND, "autoscaling:CompleteLifecycleAction", scaling_group("wealist-prod-backend"), True),
    (BACKEND, "autoscaling:CompleteLifecycleAction", scaling_group("wealist-prod-backend2"), False),
    (BACKEND, "autoscaling:CompleteLifecycleAction", scaling_group("wealist-prod-monitoring"), False),
    (BACKEND, "ec2:DescribeInstances", "*", False),
    (BACKEND, "cloudwatch:GetMetricData", "*", False),
    # wealist's monitoring: describes, keeps its metrics, makes the databases.
    (MONITORING, "ec2:DescribeInstances", "*", True),
    (MONITORING, "cloudwatch:GetMetricData", "*", True),
    (MONITORING, "tag:GetResources", "*", True),
    (MONITORING, "ec2:TerminateInstances", arn("ec2", "instance/i-0123"), False),
    (MONITORING, "cloudwatch:PutMetricData", "*", False),
    (MONITORING, "s3:PutObject", "arn:aws:s3:::wealist-prod-metrics/monitoring-data/prod/manifest.json", True),
    (MONITORING, "s3:PutObject", "arn:aws:s3:::wealist-prod-metrics/monitoring-data/prod2/manifest.json", False),
    (MONITORING, "s3:PutObject", "arn:aws:s3:::wealist-prod-metrics2/monitoring-data/prod/manifest.json", False),
    (MONITORING, "s3:PutObject", released("monitoring/prometheus.yml"), False),
    (MONITORING, "s3:GetObjectVersion", released("monitoring/prometheus.yml"), True),
    (MONITORING, "s3:GetObjectVersion", released("config/docker-compose.prod.yml"), False),
    (MONITORING, "ecr:BatchGetImage", repository("wealist-monitoring"), True),
    (MONITORING, "ecr:BatchGetImage", repository("user-service"), False),
    (MONITORING, "ssm:GetParametersByPath", parameter("/wealist/prod/db"), False),
    (MONITORING, "autoscaling:CompleteLifecycleAction", scaling_group("wealist-prod-monitoring"), True),
    (MONITORING, "autoscaling:CompleteLifecycleAction", scaling_group("wealist-prod-backend"), False),
    # chat: ECS starts a task, the task uses its tables.
    (EXECUTION, "ecr:GetAuthorizationToken", "*", True),
    (EXECUTION, "ecr:BatchGetImage", repository("chat"), True),
    (EXECUTION, "ecr:BatchGetImage", repository("chat2"), False),
    (EXECUTION, "logs:PutLogEvents", stream("/ecs/chat-dev/green"), True),
    (EXECUTION, "logs:CreateLogStream", stream("/ecs/chat-dev/blue"), True),
    (EXECUTION, "logs:PutLogEvents", stream("/ecs/chat-dev2/green"), False),
    (EXECUTION, "dynamodb:GetItem", table("chat-dev-messages"), False),
    (EXECUTION, "ssm:GetParameters", parameter("/chat/dev/TOKEN"), False),
    (TASK, "dynamodb:Query", table("chat-dev-messages"), True),
    (TASK, "dynamodb:UpdateItem", table("chat-dev-user-counter"), True),
    (TASK, "dynamodb:Query", table("chat-dev-messages2"), False),
    (TASK, "dynamodb:Query", table("chat-dev2-messages"), False),
    (TASK, "dynamodb:Scan", table("chat-dev-messages"), False),
    (TASK, "dynamodb:DeleteTable", table("chat-dev-messages"), False),
    (TASK, "ssm:GetParameters", parameter("/chat/dev/TOKEN"), False),
    (TASK, "ecr:BatchGetImage", repository("chat"), False),
]


@pytest.fixture(scope="module")
def answers(render, decide):
    policies = {name: policy for one in render().values() for name, policy in one.policies().items()}
    decided = decide([(policies[name], action, resource) for name, action, resource, _allowed in REQUESTS])
    return dict(zip(REQUESTS, decided, strict=True))


@pytest.mark.parametrize(
    "request_", REQUESTS, ids=lambda one: f"{one[0]} {'may' if one[3] else 'may not'} {one[1]} {one[2].split(':', 5)[-1]}"
)
def test_a_request(answers, request_):
    assert answers[request_] is request_[3]


def test_every_policy_is_tried_with_what_it_allows_and_what_it_does_not(render):
    tried = {(name, allowed) for name, _action, _resource, allowed in REQUESTS}
    names = {name for one in render().values() for name in one.policies()} - {"popcon-prod"}  # as popcon-dev, by the same file
    assert tried == {(name, allowed) for name in names for allowed in (True, False)}


def test_the_evaluator_sees_a_name_that_matches_its_neighbour(decide):
    before = {"Statement": [{"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": parameter("/popcon/dev*")}]}
    assert decide([(before, "ssm:GetParameters", parameter("/popcon/dev2/DB_PASSWORD"))]) == [True]


def test_no_role_has_a_managed_policy(render):
    """AmazonSSMManagedInstanceCore allows ssm:GetParameter and ssm:GetParameters on everything."""
    for one in render().values():
        for role in one.of("iam_role"):
            assert not role.get("managed_policies"), role
    instances = [role for name in ("popcon", "popcon_prod", "wealist") for role in render()[name].of("iam_role")]
    assert [role["managed_policies"] for role in instances] == [[], [], [], []]  # not left out: one that is attached is taken away


def test_a_wildcard_stands_for_whole_parts_of_a_name(render):
    """An account, a colour, everything in a folder; never the rest of a name, which is also a neighbour's."""
    resources = [
        resource
        for one in render().values()
        for policy in [*one.policies().values(), *one.buckets().values()]
        for statement in policy["Statement"]
        for resource in ([statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"])
    ]
    assert len(resources) > 40
    assert [resource for resource in resources if re.search(r"[^:/]\*|\*[^:/]", resource)] == []


def test_no_action_is_a_wildcard(render):
    actions = [
        action
        for one in render().values()
        for policy in [*one.policies().values(), *one.buckets().values()]
        for statement in policy["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]
    assert len(actions) > 60
    assert [action for action in actions if "*" in action] == []


def test_who_gets_the_role_through_a_container(render):
    """{instance profile: metadata hop limit}; only monitoring, whose programs ask AWS from their containers, has 2."""
    machines = [one for name in render().values() for module in ("ec2_instance", "ec2_launch_template") for one in name.of(module)]
    assert all(one["metadata_options"]["http_tokens"] == "required" for one in machines)
    found = {one["iam_instance_profile"]: one["metadata_options"]["http_put_response_hop_limit"] for one in machines}
    assert found == {POPCON: 1, "popcon-prod": 1, BACKEND: 1, MONITORING: 2}


def test_who_may_assume_a_role(render, decide):
    services = (
        "ec2.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "lambda.amazonaws.com",
        f"arn:aws:iam::{ACCOUNT}:root",
        "arn:aws:iam::222222222222:root",
    )
    roles = {role["name"]: role["assume_role_policy_document"] for one in render().values() for role in one.of("iam_role")}
    questions = [(policy, "sts:AssumeRole", "*", {"kind": "trust", "principal": who}) for policy in roles.values() for who in services]
    decided = iter(decide(questions))
    found = {name: {who for who in services if next(decided)} for name in roles}
    instance, task = {"ec2.amazonaws.com"}, {"ecs-tasks.amazonaws.com"}
    assert found == {POPCON: instance, "popcon-prod": instance, BACKEND: instance, MONITORING: instance, EXECUTION: task, TASK: task}


SITE, LOGS = (
    f"arn:aws:s3:::site-{ACCOUNT}/index.html",
    f"arn:aws:s3:::logs-{ACCOUNT}/chat-dev/AWSLogs/{ACCOUNT}/elasticloadbalancing/log.gz",
)
CLOUDFRONT, DELIVERY = "cloudfront.amazonaws.com", "logdelivery.elasticloadbalancing.amazonaws.com"
OURS = {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/EOURS"}
OTHERS = {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/EOTHER"}
BUCKET_REQUESTS = [
    (f"site-{ACCOUNT}", CLOUDFRONT, OURS, "s3:GetObject", SITE, True),
    (f"site-{ACCOUNT}", CLOUDFRONT, OTHERS, "s3:GetObject", SITE, False),
    (f"site-{ACCOUNT}", CLOUDFRONT, {}, "s3:GetObject", SITE, False),
    (f"site-{ACCOUNT}", CLOUDFRONT, OURS, "s3:PutObject", SITE, False),
    (f"site-{ACCOUNT}", "arn:aws:iam::222222222222:root", OURS, "s3:GetObject", SITE, False),
    (f"logs-{ACCOUNT}", DELIVERY, {}, "s3:PutObject", LOGS, True),
    (f"logs-{ACCOUNT}", DELIVERY, {}, "s3:PutObject", LOGS.replace(f"AWSLogs/{ACCOUNT}", "AWSLogs/222222222222"), False),
    (f"logs-{ACCOUNT}", DELIVERY, {}, "s3:PutObject", LOGS.replace("/chat-dev/", "/chat-dev2/"), False),
    (f"logs-{ACCOUNT}", DELIVERY, {}, "s3:GetObject", LOGS, False),
    (f"logs-{ACCOUNT}", CLOUDFRONT, {}, "s3:PutObject", LOGS, False),
    (f"logs-{ACCOUNT}", "arn:aws:iam::222222222222:root", {}, "s3:PutObject", LOGS, False),
]


def test_buckets(render, decide):
    buckets = render()["chat"].buckets()
    assert set(buckets) == {bucket for bucket, *_rest in BUCKET_REQUESTS}
    questions = [
        (buckets[bucket], action, resource, {"kind": "resource", "principal": who, "context": context})
        for bucket, who, context, action, resource, _allowed in BUCKET_REQUESTS
    ]
    assert decide(questions) == [allowed for *_rest, allowed in BUCKET_REQUESTS]
