# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Parameter Store and the registry's login through botocore, with the instance's role; nothing else of a release talks to AWS."""

from __future__ import annotations

import base64
import os

from .._compose import images
from .._compose.errors import InvalidInput
from .._iam import denials

try:
    import botocore.config
    import botocore.exceptions
    import botocore.session
    import botocore.utils

    FAILURES = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)
    HAS_BOTOCORE = True
except ImportError:
    FAILURES = ()  # type: ignore[assignment]
    HAS_BOTOCORE = False

_NAMES_A_CALL = 10  # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html

_REMEDIES = {
    "NoSuchBucket": "Create the bucket (role deploy_bucket), or correct its name.",
    "NoSuchKey": "Run playbooks/deploy.yml, which writes it again.",
    "NoSuchVersion": "Run playbooks/deploy.yml, which writes it again.",
    "NoCredentialsError": "Attach an instance profile, or give credentials in the environment.",
    "NoRegionError": "Give region, or set AWS_REGION.",
    "EndpointConnectionError": "Check the instance's route to AWS and AWS_ENDPOINT_URL.",
    "ConnectTimeoutError": "Check the instance's route to AWS (NAT gateway or interface endpoint).",
}


def _code(exc) -> str:
    response = getattr(exc, "response", None)
    return response.get("Error", {}).get("Code", "") if isinstance(response, dict) else type(exc).__name__


def failure(attempt: str, exc) -> InvalidInput:
    """``Failed to <attempt>: <AWS's words>. <remedy>``"""
    words, code = str(exc).rstrip("."), _code(exc)
    remedy = denials.remedy(words, "the instance role's policy") if code in denials.CODES else _REMEDIES.get(code, "")
    return InvalidInput(f"Failed to {attempt}: {words}. {remedy}".strip())


def make_client(service: str, region: str, endpoint_url: str):
    """A botocore client. Without a region anywhere the instance's own is used."""
    if not HAS_BOTOCORE:
        raise InvalidInput(
            "Cannot reach AWS: this instance's Python has no botocore. Install it (Debian: python3-boto3, Amazon Linux: python3-boto3)."
        )
    session = botocore.session.get_session()
    config = botocore.config.Config(retries={"mode": "adaptive", "max_attempts": 10}, connect_timeout=10, read_timeout=30)
    try:
        where = (
            region
            or session.get_config_variable("region")
            or _environment_region()
            or botocore.utils.InstanceMetadataRegionFetcher().retrieve_region()
        )
        return session.create_client(service, region_name=where, endpoint_url=endpoint_url or None, config=config)
    except FAILURES as exc:
        raise failure(f"prepare calls to {service}", exc) from exc


def _environment_region() -> str:
    """botocore reads AWS_DEFAULT_REGION only; the other SDKs, and the instance's agent, set AWS_REGION."""
    return os.environ.get("AWS_REGION", "")


def read_parameters(client, path: str) -> tuple:
    """(value by full name, set of names that are SecureString) below ``path``, all pages, decrypted."""
    values: dict = {}
    secret: set = set()
    try:
        pages = client.get_paginator("get_parameters_by_path").paginate(Path=path.rstrip("/") or "/", Recursive=True, WithDecryption=True)
        for page in pages:
            for item in page["Parameters"]:
                values[item["Name"]] = item["Value"]
                if item["Type"] == "SecureString":
                    secret.add(item["Name"])
    except FAILURES as exc:
        raise failure(f"read the parameters below {path}", exc) from exc
    if not values:
        raise InvalidInput(
            f"Cannot write .env: there are no parameters below {path}. Check the path, the region and the role's ssm:GetParametersByPath."
        )
    return values, secret


def read_named_parameters(client, names: list) -> tuple:
    """(value by full name, set of names that are SecureString) of these parameters, decrypted; InvalidInput names every missing one."""
    values: dict = {}
    secret: set = set()
    missing: list = []
    wanted = sorted(set(names))
    for start in range(0, len(wanted), _NAMES_A_CALL):
        try:
            answer = client.get_parameters(Names=wanted[start : start + _NAMES_A_CALL], WithDecryption=True)
        except FAILURES as exc:
            raise failure(f"read the parameters {', '.join(wanted)}", exc) from exc
        missing += answer.get("InvalidParameters", [])
        for item in answer["Parameters"]:
            values[item["Name"]] = item["Value"]
            if item["Type"] == "SecureString":
                secret.add(item["Name"])
    if missing:
        raise InvalidInput(
            f"Parameter Store has no {', '.join(sorted(missing))}. "
            "Create what is missing, or correct its name and the region. Nothing was changed."
        )
    return values, secret


def registry_logins(client, references: list) -> list:
    """(host, user, password) for the account's own registry, and for each other ECR registry among the references."""
    try:
        data = client.get_authorization_token()["authorizationData"][0]
    except FAILURES as exc:
        raise failure("get a login for the registry", exc) from exc
    user, _colon, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    hosts = [data["proxyEndpoint"].partition("://")[2].rstrip("/")]
    for reference in references:
        host = images.registry_host(reference)
        if ".dkr.ecr." in host and host not in hosts:
            hosts.append(host)
    return [(host, user, password) for host in hosts]
