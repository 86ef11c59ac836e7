# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For every secret of every system: which roles of all systems can read it, by any of Parameter Store's calls."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.case("A2")

REGION, ACCOUNT = "ap-northeast-2", "111111111111"
TOKEN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/chat/dev/TOKEN"
VAULT = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:chat-dev-AbCdEf"
# Everything that can be switched on and has a secret.
SWITCHED_ON = {
    "wealist": {"monitoring_discord": True, "monitoring_deadman": True, "monitoring_grafana_image": "grafana/grafana:12.2.0"},
    "chat": {"ecs_app_secrets": {"TOKEN": TOKEN, "PASSWORD": f"{VAULT}:password::"}},
}
BACKEND, MONITORING = "wealist-prod-ec2-role", "wealist-prod-monitoring-ec2-role"
# Parameter -> roles that read it. Nobody reads a neighbour's, or what only the controller needs.
PARAMETERS = {
    **{f"/popcon/dev/{name}": {"popcon-dev"} for name in ("DB_USERNAME", "DB_PASSWORD", "DB_ROOT_PASSWORD")},
    **{f"/popcon/prod/{name}": {"popcon-prod"} for name in ("DB_USERNAME", "DB_PASSWORD", "DB_ROOT_PASSWORD")},
    "/popcon/dev2/DB_PASSWORD": set(),
    "/popcon/DB_PASSWORD": set(),
    "/wealist/prod/db/postgres_superuser_password": {MONITORING},
    "/wealist/prod/db/user_db_password": {BACKEND, MONITORING},
    "/wealist/prod/db/board_db_password": {BACKEND, MONITORING},
    "/wealist/prod2/db/user_db_password": set(),
    "/wealist/prod/db/user_db_password2": set(),
    **{
        f"/bluegreen/wealist/prod/monitoring/{name}": {MONITORING}
        for name in ("DISCORD_WEBHOOK_URL", "DEADMAN_URL", "GRAFANA_ADMIN_PASSWORD")
    },
    "/bluegreen/wealist/prod/monitoring2/DISCORD_WEBHOOK_URL": set(),
    "/bluegreen/wealist/prod/lock": set(),
    "/bluegreen/chat/dev/rollout": set(),
    "/chat/dev/TOKEN": {"chat-dev-execution"},
    "/chat/dev/TOKEN2": set(),
    "/chat/dev2/TOKEN": set(),
    "/other/prod/password": set(),
}


def readings(name):
    """Each (action, resource) that shows the parameter.

    Who may ask for a path gets all that is below it, whatever a policy denies there.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
    """
    root = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
    parts = name.strip("/").split("/")
    above = ["/" + "/".join(parts[:depth]) for depth in range(len(parts))]
    single = [(action, root + name) for action in ("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParameterHistory")]
    paths = {root + path for path in above} | {f"{root}{path.rstrip('/')}/" for path in above}
    return single + [("ssm:GetParametersByPath", path) for path in sorted(paths)]


@pytest.fixture(scope="module")
def policies(render):
    return {name: policy for one in render(**SWITCHED_ON).values() for name, policy in one.policies().items()}


@pytest.fixture(scope="module")
def readers(policies, decide):
    """{parameter: names of the roles that can read it}."""
    asked = [(name, role, *reading) for name in PARAMETERS for role in policies for reading in readings(name)]
    decided = decide([(policies[role], action, resource) for _name, role, action, resource in asked])
    found = {name: set() for name in PARAMETERS}
    for (name, role, *_reading), allowed in zip(asked, decided, strict=True):
        if allowed:
            found[name].add(role)
    return found


@pytest.mark.parametrize("name", PARAMETERS)
def test_who_reads_a_parameter(readers, name):
    assert readers[name] == PARAMETERS[name]


def test_every_role_is_asked(policies):
    expected = {"popcon-dev", "popcon-prod", BACKEND, MONITORING, "chat-dev-execution", "chat-dev-task"}
    assert set(policies) == expected


def test_a_path_shows_what_is_below_it_even_where_a_policy_denies_that(decide):
    """So a role that must not read one of them is given names, not the path."""
    secret = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/wealist/prod/db/postgres_superuser_password"
    path = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/wealist/prod"
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "ssm:GetParametersByPath", "Resource": [path, f"{path}/*"]},
            {"Effect": "Deny", "Action": "ssm:*", "Resource": secret},
        ]
    }
    asked = readings("/wealist/prod/db/postgres_superuser_password")
    assert [resource for (_action, resource), yes in zip(asked, decide([(policy, *one) for one in asked]), strict=True) if yes] == [
        path, f"{path}/", f"{path}/db", f"{path}/db/"
    ]  # fmt: skip


def test_who_reads_a_secret_of_secrets_manager(policies, decide):
    roles = sorted(policies)
    own = decide([(policies[role], "secretsmanager:GetSecretValue", VAULT) for role in roles])
    others = decide([(policies[role], "secretsmanager:GetSecretValue", f"{VAULT[:-6]}2-AbCdEf") for role in roles])
    assert [role for role, yes in zip(roles, own, strict=True) if yes] == ["chat-dev-execution"]
    assert not any(others)
