# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What services of the query protocol with a table of operations have in common: the envelope, and their place in the tagging API."""

from __future__ import annotations

import logging
import typing as t

from ministack.services import tagging

from ..input_model import service_model
from . import query_protocol
from .query_protocol import ApiError, Members

if t.TYPE_CHECKING:
    from . import Response


class Context(t.Protocol):
    """What the operations of a service act on."""

    controller: t.Any
    pace: t.Any
    state: t.Any


ContextT = t.TypeVar("ContextT", bound=Context)


class QueryService(t.Generic[ContextT]):
    """A service by botocore's name of it; `title` is what its users call it, `operations` has a function for each that is here."""

    def __init__(
        self, name: str, title: str, operations: t.Mapping[str, t.Callable[[ContextT, Members], t.Awaitable[Members]]], context: ContextT
    ) -> None:
        self._title = title
        self._operations = operations
        self._context = context
        self._model = service_model(name)
        self._log = logging.getLogger(f"localcloud.{name}")

    async def stop(self) -> None:
        """Stop keeping what there is; it is left for the clean-up."""
        await self._context.controller.stop()

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        form = query_protocol.form_of(body, query_params)
        name = form.get("Action", "")
        try:
            if name not in self._operations:
                raise ApiError("InvalidAction", f"This cloud's {self._title} does not provide {name}.")
            operation = self._model.operation_model(name)
            members = query_protocol.parse(operation, form)
            return query_protocol.render(operation, await self._operations[name](self._context, members))
        except ApiError as error:
            return query_protocol.render_error(error, self._model.metadata["xmlNamespace"])
        except Exception:  # a client must get an answer that it understands
            self._log.exception("%s failed", name)
            error = ApiError("InternalFailure", "An internal error has occurred in the local cloud; its log has the traceback.", 500)
            return query_protocol.render_error(error, self._model.metadata["xmlNamespace"])

    async def admin(self, method: str, path: str, body: bytes) -> Response:
        """`seconds`: how long a creation is seen at least."""
        return self._context.pace.admin(method, path, body)


def install_tags(name: str, context: ContextT, change_tags: t.Callable[[ContextT, str, dict[str, str], list[str]], t.Any]) -> None:
    """Put a service's resources in the place of MiniStack's own in the Resource Groups Tagging API."""

    def collect() -> t.Iterator[tuple[str, list[dict[str, str]]]]:
        for arn, tags in list(context.state.tagged()):
            if tags:
                yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]

    def change(arn: str, added: dict[str, str], removed: list[str]) -> None:
        try:
            change_tags(context, arn, added, removed)
        except ApiError as error:
            raise tagging._ResourceNotFound(arn) from error

    tagging._COLLECTORS[name] = collect
    tagging._WRITERS[name] = lambda _spec, arn, tags: change(arn, dict(tags), [])
    tagging._REMOVERS[name] = lambda _spec, arn, keys: change(arn, {}, list(keys))
