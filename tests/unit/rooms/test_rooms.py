# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line of code knows its room: which folder may import what. Reads the sources with ast and runs none of them."""

from __future__ import annotations

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "plugins"
OWN = "ansible_collections.bluegreen.aws.plugins."
IO = ("socket", "ssl", "select", "selectors", "threading", "multiprocessing", "concurrent", "asyncio", "subprocess", "time", "os", "shutil")
AWS = ("boto3", "botocore")
NETWORK = ("urllib.request", "http.client", "requests", "websockets")

# Room → what may not be imported there. The first room whose path a file starts with is the file's.
FORBIDDEN = {
    "module_utils/_ssm": (*IO, *AWS, *NETWORK, "ansible", OWN + "plugin_utils"),
    "module_utils/_canary": (*IO, *AWS, *NETWORK, "ansible", OWN + "plugin_utils"),
    "module_utils/_compose": (*IO, *AWS, *NETWORK, "ansible", OWN + "plugin_utils"),
    "module_utils/_postgres": (*IO, *AWS, *NETWORK, "ansible", OWN + "plugin_utils"),
    "module_utils/_host": ("boto3", "ansible", "requests", OWN + "plugin_utils"),
    "module_utils/_aws": ("boto3", "subprocess", "socket", "threading", OWN + "plugin_utils"),
    "module_utils": (*AWS, "socket", "ssl", "threading", OWN + "plugin_utils"),
    "plugin_utils": ("boto3", "requests", OWN + "modules", OWN + "connection"),
    "connection": (*AWS, "subprocess", "socket", "ssl", "select", "time", "struct", "json"),
    "modules": (*AWS, "subprocess", "socket", "ssl", "threading", "time", OWN + "plugin_utils"),
    "action": ("boto3", "socket", "ssl"),
    "lookup": ("boto3", "subprocess", "socket", "ssl", "threading"),
    "filter": (*IO, *AWS, *NETWORK),
    "test": (*IO, *AWS, *NETWORK),
    "callback": (*AWS, *NETWORK, "subprocess", "socket"),
}

# A file that is in its room for another reason, and what it may import all the same.
EXCEPTIONS = {
    # Its source is sent to the instance and runs there; the controller only reads it.
    "module_utils/_ssm/mux_remote.py": {"os", "select", "subprocess", "time"},
    # The connection itself; on the instance, which may have no package of PostgreSQL.
    "module_utils/_postgres/wire.py": {"socket", "ssl"},
    # A lock says on which machine its holder runs, and expires by the wall clock.
    "action/deployment_lock.py": {"socket"},
    "modules/deployment_lock.py": {"time"},
}


def imports(tree: ast.AST, package: str):
    """Every module name a source imports, at any depth; relative names made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, base]).rstrip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def room_of(path: str) -> str | None:
    return next((room for room in FORBIDDEN if path.startswith(room + "/")), None)


def trespasses(path: str, source: str) -> list[str]:
    package = OWN + path.rpartition("/")[0].replace("/", ".")
    allowed = EXCEPTIONS.get(path, set())
    found = {name for name in imports(ast.parse(source), package) for bad in FORBIDDEN[room_of(path)] if f"{name}.".startswith(f"{bad}.")}
    return sorted(name for name in found if name.split(".")[0] not in allowed)


SOURCES = sorted(path.relative_to(PLUGINS).as_posix() for path in PLUGINS.rglob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("path", [path for path in SOURCES if not path.startswith("doc_fragments/")])
def test_a_file_imports_only_what_its_room_allows(path):
    assert room_of(path), f"{path} is in no room: add its folder to FORBIDDEN"
    assert trespasses(path, (PLUGINS / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SOURCES)
def test_a_file_says_what_it_is(path):
    tree = ast.parse((PLUGINS / path).read_text(encoding="utf-8"))
    documented = any(isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION" for node in tree.body)
    assert documented or ast.get_docstring(tree), f"{path} has no docstring that says what it is and what it does not do"


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("module_utils/_ssm/frame.py", "import time", ["time"]),
        ("module_utils/_ssm/frame.py", "import os.path", ["os.path"]),
        ("module_utils/_ssm/frame.py", "def f():\n    from os import path", ["os", "os.path"]),
        ("module_utils/_ssm/frame.py", "import timeit, struct", []),
        ("module_utils/_ssm/frame.py", "from .message import Message", []),
        ("module_utils/_ssm/frame.py", "from ...plugin_utils._ssm import api", [OWN + "plugin_utils._ssm", OWN + "plugin_utils._ssm.api"]),
        ("modules/x.py", "import boto3", ["boto3"]),
        ("connection/ssm.py", "from botocore.session import Session", ["botocore.session", "botocore.session.Session"]),
        ("module_utils/_ssm/mux_remote.py", "import os, socket", ["socket"]),
    ],
)
def test_the_test_sees_a_trespass(path, source, expected):
    assert trespasses(path, source) == expected


@pytest.mark.parametrize("path", sorted(EXCEPTIONS))
def test_an_exception_is_still_needed(path):
    needed = {name.split(".")[0] for name in imports(ast.parse((PLUGINS / path).read_text(encoding="utf-8")), "")}
    assert EXCEPTIONS[path] <= needed
