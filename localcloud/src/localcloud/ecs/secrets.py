# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a container's `secrets`, from Parameter Store and Secrets Manager, as its execution role may read them."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from .errors import resource_init
from .state import Members

Call = t.Callable[[str, str, Members], t.Awaitable[Members]]
Denial = t.Callable[[str, str], str | None]
"""(action, resource) → why the execution role may not, or None."""

_PREFIX = "unable to pull secrets or registry auth: execution resource retrieval failed:"


@dataclasses.dataclass(frozen=True)
class Reference:
    """Where a value is: `store` is `ssm` or `secretsmanager`. `key`, `stage` and `version` are for Secrets Manager alone.

    `other_name` is the second name that a parameter's ARN can mean: `…:parameter/a` is that of `a` and of `/a`.
    """

    store: str
    name: str
    key: str = ""
    stage: str = ""
    version: str = ""
    other_name: str = ""


def parse(value_from: str) -> Reference:
    """What `valueFrom` refers to: a parameter's name or ARN, or a secret's ARN with `:key:stage:version` after it."""
    if value_from.startswith("arn:aws:secretsmanager:"):
        parts = value_from.split(":")
        key, stage, version = [*parts[7:], "", "", ""][:3]
        return Reference("secretsmanager", ":".join(parts[:7]), key, stage, version)
    found = re.fullmatch(r"arn:aws:ssm:[a-z0-9-]+:\d{12}:parameter(/.*)", value_from)
    if not found:
        return Reference("ssm", value_from)
    name = found[1]
    return Reference("ssm", name) if name.count("/") > 1 else Reference("ssm", name[1:], other_name=name)


class Secrets:
    """Reads secrets through the API's own handlers. `call(service, operation, members)` raises an exception with `code` and `message`."""

    def __init__(self, call: Call, failed: type[Exception], account_id: str, region: str) -> None:
        self._call = call
        self._failed = failed
        self._account_id = account_id
        self._region = region

    async def values(self, wanted: list[Members], denial: Denial) -> dict[str, str]:
        """Name of an environment variable → its value. Raises StartFailed with ECS's sentence."""
        values: dict[str, str] = {}
        for item in wanted:
            reference = parse(item["valueFrom"])
            values[item["name"]] = await (self._parameter if reference.store == "ssm" else self._secret)(reference, denial)
        return values

    async def _parameter(self, reference: Reference, denial: Denial) -> str:
        where = f"{_PREFIX} unable to retrieve secrets from ssm:"
        arn = f"arn:aws:ssm:{self._region}:{self._account_id}:parameter/{reference.name.lstrip('/')}"
        if (refusal := denial("ssm:GetParameters", arn)) is not None:
            raise resource_init(f"{where} service call has been retried 1 time(s): AccessDeniedException: {refusal}")
        names = [name for name in (reference.name, reference.other_name) if name]
        answer = await self._ask("ssm", "GetParameters", {"Names": names, "WithDecryption": True}, where)
        if not answer.get("Parameters"):
            raise resource_init(f"{where} service call has been retried 1 time(s): invalid parameters: {reference.name}")
        return str(answer["Parameters"][0]["Value"])

    async def _secret(self, reference: Reference, denial: Denial) -> str:
        where = f"{_PREFIX} unable to retrieve secret from asm:"
        if (refusal := denial("secretsmanager:GetSecretValue", reference.name)) is not None:
            raise resource_init(f"{where} service call has been retried 1 time(s): AccessDeniedException: {refusal}")
        members = {"SecretId": reference.name}
        if reference.stage:
            members["VersionStage"] = reference.stage
        if reference.version:
            members["VersionId"] = reference.version
        fetch = f"{where} service call has been retried 1 time(s): failed to fetch secret {reference.name} from secrets manager:"
        answer = await self._ask("secretsmanager", "GetSecretValue", members, fetch)
        text = answer.get("SecretString")
        if text is None:
            raise resource_init(f"{where} secret {reference.name} has no string value")
        if not reference.key:
            return str(text)
        try:
            document = json.loads(text)
        except ValueError:
            raise resource_init(f"{where} invalid character in secret {reference.name}: it is not JSON") from None
        if not isinstance(document, dict) or reference.key not in document:
            raise resource_init(f"{where} retrieved secret from Secrets Manager did not contain json key {reference.key}")
        value = document[reference.key]
        return value if isinstance(value, str) else json.dumps(value)

    async def _ask(self, service: str, operation: str, members: Members, where: str) -> Members:
        try:
            return await self._call(service, operation, members)
        except self._failed as error:
            raise resource_init(f"{where} {error}") from error
