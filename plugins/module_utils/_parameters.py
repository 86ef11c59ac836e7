# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Decides what has to change under one Parameter Store path; pure: no AWS, no clock, no randomness."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field, replace

STRING = "String"
SECURE = "SecureString"

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html, Name and Value
_NAME = re.compile(r"^[A-Za-z0-9_.\-/]+$")
STANDARD_LIMIT = 4096
ADVANCED_LIMIT = 8192
DEPTH_LIMIT = 15
ADVANCED = "Advanced"
DEFAULT_KEY = "alias/aws/ssm"


class ParametersError(ValueError):
    """The wish itself is wrong; the message is one sentence for the user."""


@dataclass(frozen=True)
class Wanted:
    """One parameter as the inventory wants it. Exactly one of value, secret and generate is given."""

    name: str  # full name, below the path
    type: str
    value: str | None = field(default=None, repr=False)  # None: generated once, any existing value is right
    length: int = 0  # characters to generate when value is None
    description: str = ""
    key_id: str = ""  # KMS key of a SecureString; empty: alias/aws/ssm


@dataclass(frozen=True)
class Existing:
    """One parameter as Parameter Store has it. ``value`` of a SecureString is None unless it had to be compared."""

    name: str
    type: str
    version: int
    value: str | None = field(default=None, repr=False)
    description: str = ""
    key_id: str = ""
    arn: str = ""
    tags: dict = field(default_factory=dict)
    tier: str = ""


@dataclass(frozen=True)
class Change:
    """One step: action is create, replace (other type), update, tag or delete."""

    action: str
    name: str
    wanted: Wanted | None = None
    existing: Existing | None = None
    reasons: tuple = ()


def full_name(path: str, name: str) -> str:
    """``/popcon/dev/`` + ``DB_HOST`` -> ``/popcon/dev/DB_HOST``; raises ParametersError for a name AWS would refuse."""
    joined = "/" + "/".join(part for part in (path.strip("/"), name.strip("/")) if part)
    if not name.strip("/") or not _NAME.match(joined):
        raise ParametersError(f"Parameter name '{name}' is not valid: use letters, digits, '_', '.', '-' and '/'.")
    if joined.count("/") > DEPTH_LIMIT:
        raise ParametersError(f"Parameter '{joined}' has more than {DEPTH_LIMIT} levels; shorten the path.")
    if re.match(r"^/(aws|ssm)", joined, re.IGNORECASE):
        raise ParametersError(f"Parameter '{joined}' begins with a prefix reserved by AWS ('aws' or 'ssm'); use another path.")
    return joined


def wanted_from_options(path: str, options: list, key_id: str) -> list:
    """The module's ``parameters`` option as Wanted, in order. All mistakes are found before anything is read from AWS."""
    wanted, seen = [], set()
    if path == "/":
        raise ParametersError("The path '/' is the account's whole Parameter Store; name the application's own path, such as /popcon/dev.")
    for option in options:
        name = full_name(path, option["name"])
        if name in seen:
            raise ParametersError(f"Parameter '{name}' is given twice; keep one of the two.")
        seen.add(name)
        given = [key for key in ("value", "secret", "generate") if option.get(key) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ParametersError(f"Parameter '{name}' needs exactly one of value, secret and generate, and has {found}.")
        kind = given[0]
        value = None if kind == "generate" else option[kind]
        if value is not None and value == "":
            what = "secret: set the environment or vault variable it comes from" if kind == "secret" else "value"
            raise ParametersError(f"Parameter '{name}' has an empty {what}; Parameter Store does not keep empty values.")
        if value is not None and len(value.encode()) > ADVANCED_LIMIT:
            raise ParametersError(f"Parameter '{name}' is longer than {ADVANCED_LIMIT} bytes, the limit of Parameter Store.")
        if kind == "generate" and not 12 <= option["generate"] <= STANDARD_LIMIT:
            raise ParametersError(
                f"Parameter '{name}' asks for {option['generate']} generated characters; give a length from 12 to {STANDARD_LIMIT}."
            )
        wanted.append(
            Wanted(
                name=name,
                type=STRING if kind == "value" else SECURE,
                value=value,
                length=option["generate"] if kind == "generate" else 0,
                description=option.get("description") or "",
                key_id="" if kind == "value" else (option.get("key_id") or key_id or ""),
            )
        )
    return wanted


def needs_decryption(wanted: list, existing: list) -> list:
    """Names whose secret value must be read to be compared: given secrets that exist. Generated ones are never read."""
    secure = {item.name for item in existing if item.type == SECURE}
    return [item.name for item in wanted if item.type == SECURE and item.value is not None and item.name in secure]


def replace_value(item: Existing, value: str) -> Existing:
    """The same parameter with its decrypted value, for comparison only."""
    return replace(item, value=value)


def not_ours(wanted: list, existing: list, purge_only: dict | None) -> list:
    """Names of the unlisted parameters that a purge leaves, because they lack one of the tags ``purge_only``."""
    keep = {item.name for item in wanted}
    needed = {key: str(value) for key, value in (purge_only or {}).items()}
    return [item.name for item in existing if item.name not in keep and not needed.items() <= item.tags.items()]


def decide(wanted: list, existing: list, *, purge: bool, tags: dict | None, purge_only: dict | None = None, same_key=operator.eq) -> list:
    """The changes that lead from existing to wanted, deletions last. A tier or a policy of an existing parameter is left alone.

    ``same_key(one, other)``: whether two spellings are one KMS key.
    """
    have = {item.name: item for item in existing}
    changes = []
    for item in wanted:
        old = have.get(item.name)
        if old is None:
            changes.append(Change("create", item.name, wanted=item))
            continue
        if old.type != item.type:
            # PutParameter refuses to change a type between String and SecureString in place for hierarchical names.
            changes.append(Change("replace", item.name, wanted=item, existing=old, reasons=("type",)))
            continue
        reasons = []
        if item.value is not None and item.value != old.value:
            reasons.append("value")
        if item.value is not None and item.type == SECURE and not same_key(item.key_id or DEFAULT_KEY, old.key_id or DEFAULT_KEY):
            reasons.append("key_id")
        if item.description and item.description != old.description:
            reasons.append("description")
        if reasons and (item.value is not None or reasons == ["description"]):
            changes.append(Change("update", item.name, wanted=item, existing=old, reasons=tuple(reasons)))
        if tags is not None and any(old.tags.get(key) != str(value) for key, value in tags.items()):
            changes.append(Change("tag", item.name, wanted=item, existing=old, reasons=("tags",)))
    if purge:
        keep = {item.name for item in wanted}.union(not_ours(wanted, existing, purge_only))
        changes.extend(Change("delete", item.name, existing=item) for item in existing if item.name not in keep)
    return changes


def tier(value: str, existing: Existing | None = None) -> str:
    """Standard up to 4096 bytes, else Advanced (charged). What is Advanced stays so: AWS refuses to take it back, whatever its length."""
    if existing is not None and existing.tier == ADVANCED:
        return ADVANCED
    return "Standard" if len(value.encode()) <= STANDARD_LIMIT else ADVANCED


def predicted(existing: list, changes: list) -> list:
    """What Parameter Store will hold after the changes, as Existing, sorted by name; secret values stay None."""
    after = {item.name: item for item in existing}
    for change in changes:
        if change.action == "delete":
            after.pop(change.name, None)
            continue
        old, new = change.existing, change.wanted
        version = {"create": 1, "replace": 1, "tag": old.version if old else 1}.get(change.action, (old.version if old else 0) + 1)
        after[change.name] = Existing(
            name=new.name,
            type=new.type,
            version=version if change.action != "tag" else after[change.name].version,
            value=new.value if new.type == STRING else None,
            description=new.description or (old.description if old else ""),
            key_id=new.key_id or (old.key_id if old else ""),
            arn=old.arn if old else "",
            tags=dict(old.tags) if old else {},
        )
    return sorted(after.values(), key=lambda item: item.name)


def shown(item: Existing) -> dict:
    """One parameter as modules return it: a SecureString never with its value."""
    result = {"name": item.name, "type": item.type, "version": item.version, "description": item.description, "arn": item.arn}
    if item.type == SECURE:
        result["key_id"] = item.key_id or DEFAULT_KEY
    else:
        result["value"] = item.value
    return result


def diff_text(items: list, changes: list, *, after: bool) -> str:
    """One line a parameter for ``--diff``: a String with its value, a SecureString with words that tell only whether it changes."""
    verbs = {change.name: change for change in changes if change.action != "tag"}
    lines = []
    for item in sorted(items, key=lambda one: one.name):
        if item.type != SECURE:
            lines.append(f"{item.name} = {item.value}")
            continue
        change = verbs.get(item.name)
        words = f"(SecureString, version {item.version})"
        if after and change is not None:
            words = f"(SecureString, version {item.version}, new {' and '.join(change.reasons) or 'secret'})"
        lines.append(f"{item.name} = {words}")
    return "".join(line + "\n" for line in lines)
