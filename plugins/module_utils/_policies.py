# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The IAM policy of an instance or a task, from what it is given to read, pull and write; pure, and the only place that writes ARNs for it.

A name in a policy ends where it ends, or at a separator: `/shop/dev` and `/shop/dev/*`, never `/shop/dev*`, which is also `/shop/dev2`.
"""

from __future__ import annotations

# What an agent needs for sessions alone. AmazonSSMManagedInstanceCore has ssm:GetParameter(s) on everything besides.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
_AGENT = {
    "Sid": "ConnectAgent",
    "Effect": "Allow",
    "Action": [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ],
    "Resource": "*",
}
_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_NAMED = ["ssm:GetParameter", "ssm:GetParameters"]


class PolicyError(ValueError):
    """What was given makes no policy."""


def document(given: dict, region: str) -> dict:
    """The policy of who is given this; a key that is missing or empty gives nothing. Raises PolicyError.

    ``ssm_agent``: true for an instance. ``parameters``: names. ``parameter_paths``: everything below each, on every level.
    ``kms_key``: id, ARN or alias of the key that encrypts these parameters; empty for AWS's own, which needs no permission.
    ``secrets``: as a task definition has them, a parameter's name or ARN, or a secret's ARN. ``repositories``: names in ECR.
    ``bucket`` and ``objects``: keys in it, with `*` at the end of a folder. ``log_groups``: names. ``auto_scaling_groups``: names of
    those whose lifecycle hook it completes. ``statements``: further ones as they are.
    """
    unknown = sorted(set(given) - set(_BUILDERS))
    if unknown:
        raise PolicyError(f"A policy cannot be made of {', '.join(unknown)}; it knows {', '.join(sorted(_BUILDERS))}.")
    statements = [statement for key, build in _BUILDERS.items() if given.get(key) for statement in build(given, region)]
    names = [statement["Sid"] for statement in statements if "Sid" in statement]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PolicyError(f"A policy has each Sid once, and this one has {', '.join(twice)} more often; rename those in statements.")
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list, resources: list, condition: dict | None = None) -> dict:
    found = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return {**found, "Condition": condition} if condition else found


def _agent(given: dict, region: str) -> list:
    return [_AGENT]


def _parameter(name: str, region: str) -> str:
    return f"arn:aws:ssm:{region}:*:parameter/{name.strip('/')}"


def _parameters(given: dict, region: str) -> list:
    return [_allow("ReadParameters", _NAMED, [_parameter(name, region) for name in sorted(set(given["parameters"]))])]


def _paths(given: dict, region: str) -> list:
    """AWS asks about the path as the caller wrote it, with or without a slash at its end."""
    roots = [_root(path, region) for path in sorted(set(given["parameter_paths"]))]
    below = [f"{root}/*" for root in roots]
    both = [arn for root in roots for arn in (root, f"{root}/*")]
    return [_allow("ReadParametersByPath", ["ssm:GetParametersByPath"], both), _allow("ReadParametersBelow", _NAMED, below)]


def _root(path: str, region: str) -> str:
    if not path.strip("/"):
        raise PolicyError("The path / is every parameter of the account; name the path of one system and environment.")
    return _parameter(path, region)


def _decryption(given: dict, region: str) -> list:
    """Parameter Store gives the parameter's ARN to KMS as encryption context, so that the key opens these parameters and no others."""
    names = [_parameter(name, region) for name in sorted(set(given.get("parameters") or []))]
    names += [f"{_root(path, region)}/*" for path in sorted(set(given.get("parameter_paths") or []))]
    if not names:
        return []
    key, condition = given["kms_key"], {"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": names}}
    alias = key.rpartition(":")[2] if ":" in key else key
    if alias.startswith("alias/"):
        key = f"arn:aws:kms:{region}:*:key/*"
        condition["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": [alias]}
    elif not key.startswith("arn:"):
        key = f"arn:aws:kms:{region}:*:key/{key}"
    return [_allow("DecryptParameters", ["kms:Decrypt"], [key], condition)]


def _secrets(given: dict, region: str) -> list:
    """A secret's ARN may go on with a key of its JSON, a stage and a version, which are no part of the resource."""
    parameters, secrets = set(), set()
    for value in given["secrets"]:
        if value.startswith("arn:") and value.split(":")[2] == "secretsmanager":
            secrets.add(":".join(value.split(":")[:7]))
        else:
            parameters.add(value if value.startswith("arn:") else _parameter(value, region))
    found = [_allow("ReadSecretParameters", ["ssm:GetParameters"], sorted(parameters))] if parameters else []
    return found + ([_allow("ReadSecrets", ["secretsmanager:GetSecretValue"], sorted(secrets))] if secrets else [])


def _repositories(given: dict, region: str) -> list:
    names = [f"arn:aws:ecr:{region}:*:repository/{name}" for name in sorted(set(given["repositories"]))]
    return [_allow("RegistryToken", ["ecr:GetAuthorizationToken"], ["*"]), _allow("PullImages", _PULL, names)]


def _objects(given: dict, region: str) -> list:
    """Without the permission to list, S3 says of an object that is missing that it is forbidden. Listing shows names only."""
    bucket = f"arn:aws:s3:::{given['bucket']}"
    keys = [f"{bucket}/{key}" for key in sorted(set(given["objects"]))]
    return [_allow("ReadReleases", ["s3:GetObject", "s3:GetObjectVersion"], keys), _allow("SeeWhatIsMissing", ["s3:ListBucket"], [bucket])]


def _log_groups(given: dict, region: str) -> list:
    names = [f"arn:aws:logs:{region}:*:log-group:{name}:*" for name in sorted(set(given["log_groups"]))]
    return [_allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], names)]


def _hooks(given: dict, region: str) -> list:
    names = [
        f"arn:aws:autoscaling:{region}:*:autoScalingGroup:*:autoScalingGroupName/{name}"
        for name in sorted(set(given["auto_scaling_groups"]))
    ]
    return [_allow("EnterService", ["autoscaling:CompleteLifecycleAction"], names)]


def _statements(given: dict, region: str) -> list:
    return list(given["statements"])


def _nothing(given: dict, region: str) -> list:
    return []


_BUILDERS = {
    "ssm_agent": _agent,
    "parameters": _parameters,
    "parameter_paths": _paths,
    "kms_key": _decryption,
    "secrets": _secrets,
    "repositories": _repositories,
    "bucket": _nothing,  # of the objects
    "objects": _objects,
    "log_groups": _log_groups,
    "auto_scaling_groups": _hooks,
    "statements": _statements,
}
