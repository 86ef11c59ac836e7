# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares XML elements with botocore's shapes, as the protocols query, ec2 and rest-xml write them; knows no HTTP."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from botocore.model import Shape

from .values import Problems, text_value


def local_name(element: ElementTree.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace(element: ElementTree.Element) -> str:
    """An element's namespace; empty when it has none."""
    return element.tag[1:].partition("}")[0] if element.tag.startswith("{") else ""


def xml_structure(shape: Shape, element: ElementTree.Element, path: str, *, envelope: frozenset[str] = frozenset()) -> Problems:
    """What is wrong with an element; `envelope` names children that belong to the protocol."""
    names: dict[str, tuple[str, Shape]] = {}
    for name, member in shape.members.items():
        names[_wire_name(name, member)] = (name, member)
    problems: Problems = []
    found: dict[str, list[ElementTree.Element]] = {}
    for child in element:
        found.setdefault(local_name(child), []).append(child)
    for name, children in found.items():
        if name in envelope and name not in names:
            continue
        if name not in names:
            problems.append(f"{path}.{name} is not a member of {shape.name}")
            continue
        member = names[name][1]
        if _is_flattened(member):
            problems += _items(member, children, f"{path}.{name}")
            continue
        if len(children) > 1:
            problems.append(f"{path}.{name} occurs {len(children)} times")
        problems += xml_value(member, children[0], f"{path}.{name}")
    for wire_name, (name, member) in names.items():
        if name in shape.required_members and wire_name not in found and not member.serialization.get("xmlAttribute"):
            problems.append(f"{path}.{wire_name} is missing; {shape.name} requires it")
    return problems


def xml_value(shape: Shape, element: ElementTree.Element, path: str) -> Problems:
    """What is wrong with one element."""
    kind = shape.type_name
    if kind == "structure":
        return xml_structure(shape, element, path)
    if kind == "list":
        wanted = shape.member.serialization.get("name", "member")
        others = sorted({local_name(child) for child in element} - {wanted})
        problems = [f"{path} has elements {name!r} where its list has {wanted!r}" for name in others]
        return problems + _items(shape, [child for child in element if local_name(child) == wanted], path)
    if kind == "map":
        return _map(shape, element, path)
    if len(element):
        return [f"{path} has children where {kind} is expected"]
    return text_value(shape, element.text or "", path)


def _items(shape: Shape, elements: list[ElementTree.Element], path: str) -> Problems:
    return [problem for index, element in enumerate(elements) for problem in xml_value(shape.member, element, f"{path}[{index}]")]


def _map(shape: Shape, element: ElementTree.Element, path: str) -> Problems:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    problems: Problems = []
    for entry in element:
        parts = {local_name(child): child for child in entry}
        if local_name(entry) != "entry" or set(parts) != {key_name, value_name}:
            problems.append(f"{path} has an entry that is not <entry><{key_name}/><{value_name}/></entry>")
            continue
        problems += text_value(shape.key, parts[key_name].text or "", f"{path} key")
        problems += xml_value(shape.value, parts[value_name], f"{path}.{parts[key_name].text}")
    return problems


def _is_flattened(shape: Shape) -> bool:
    return shape.type_name in ("list", "map") and bool(shape.serialization.get("flattened"))


def _wire_name(name: str, member: Shape) -> str:
    if _is_flattened(member) and member.type_name == "list" and "name" in member.member.serialization:
        return member.member.serialization["name"]
    return member.serialization.get("name", name)
