# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `valueFrom` means, and what a task is told when its value cannot be had."""

from __future__ import annotations

import asyncio
import typing as t

import pytest

from localcloud.ecs.errors import StartFailed
from localcloud.ecs.secrets import Reference, Secrets, parse

SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:db-AbCdEf"
PARAMETER = "arn:aws:ssm:ap-northeast-2:123456789012:parameter"
PREFIX = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:"


@pytest.mark.parametrize(
    ("value_from", "reference"),
    [
        ("/a/b", Reference("ssm", "/a/b")),
        ("a", Reference("ssm", "a")),
        (f"{PARAMETER}/a/b", Reference("ssm", "/a/b")),
        (f"{PARAMETER}/a", Reference("ssm", "a", other_name="/a")),
        (SECRET, Reference("secretsmanager", SECRET)),
        (f"{SECRET}:password::", Reference("secretsmanager", SECRET, "password")),
        (f"{SECRET}:password:AWSPREVIOUS:", Reference("secretsmanager", SECRET, "password", "AWSPREVIOUS")),
        (f"{SECRET}:::v1", Reference("secretsmanager", SECRET, version="v1")),
    ],
)
def test_parse(value_from: str, reference: Reference) -> None:
    assert parse(value_from) == reference


class Failed(Exception):
    """What a call raises."""


async def _call(service: str, operation: str, members: dict[str, t.Any]) -> dict[str, t.Any]:
    if service == "ssm":
        assert members["WithDecryption"] is True
        return {"Parameters": [{"Value": "decrypted"}] if "/known" in members["Names"] else []}
    if members["SecretId"] != SECRET:
        raise Failed("ResourceNotFoundException: Secrets Manager can't find the specified secret.")
    return {"SecretString": '{"password": "p", "port": 5432}'}


def _values(value_from: str, denial: str | None = None) -> str:
    secrets = Secrets(_call, Failed, "123456789012", "ap-northeast-2")
    return asyncio.run(secrets.values([{"name": "A", "valueFrom": value_from}], lambda action, resource: denial))["A"]


@pytest.mark.parametrize(
    ("value_from", "value"),
    [
        ("/known", "decrypted"),
        (f"{PARAMETER}/known", "decrypted"),
        (SECRET, '{"password": "p", "port": 5432}'),
        (f"{SECRET}:password::", "p"),
        (f"{SECRET}:port::", "5432"),
    ],
)
def test_values(value_from: str, value: str) -> None:
    assert _values(value_from) == value


@pytest.mark.parametrize(
    ("value_from", "denial", "says"),
    [
        (
            "/none",
            None,
            f"{PREFIX} unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: /none",
        ),
        (
            "/known",
            "no",
            f"{PREFIX} unable to retrieve secrets from ssm: service call has been retried 1 time(s): AccessDeniedException: no",
        ),
        (
            f"{SECRET}:user::",
            None,
            f"{PREFIX} unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain json key user",
        ),
        (SECRET, "no", f"{PREFIX} unable to retrieve secret from asm: service call has been retried 1 time(s): AccessDeniedException: no"),
        (
            f"{SECRET}x",
            None,
            f"{PREFIX} unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret {SECRET}x from "
            "secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        ),
    ],
)
def test_refusals(value_from: str, denial: str | None, says: str) -> None:
    with pytest.raises(StartFailed) as caught:
        _values(value_from, denial)
    assert caught.value.reason == says
