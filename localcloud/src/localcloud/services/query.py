# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The query protocol both ways, driven by botocore's service model: forms to members, members to XML, errors; no service logic."""

from __future__ import annotations

import datetime
import html
import re
import typing as t
import uuid

from botocore.model import ListShape, OperationModel, Shape, StructureShape

Members = dict[str, t.Any]
Response = tuple[int, dict[str, str], bytes]

_HEADERS = {"Content-Type": "text/xml"}


class ApiError(Exception):
    """An error that the API answers with: its code, its message and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def members_of(operation: OperationModel, form: dict[str, list[str]]) -> Members:
    """The members of a request; ApiError `ValidationError` when they break a constraint of the model."""
    tree: dict[str, t.Any] = {}
    for name, values in form.items():
        if name in ("Action", "Version"):
            continue
        node = tree
        *path, last = name.split(".")
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise ApiError("MalformedQueryString", f"The member {name} is given as a value and as a structure.")
        node[last] = values[0]
    return _read(operation.input_shape, tree, "") if operation.input_shape is not None else {}


def _read(shape: Shape, node: t.Any, where: str) -> t.Any:
    if isinstance(shape, StructureShape):
        members = {}
        for name, member in shape.members.items():
            found = (node if isinstance(node, dict) else {}).get(member.serialization.get("name", name))
            if found is not None:
                members[name] = _read(member, found, f"{where}.{_lower(name)}".lstrip("."))
            elif name in shape.required_members:
                raise _invalid(None, f"{where}.{_lower(name)}".lstrip("."), "Member must not be null")
        return members
    if isinstance(shape, ListShape):
        items = node.get("member", {}) if isinstance(node, dict) else {}
        ordered = sorted(items.items(), key=lambda item: int(item[0]) if item[0].isdigit() else 0)
        return [_read(shape.member, value, f"{where}.{number}.member") for number, (_, value) in enumerate(ordered, 1)]
    return _scalar(shape, str(node), where)


def _scalar(shape: Shape, text: str, where: str) -> t.Any:
    limits = shape.metadata
    if shape.type_name in ("integer", "long"):
        if not re.fullmatch(r"-?\d+", text):
            raise ApiError("ValidationError", f"'{text}' at '{where}' is not an integer.")
        number = int(text)
        if "min" in limits and number < limits["min"]:
            raise _invalid(text, where, f"Member must have value greater than or equal to {limits['min']}")
        if "max" in limits and number > limits["max"]:
            raise _invalid(text, where, f"Member must have value less than or equal to {limits['max']}")
        return number
    if shape.type_name == "boolean":
        return text.lower() == "true"
    if "enum" in limits and text not in limits["enum"]:
        raise _invalid(text, where, f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]")
    if "max" in limits and len(text) > limits["max"]:
        raise _invalid(text, where, f"Member must have length less than or equal to {limits['max']}")
    if "min" in limits and len(text) < limits["min"]:
        raise _invalid(text, where, f"Member must have length greater than or equal to {limits['min']}")
    return text


def _invalid(value: str | None, where: str, constraint: str) -> ApiError:
    shown = "null" if value is None else f"'{value}'"
    return ApiError(
        "ValidationError", f"1 validation error detected: Value {shown} at '{where}' failed to satisfy constraint: {constraint}"
    )


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def answer(operation: OperationModel, members: Members) -> Response:
    """The answer that carries these members; None stands for a member that is left out."""
    request_id = uuid.uuid4()
    shape = operation.output_shape
    inner = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
        inner = f"<{wrapper}>{_write(shape, members)}</{wrapper}>"
    name, namespace = f"{operation.name}Response", operation.service_model.metadata["xmlNamespace"]
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    text = f'<{name} xmlns="{namespace}">{inner}{metadata}</{name}>'
    return 200, {**_HEADERS, "x-amzn-RequestId": str(request_id)}, text.encode()


def refusal(problem: ApiError, namespace: str) -> Response:
    """The answer for an error."""
    request_id = uuid.uuid4()
    kind = "Sender" if problem.status < 500 else "Receiver"
    message = html.escape(str(problem), quote=False)
    text = (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{kind}</Type><Code>{problem.code}</Code><Message>{message}</Message></Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return problem.status, {**_HEADERS, "x-amzn-RequestId": str(request_id)}, text.encode()


def _write(shape: Shape, value: t.Any) -> str:
    if isinstance(shape, StructureShape):
        written = ""
        for name, member in shape.members.items():
            if value.get(name) is not None:
                tag = member.serialization.get("name", name)
                written += f"<{tag}>{_write(member, value[name])}</{tag}>"
        return written
    if isinstance(shape, ListShape):
        return "".join(f"<member>{_write(shape.member, item)}</member>" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return html.escape(str(value), quote=False)
