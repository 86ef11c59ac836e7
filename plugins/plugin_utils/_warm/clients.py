# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""What botocore works out anew for each session and each client, though it is the same each time: 30 ms of a task that talks with EC2.

The methods of a service's client and the model of its operations, other names of events, and which handlers take keyword arguments
depend on nothing but botocore itself. What a botocore does not have under these names it works out as always.
"""

from __future__ import annotations

import functools
import typing as t

try:
    from botocore import client, hooks
except ImportError:  # a module that needs it says so
    client = hooks = None  # type: ignore[assignment]


def install() -> None:
    """In the server, whose forks then know what it has worked out."""
    if client is None:
        return
    _remember_methods(getattr(client, "ClientCreator", None))
    _remember_models(getattr(client, "ClientCreator", None))
    _remember_aliases(getattr(hooks, "EventAliaser", None))
    if hasattr(hooks, "accepts_kwargs"):
        hooks.accepts_kwargs = functools.lru_cache(maxsize=4096)(hooks.accepts_kwargs)


def _remember_methods(creator) -> None:
    original = getattr(creator, "_create_methods", None)
    if original is None:
        return
    known: dict[tuple[str, str], dict] = {}

    def create(self, service_model):
        key = (service_model.service_name, service_model.api_version)
        if key not in known:
            known[key] = original(self, service_model)
        return dict(known[key])

    creator._create_methods = create


def _remember_models(creator) -> None:
    """One model for each description, which nothing changes: it keeps what it has read of its operations and shapes."""
    original = getattr(creator, "_load_service_model", None)
    if original is None:
        return
    known: dict[int, t.Any] = {}

    @functools.wraps(original)
    def load(self, service_name, api_version=None):
        model = original(self, service_name, api_version)
        description = getattr(model, "_service_description", None)
        if description is None:
            return model
        # The model keeps the description, so no other one gets its identity.
        return known.setdefault(id(description), model)

    creator._load_service_model = load


def _remember_aliases(aliaser) -> None:
    original = getattr(aliaser, "__init__", None)
    if original is None:
        return
    names: dict[str, str] = {}

    @functools.wraps(original)
    def init(self, event_emitter, event_aliases=None, **more):
        original(self, event_emitter, event_aliases, **more)
        if event_aliases is None and hasattr(self, "_alias_name_cache"):
            self._alias_name_cache = names

    aliaser.__init__ = init
