# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""Done once in the process that runs a playbook, so that no task does it anew in the process that Ansible forks for it: plugins and
botocore's descriptions are loaded, and the broker of the sessions is started before the first session is needed.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sys

from ansible.errors import AnsibleError
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import action_loader, connection_loader, filter_loader, lookup_loader, test_loader

_SSM = "bluegreen.aws.ssm"
CONNECTIONS = (_SSM, "bluegreen.aws.local")
# What the collection's lookups and action plugins ask on the controller.
_SERVICES = ("ecr", "ssm")
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
    inventory_asks_aws = "botocore.session" in sys.modules
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
    if inventory_asks_aws:
        _preload_botocore()


def _preload_botocore() -> None:
    from . import clients, memory

    clients.install()
    models = memory.Models()
    models.install()
    for service in _SERVICES:
        with contextlib.suppress(Exception):  # whoever needs a client is told what is wrong
            models.make_client(service)


def start_broker(play) -> None:
    """Starts the broker of the run's sessions (plugin_utils/_ssm/broker.py) beside the first tasks, when the hosts are reached by SSM.

    The first host that is not the controller stands for all: what is wrong with a guess is a process that nobody uses.
    """
    manager = play.get_variable_manager()
    host = next(iter(manager._inventory.get_hosts("all:!localhost", ignore_restrictions=True)), None)
    variables = manager.get_vars(play=play, host=host, include_hostvars=False) if host is not None else {}
    if variables.get("ansible_connection") == _SSM:
        with contextlib.suppress(AnsibleError):  # said again, and loudly, when a command needs it
            connection = connection_loader.get(_SSM, PlayContext(), None)
            if connection is not None:
                connection.set_options(var_options=variables)
