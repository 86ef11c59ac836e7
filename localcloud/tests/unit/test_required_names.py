# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every name inside MiniStack and moto that is touched is listed and exists; says what breaks when a pin moves."""

from __future__ import annotations

import ast
import importlib
import pathlib

import pytest

from localcloud.emulation import required

SOURCE = pathlib.Path(required.__file__).parents[1]
FOREIGN = ("ministack", "moto")


@pytest.mark.parametrize("name", sorted(required.NAMES))
def test_it_exists(name):
    module, _, path = name.partition(":")
    value = importlib.import_module(module)
    for part in path.split("."):
        assert hasattr(value, part), f"{name} has moved; it is needed for: {required.NAMES[name]}"
        value = getattr(value, part)


def test_the_versions_are_the_pinned_ones():
    requirements = (SOURCE.parents[1] / "requirements.txt").read_text()
    for package, version in required.PINS.items():
        assert any(line.startswith((f"{package}==", f"{package}[")) and f"=={version} " in line for line in requirements.splitlines())
    assert required.missing() == []


def _private_uses(path):
    """`module:name` for private attributes of MiniStack's and moto's modules that a file touches through an import."""
    tree = ast.parse(path.read_text())
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FOREIGN:
            for alias in node.names:
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                if alias.name.startswith("_"):
                    yield f"{node.module}:{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in FOREIGN:
                    modules[alias.asname or alias.name] = alias.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            base = ast.unparse(node.value)
            if base in modules:
                yield f"{modules[base]}:{node.attr}"


FILES = [path for folder in (".", "emulation", "dataplane", "services") for path in sorted((SOURCE / folder).glob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_private_name_is_used_that_is_not_listed(path):
    assert sorted(set(_private_uses(path)) - set(required.NAMES)) == []
