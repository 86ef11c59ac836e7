# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a request's members against botocore's model of a service, as the service itself would; answers nothing and changes nothing."""

from __future__ import annotations

import re
import typing as t

import botocore.loaders
import botocore.model

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "float": (int, float),
    "boolean": (bool,),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
    "blob": (str,),
    "timestamp": (int, float, str),
}


class BadMember(Exception):
    """A member that the model does not allow: where it is, what it must be, and its value (None when it is missing)."""

    def __init__(self, path: str, constraint: str, value: t.Any = None) -> None:
        super().__init__(f"{path}: {constraint}")
        self.path = path
        self.constraint = constraint
        self.value = value


class InputModel:
    """The inputs of one service; the model is read when the first request comes."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._model: botocore.model.ServiceModel | None = None

    @property
    def model(self) -> botocore.model.ServiceModel:
        """Botocore's description of the service."""
        if self._model is None:
            document = botocore.loaders.Loader().load_service_model(self._service, "service-2")
            self._model = botocore.model.ServiceModel(document, self._service)
        return self._model

    def check(self, operation: str, members: dict[str, t.Any]) -> None:
        """Raises BadMember for the first member that is wrong; unknown members are nobody's business."""
        shape = self.model.operation_model(operation).input_shape
        if shape is not None:
            _structure(shape, members, "")


def _is_of(value: t.Any, type_name: str) -> bool:
    allowed = _TYPES[type_name]
    return isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))  # a bool is an int to Python alone


def _structure(shape: t.Any, value: dict[str, t.Any], path: str) -> None:
    for name in shape.required_members:
        if value.get(name) is None:
            raise BadMember(f"{path}{name}", "Member must not be null")
    for name, member in value.items():
        if name in shape.members and member is not None:
            _value(shape.members[name], member, f"{path}{name}")


def _value(shape: t.Any, value: t.Any, path: str) -> None:
    if not _is_of(value, shape.type_name):
        raise BadMember(path, f"Member must be of type {shape.type_name}", value)
    if shape.type_name == "structure":
        _structure(shape, value, f"{path}.")
        return
    _range(shape, value, path)
    if shape.type_name == "list":
        for index, member in enumerate(value, start=1):
            _value(shape.member, member, f"{path}.{index}.member")
    elif shape.type_name == "map":
        for key, member in value.items():
            _value(shape.value, member, f"{path}.{key}")
    elif shape.type_name == "string":
        _string(shape, value, path)


def _string(shape: t.Any, value: str, path: str) -> None:
    if shape.enum and value not in shape.enum:
        raise BadMember(path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]", value)
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        raise BadMember(path, f"must satisfy regular expression '{pattern}'", value)


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    except re.error:  # the models write Java's regular expressions, a few of which Python does not read
        return True


def _range(shape: t.Any, value: t.Any, path: str) -> None:
    measured = value if shape.type_name in ("integer", "long") else len(value) if isinstance(value, (str, list, dict)) else None
    if measured is None:
        return
    what = "value" if shape.type_name in ("integer", "long") else "length"
    if measured < shape.metadata.get("min", measured):
        raise BadMember(path, f"Member must have {what} greater than or equal to {shape.metadata['min']}", value)
    if measured > shape.metadata.get("max", measured):
        raise BadMember(path, f"Member must have {what} less than or equal to {shape.metadata['max']}", value)
