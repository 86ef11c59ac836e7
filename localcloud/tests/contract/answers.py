# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates one raw HTTP answer for one operation against botocore's service model: envelope, members, types, error codes."""

from __future__ import annotations

import json
import typing as t
import xml.etree.ElementTree as ElementTree

from botocore.model import OperationModel, Shape

from .codes import documented
from .values import Problems, json_structure, text_timestamp, text_value
from .xml_values import local_name, namespace, xml_structure

_XML_TYPES = ("text/xml", "application/xml")


class Answer(t.NamedTuple):
    """One HTTP answer as it came; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def problems_of(operation: OperationModel, answer: Answer) -> Problems:
    """Everything in which the answer departs from the model; empty when it is one that AWS could give."""
    check = _CHECKS[operation.service_model.resolved_protocol]
    try:
        return [f"{operation.name}: {problem}" for problem in check(operation, answer)]
    except ValueError as error:  # json's and ElementTree's errors are both of this kind or wrapped in it below
        return [f"{operation.name}: the body cannot be read: {error}"]


def error_code(operation: OperationModel, answer: Answer) -> str | None:
    """The code of an error answer, None of a good one."""
    if answer.status < 300:
        return None
    if operation.service_model.resolved_protocol in ("json", "rest-json"):
        return _json_error_code(json.loads(answer.body), answer)
    root = _xml(answer.body)
    return next((element.text for element in root.iter() if local_name(element) == "Code"), None)


# -- JSON


def _json(operation: OperationModel, answer: Answer) -> Problems:
    wanted = f"application/x-amz-json-{operation.service_model.metadata['jsonVersion']}"
    problems = [] if answer.content_type == wanted else [f"Content-Type is {answer.content_type!r} instead of {wanted!r}"]
    problems += _request_id(answer)
    if answer.status >= 300:
        return problems + _json_error(operation, answer)
    problems += _status(answer, 200)
    if operation.output_shape is None:
        return problems + ([] if answer.body in (b"", b"{}") else ["there is a body, and the operation has no output"])
    return problems + json_structure(operation.output_shape, json.loads(answer.body), "$")


def _json_error(operation: OperationModel, answer: Answer) -> Problems:
    document = json.loads(answer.body)
    if not isinstance(document, dict):
        return ["the error is not an object"]
    code = _json_error_code(document, answer)
    problems = _error_code(operation, code)
    shape = next((shape for shape in operation.error_shapes if shape.name == code), None)
    message = "Message" if shape is not None and "Message" in shape.members else "message"
    known = {"__type", "code", message, *(shape.members if shape is not None else ())}
    if not document.get(message) and (shape is None or message in shape.members):
        problems.append(f"the error has no {message!r}")
    return problems + [f"the error's member {name!r} is not one of {code}" for name in document if name not in known]


def _json_error_code(document: t.Any, answer: Answer) -> str | None:
    code = document.get("__type") or document.get("code") or answer.headers.get("x-amzn-errortype")
    return code.partition(":")[0].rpartition("#")[2] if isinstance(code, str) else None


# -- XML


def _query(operation: OperationModel, answer: Answer) -> Problems:
    problems = _xml_type(answer)
    root = _xml(answer.body)
    wanted = operation.service_model.metadata["xmlNamespace"]
    if answer.status >= 300:
        return problems + _query_error(operation, root)
    problems += _status(answer, 200) + _name(root, f"{operation.name}Response", "the root")
    if namespace(root) != wanted:
        problems.append(f"the namespace is {namespace(root)!r} instead of {wanted!r}")
    if not any(local_name(element) == "RequestId" and element.text for element in root.findall("{*}ResponseMetadata/*")):
        problems.append("there is no ResponseMetadata/RequestId")
    shape = operation.output_shape
    wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
    others = [local_name(child) for child in root if local_name(child) not in ("ResponseMetadata", wrapper)]
    problems += [f"{name} is beside {wrapper} in the envelope" for name in others]
    if shape is None or wrapper is None:
        return problems
    result = root.find(f"{{*}}{wrapper}")
    if result is None:
        return problems + ([f"there is no {wrapper}"] if shape.members else [])
    return problems + xml_structure(shape, result, "$")


def _query_error(operation: OperationModel, root: ElementTree.Element) -> Problems:
    problems = _name(root, "ErrorResponse", "the root")
    error = root.find("{*}Error")
    if error is None:
        return [*problems, "there is no Error in the envelope"]
    parts = {local_name(child): child.text for child in error}
    if parts.get("Type") not in ("Sender", "Receiver"):
        problems.append(f"the error's Type is {parts.get('Type')!r} instead of Sender or Receiver")
    if not parts.get("Message"):
        problems.append("the error has no Message")
    if root.find("{*}RequestId") is None:
        problems.append("the error has no RequestId")
    return problems + _error_code(operation, parts.get("Code"))


def _ec2(operation: OperationModel, answer: Answer) -> Problems:
    problems = _xml_type(answer)
    root = _xml(answer.body)
    if answer.status >= 300:
        return problems + _ec2_error(operation, root)
    problems += _status(answer, 200) + _name(root, f"{operation.name}Response", "the root")
    wanted = operation.service_model.metadata["xmlNamespace"]
    if namespace(root).rstrip("/") != wanted.rstrip("/"):
        problems.append(f"the namespace is {namespace(root)!r} instead of {wanted!r}")
    if not any(local_name(child) == "requestId" and child.text for child in root):
        problems.append("there is no requestId")
    envelope = frozenset({"requestId"})
    if operation.output_shape is None:
        # EC2 answers operations without output with <return>true</return>.
        return problems + [f"{local_name(child)} is not expected" for child in root if local_name(child) not in ("requestId", "return")]
    return problems + xml_structure(operation.output_shape, root, "$", envelope=envelope)


def _ec2_error(operation: OperationModel, root: ElementTree.Element) -> Problems:
    problems = _name(root, "Response", "the root")
    error = root.find("{*}Errors/{*}Error")
    if error is None:
        return [*problems, "there is no Errors/Error in the envelope"]
    parts = {local_name(child): child.text for child in error}
    if not parts.get("Message"):
        problems.append("the error has no Message")
    if not any(local_name(child).lower() == "requestid" and child.text for child in root):
        problems.append("the error has no RequestID")
    return problems + _error_code(operation, parts.get("Code"))


# -- REST


def _rest(operation: OperationModel, answer: Answer) -> Problems:
    is_xml = operation.service_model.resolved_protocol == "rest-xml"
    if answer.status >= 300:
        return _rest_error(operation, answer, is_xml)
    problems = _status(answer, operation.http.get("responseCode", 200))
    shape = operation.output_shape
    if shape is None:
        return problems
    elsewhere = frozenset(name for name, member in shape.members.items() if member.serialization.get("location"))
    for name in elsewhere:
        problems += _rest_header(shape.members[name], name, answer)
    payload = shape.serialization.get("payload")
    if payload is not None:
        body_shape = shape.members[payload]
        if body_shape.type_name != "structure" or not answer.body:
            return problems
        return problems + _rest_body(body_shape, answer, is_xml, frozenset())
    return problems + (_rest_body(shape, answer, is_xml, elsewhere) if answer.body and len(elsewhere) < len(shape.members) else [])


def _rest_header(member: Shape, name: str, answer: Answer) -> Problems:
    value = answer.headers.get(member.serialization.get("name", name).lower())
    if member.serialization["location"] != "header" or value is None:
        return []
    if member.type_name == "timestamp":
        return text_timestamp(value, f"header {name}", member.serialization.get("timestampFormat", "rfc822"))
    return text_value(member, value, f"header {name}")


def _rest_body(shape: Shape, answer: Answer, is_xml: bool, elsewhere: frozenset[str]) -> Problems:
    if is_xml:
        return _xml_type(answer) + xml_structure(shape, _xml(answer.body), "$")
    wrong = [] if answer.content_type == "application/json" else [f"Content-Type is {answer.content_type!r} instead of 'application/json'"]
    return wrong + json_structure(shape, json.loads(answer.body), "$", without=elsewhere)


def _rest_error(operation: OperationModel, answer: Answer, is_xml: bool) -> Problems:
    if not is_xml:
        return _error_code(operation, _json_error_code(json.loads(answer.body), answer))
    root = _xml(answer.body)
    code = next((element.text for element in root.iter() if local_name(element) == "Code"), None)
    return _error_code(operation, code)


# -- what they have in common


def _status(answer: Answer, wanted: int) -> Problems:
    return [] if answer.status == wanted else [f"the status is {answer.status} instead of {wanted}"]


def _request_id(answer: Answer) -> Problems:
    return [] if answer.headers.get("x-amzn-requestid") else ["there is no x-amzn-RequestId"]


def _xml_type(answer: Answer) -> Problems:
    return [] if answer.content_type in _XML_TYPES else [f"Content-Type is {answer.content_type!r} instead of XML"]


def _name(element: ElementTree.Element, wanted: str, what: str) -> Problems:
    return [] if local_name(element) == wanted else [f"{what} is {local_name(element)} instead of {wanted}"]


def _error_code(operation: OperationModel, code: str | None) -> Problems:
    if not code:
        return ["the error has no code"]
    if code in documented(operation):
        return []
    return [f"the error code {code!r} is not documented for this operation"]


def _xml(body: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error


_CHECKS: dict[str, t.Callable[[OperationModel, Answer], Problems]] = {
    "json": _json,
    "query": _query,
    "ec2": _ec2,
    "rest-json": _rest,
    "rest-xml": _rest,
}
