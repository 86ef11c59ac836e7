# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares decoded values with botocore's shapes: scalars, enums, and the members of JSON documents; knows no HTTP and no XML."""

from __future__ import annotations

import base64
import binascii
import datetime
import email.utils
import math
import re
import typing as t

from botocore.model import Shape

Problems = list[str]

_ISO8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)")
ALSO_GIVEN = {
    # "For an internet gateway, the state is `available` when attached to a VPC" (API_InternetGatewayAttachment), against the model's enum.
    "AttachmentStatus": ("available",),
}
"""Values that AWS documents and gives although its model's enum does not have them: shape -> values."""

_LIMITS = {"integer": 2**31, "long": 2**63}


def json_value(shape: Shape, value: t.Any, path: str) -> Problems:
    """What is wrong with a value of a JSON answer."""
    if value is None:
        return [f"{path} is null; AWS leaves such a member out"]
    kind = shape.type_name
    if kind == "structure":
        return json_structure(shape, value, path)
    if kind == "list":
        if not isinstance(value, list):
            return [f"{path} is {type(value).__name__} instead of a list"]
        return [problem for index, member in enumerate(value) for problem in json_value(shape.member, member, f"{path}[{index}]")]
    if kind == "map":
        if not isinstance(value, dict):
            return [f"{path} is {type(value).__name__} instead of a map"]
        keys = [problem for key in value for problem in text_value(shape.key, key, f"{path} key {key!r}")]
        return keys + [problem for key, member in value.items() for problem in json_value(shape.value, member, f"{path}.{key}")]
    return _json_scalar(shape, value, path)


def json_structure(shape: Shape, value: t.Any, path: str, *, without: frozenset[str] = frozenset()) -> Problems:
    """What is wrong with an object; `without` names members that are elsewhere (in HTTP headers)."""
    if shape.metadata.get("document") or getattr(shape, "is_document_type", False):
        return []
    if not isinstance(value, dict):
        return [f"{path} is {type(value).__name__} instead of an object"]
    names = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items() if name not in without}
    problems = [f"{path}.{name} is not a member of {shape.name}" for name in value if name not in names]
    for wire_name, (name, member) in names.items():
        if wire_name in value:
            problems += json_value(member, value[wire_name], f"{path}.{wire_name}")
        elif name in shape.required_members:
            problems.append(f"{path}.{wire_name} is missing; {shape.name} requires it")
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        problems.append(f"{path} is a union and has {len(value)} members instead of one")
    return problems


def _json_scalar(shape: Shape, value: t.Any, path: str) -> Problems:
    kind = shape.type_name
    if kind in ("integer", "long"):
        if isinstance(value, bool) or not isinstance(value, int):
            return [f"{path} is {value!r} instead of an integer"]
        return _in_limits(kind, value, path)
    if kind in ("float", "double"):
        return [] if isinstance(value, (int, float)) and not isinstance(value, bool) else [f"{path} is {value!r} instead of a number"]
    if kind == "boolean":
        return [] if isinstance(value, bool) else [f"{path} is {value!r} instead of a boolean"]
    if kind == "timestamp":
        return _json_timestamp(shape, value, path)
    return text_value(shape, value, path)


def _json_timestamp(shape: Shape, value: t.Any, path: str) -> Problems:
    wanted = shape.serialization.get("timestampFormat", "unixTimestamp")
    if wanted != "unixTimestamp":
        return text_timestamp(value, path, wanted)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return [f"{path} is {value!r} instead of seconds since the epoch"]
    if value > 32503680000:  # the year 3000: these were milliseconds
        return [f"{path} is {value!r}, which is too large for seconds since the epoch"]
    return []


def text_value(shape: Shape, value: t.Any, path: str) -> Problems:
    """What is wrong with a scalar that arrived as text (XML, a header, a map's key, or JSON's strings)."""
    if not isinstance(value, str):
        return [f"{path} is {value!r} instead of text"]
    kind = shape.type_name
    if kind in ("integer", "long"):
        return _in_limits(kind, int(value), path) if re.fullmatch(r"-?\d+", value) else [f"{path} is {value!r} instead of an integer"]
    if kind in ("float", "double"):
        return [] if _is_number(value) else [f"{path} is {value!r} instead of a number"]
    if kind == "boolean":
        return [] if value in ("true", "false") else [f"{path} is {value!r} instead of true or false"]
    if kind == "timestamp":
        return text_timestamp(value, path, shape.serialization.get("timestampFormat", "iso8601"))
    if kind == "blob":
        return _blob(value, path)
    enum = getattr(shape, "enum", None)
    if enum and value not in enum and value not in ALSO_GIVEN.get(shape.name, ()):
        return [f"{path} is {value!r}, which is not one of {shape.name}'s values: {', '.join(enum)}"]
    return []


def text_timestamp(value: t.Any, path: str, wanted: str) -> Problems:
    """What is wrong with a time in one of AWS's text formats."""
    text = value if isinstance(value, str) else ""
    if wanted == "unixTimestamp":
        return [] if _is_number(text) else [f"{path} is {value!r} instead of seconds since the epoch"]
    if wanted == "rfc822":
        try:
            email.utils.parsedate_to_datetime(text)
        except ValueError:
            return [f"{path} is {value!r} instead of a time of RFC 822"]
        return []
    if not _ISO8601.fullmatch(text):
        return [f"{path} is {value!r} instead of a time of ISO 8601 with its zone"]
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError as error:
        return [f"{path} is {value!r}, which is no time: {error}"]
    return []


def _blob(value: str, path: str) -> Problems:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return [f"{path} is not base64"]
    return []


def _in_limits(kind: str, value: int, path: str) -> Problems:
    limit = _LIMITS[kind]
    return [] if -limit <= value < limit else [f"{path} is {value}, which does not fit into {kind}"]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
