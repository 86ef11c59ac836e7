# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""Loads, in the process that runs a playbook, plugins that each task would load anew in the process that Ansible forks for it."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil

from ansible.errors import AnsibleError
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import action_loader, connection_loader, filter_loader, lookup_loader, test_loader

CONNECTIONS = ("bluegreen.aws.ssm", "bluegreen.aws.local")
_ACTIONS = ("assert", "debug", "fail", "include_vars", "normal", "set_fact", "validate_argument_spec")
_LOOKUPS = ("env", "file", "items", "list", "template")
_OWN = ("filter", "test", "lookup", "action")
# What Ansible makes up when a plugin of its own is asked for, and how it talks with modules.
_ANSIBLES = (
    "ansible_collections.ansible.builtin.plugins.filter",
    "ansible_collections.ansible.builtin.plugins.lookup",
    "ansible_collections.ansible.builtin.plugins.test",
    "ansible.module_utils._internal._json._profiles._module_legacy_c2m",
    "ansible.module_utils._internal._json._profiles._module_legacy_m2c",
)


def preload(connections=CONNECTIONS) -> None:
    """Whoever uses a plugin that cannot be loaded is told what is wrong with it; here it is left out."""
    for loader in (filter_loader, test_loader):
        with contextlib.suppress(AnsibleError):
            list(loader.all())
    for loader, names in ((action_loader, _ACTIONS), (lookup_loader, _LOOKUPS)):
        for name in names:
            with contextlib.suppress(AnsibleError):
                loader.get(f"ansible.legacy.{name}", class_only=True)
    for name in _ANSIBLES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for kind in _OWN:
        package = f"ansible_collections.bluegreen.aws.plugins.{kind}"
        with contextlib.suppress(ImportError):
            for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
                with contextlib.suppress(ImportError):
                    importlib.import_module(f"{package}.{module.name}")
    for name in connections:
        with contextlib.suppress(AnsibleError):
            connection_loader.get(name, PlayContext(), None)
