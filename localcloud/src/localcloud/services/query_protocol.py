# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's query protocol, driven by botocore's service model: a form becomes members, members become XML; pure.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

import base64
import datetime
import functools
import typing as t
import urllib.parse
import uuid
import xml.etree.ElementTree as ElementTree

import botocore.loaders
import botocore.model

Members = dict[str, t.Any]
Response = tuple[int, dict[str, str], bytes]
_HEADERS = {"Content-Type": "text/xml"}


class ApiError(Exception):
    """An error of the API; `code` is one that the service's model documents."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@functools.cache
def service_model(service: str) -> botocore.model.ServiceModel:
    """Botocore's description of a service, by botocore's name of it."""
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)


def form_of(body: bytes, query_params: dict[str, list[str]]) -> dict[str, str]:
    """The flat names and values of a request: from its body, or from its query string."""
    pairs = urllib.parse.parse_qs(body.decode(errors="replace"), keep_blank_values=True) or query_params
    return {name: values[0] for name, values in pairs.items() if values}


# -- requests


def parse(operation: botocore.model.OperationModel, form: dict[str, str], *, required: bool = True) -> Members:
    """The members of a request as botocore's caller gave them. Raises ApiError when one is of another type or, with `required`, missing.

    An empty list, which the protocol sends as an empty value, is an empty list; members that the model does not know are left out.
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    found = _structure_in(shape, form, "")
    if required:
        _required_in(shape, found, "")
    return found


def _structure_in(shape: t.Any, form: dict[str, str], prefix: str) -> Members:
    found: Members = {}
    for name, member in shape.members.items():
        path = f"{prefix}{member.serialization.get('name', name)}"
        value = _value_in(member, form, path)
        if value is not None:
            found[name] = value
    return found


def _required_in(shape: t.Any, value: t.Any, path: str) -> None:
    if shape.type_name == "list":
        for number, item in enumerate(value, 1):
            _required_in(shape.member, item, f"{path}{number}.")
    if shape.type_name != "structure":
        return
    for name in shape.required_members:
        if name not in value:
            raise ApiError("MissingParameter", f"The request must contain the parameter {path}{name}")
    for name, item in value.items():
        _required_in(shape.members[name], item, f"{path}{name}.")


def _value_in(shape: t.Any, form: dict[str, str], path: str) -> t.Any:
    if shape.type_name == "structure":
        inside = _below(form, path)
        return _structure_in(shape, form, f"{path}.") if inside else None
    if shape.type_name == "list":
        return _list_in(shape, form, path)
    if shape.type_name == "map":
        return _map_in(shape, form, path)
    return _scalar_in(shape, form[path], path) if path in form else None


def _list_in(shape: t.Any, form: dict[str, str], path: str) -> list[t.Any] | None:
    item = path if shape.serialization.get("flattened") else f"{path}.{shape.member.serialization.get('name', 'member')}"
    numbers = _numbers(form, item)
    if not numbers:
        return [] if path in form else None
    return [_value_in(shape.member, form, f"{item}.{number}") for number in numbers]


def _map_in(shape: t.Any, form: dict[str, str], path: str) -> Members | None:
    entry = path if shape.serialization.get("flattened") else f"{path}.entry"
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    numbers = _numbers(form, entry)
    if not numbers:
        return {} if path in form else None
    return {form[f"{entry}.{number}.{key}"]: _value_in(shape.value, form, f"{entry}.{number}.{value}") for number in numbers}


def _below(form: dict[str, str], path: str) -> list[str]:
    return [name for name in form if name.startswith(f"{path}.")]


def _numbers(form: dict[str, str], path: str) -> list[int]:
    words = {name[len(path) + 1 :].partition(".")[0] for name in _below(form, path)}
    return sorted(int(word) for word in words if word.isdigit())


def _scalar_in(shape: t.Any, text: str, path: str) -> t.Any:
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "timestamp":
                return datetime.datetime.fromisoformat(text)
            case "blob":
                return base64.b64decode(text)
            case _:
                return text
    except (ValueError, KeyError):
        raise ApiError("InvalidParameterValue", f"The value '{text}' of {path} is not of the type {shape.type_name}") from None


# -- answers


def render(operation: botocore.model.OperationModel, members: Members) -> Response:
    """The answer of a call that succeeded. Raises KeyError for a member that the model does not have: a bug of the caller."""
    namespace = operation.service_model.metadata["xmlNamespace"]
    root = ElementTree.Element(f"{operation.name}Response", {"xmlns": namespace})
    shape = operation.output_shape
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper")
        _structure_out(shape, members, ElementTree.SubElement(root, wrapper) if wrapper else root)
    ElementTree.SubElement(ElementTree.SubElement(root, "ResponseMetadata"), "RequestId").text = str(uuid.uuid4())
    return 200, dict(_HEADERS), ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def render_error(error: ApiError, namespace: str) -> Response:
    """The answer of a call that failed."""
    root = ElementTree.Element("ErrorResponse", {"xmlns": namespace})
    inner = ElementTree.SubElement(root, "Error")
    kind = "Sender" if error.status < 500 else "Receiver"
    for name, text in (("Type", kind), ("Code", error.code), ("Message", error.message)):
        ElementTree.SubElement(inner, name).text = text
    ElementTree.SubElement(root, "RequestId").text = str(uuid.uuid4())
    return error.status, dict(_HEADERS), ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _structure_out(shape: t.Any, members: Members, parent: ElementTree.Element) -> None:
    for name, value in members.items():
        if value is not None:
            member = shape.members[name]
            _value_out(member, value, parent, member.serialization.get("name", name))


def _value_out(shape: t.Any, value: t.Any, parent: ElementTree.Element, tag: str) -> None:
    if shape.type_name == "list":
        flat = shape.serialization.get("flattened")
        outer = parent if flat else ElementTree.SubElement(parent, tag)
        for item in value:
            _value_out(shape.member, item, outer, tag if flat else shape.member.serialization.get("name", "member"))
        return
    element = ElementTree.SubElement(parent, tag)
    if shape.type_name == "structure":
        _structure_out(shape, value, element)
    elif shape.type_name == "map":
        for key, item in value.items():
            entry = ElementTree.SubElement(element, "entry")
            _value_out(shape.key, key, entry, shape.key.serialization.get("name", "key"))
            _value_out(shape.value, item, entry, shape.value.serialization.get("name", "value"))
    else:
        element.text = _text(shape, value)


def _text(shape: t.Any, value: t.Any) -> str:
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        case "blob":
            return base64.b64encode(value).decode()
        case _:
            return str(value)
