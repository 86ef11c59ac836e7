# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on task definitions; changes records and nothing else."""

from __future__ import annotations

import re
import time
import typing as t

from . import shapes
from .errors import client, invalid, no_task_definition
from .fargate import definition_of
from .requests import page, tag_list, tags_if, tags_of
from .state import Definition, Members, State


def definition_named(state: State, name: str) -> Definition:
    """An active definition by family, `family:revision` or ARN. Raises ApiError."""
    _check_name(name)
    found = state.definition(name)
    if found is None:
        raise client("TaskDefinition not found.")
    if found.status != "ACTIVE":
        raise client("TaskDefinition is inactive")
    return found


def _check_name(name: str) -> None:
    if not re.fullmatch(r"(arn:aws:ecs:[a-z0-9-]+:\d{12}:task-definition/)?[A-Za-z0-9_-]+(:\d+)?", name):
        raise client(f"Invalid revision number. Number: {name.rpartition(':')[2]}" if ":" in name else f"Invalid id: {name}")


class Definitions:
    """The operations; one method each, named as in boto3."""

    def __init__(self, state: State, clock: t.Callable[[], float] = time.time) -> None:
        self._state = state
        self._clock = clock

    def register_task_definition(self, members: Members) -> Members:
        """A new revision."""
        tags = tags_of(members.get("tags"))
        shown = definition_of(members)
        family = members["family"]
        revisions = self._state.families.setdefault(family, [])
        revision = revisions[-1].revision + 1 if revisions else 1
        found = Definition(
            arn=self._state.arn(f"task-definition/{family}:{revision}"),
            family=family,
            revision=revision,
            members=shown,
            registered_at=self._clock(),
            registered_by=f"arn:aws:iam::{self._state.account_id}:root",
            tags=tags,
        )
        revisions.append(found)
        return {"taskDefinition": shapes.definition(found), **({"tags": tag_list(tags)} if tags else {})}

    def describe_task_definition(self, members: Members) -> Members:
        """An active one, or an inactive one by its revision."""
        name = members["taskDefinition"]
        _check_name(name)
        found = self._state.definition(name)
        if found is None:
            raise no_task_definition()
        return {"taskDefinition": shapes.definition(found), **tags_if(members, found.tags)}

    def deregister_task_definition(self, members: Members) -> Members:
        """From now on nothing new is started from it."""
        name = members["taskDefinition"]
        if not re.search(r":\d+$", name):
            raise client("Revision must be specified." if name else "Task definition can not be blank.")
        _check_name(name)
        found = self._state.definition(name)
        if found is None:
            raise client("The specified task definition does not exist. Specify a valid account, family, revision and try again.")
        if found.status != "ACTIVE":
            raise invalid("The specified task definition is inactive. Specify an active task definition and try again.")
        found.status = "INACTIVE"
        found.deregistered_at = self._clock()
        return {"taskDefinition": shapes.definition(found)}

    def delete_task_definitions(self, members: Members) -> Members:
        """Inactive ones, at once: nothing that runs needs the record."""
        if not 1 <= len(members["taskDefinitions"]) <= 10:
            raise invalid("taskDefinitions must have from 1 to 10 items.")
        gone, failures = [], []
        for name in members["taskDefinitions"]:
            found = self._state.definition(name) if re.search(r":\d+$", name) else None
            if found is None or found.status == "ACTIVE":
                arn = found.arn if found else self._state.arn(f"task-definition/{name.rpartition('task-definition/')[2]}")
                reason = (
                    "The specified task definition is still in ACTIVE status." if found else "The specified task definition does not exist."
                )
                failures.append({"arn": arn, "reason": reason})
                continue
            found.status = "DELETE_IN_PROGRESS"
            gone.append({**shapes.definition(found), "deleteRequestedAt": self._clock()})
        return {"taskDefinitions": gone, "failures": failures}

    def list_task_definitions(self, members: Members) -> Members:
        """ARNs by family and revision, active ones unless another status is asked for."""
        status, family = members.get("status") or "ACTIVE", members.get("familyPrefix")
        found = [
            item for name in sorted(self._state.families) if family in (None, name) for item in self._state.families[name]
            if item.status == status
        ]  # fmt: skip
        arns = [item.arn for item in found]
        if members.get("sort") == "DESC":
            arns.reverse()
        arns, more = page(arns, members)
        return {"taskDefinitionArns": arns, **more}

    def list_task_definition_families(self, members: Members) -> Members:
        """Names of families, active ones unless another status is asked for."""
        status, prefix = members.get("status") or "ACTIVE", members.get("familyPrefix") or ""
        names = []
        for name, revisions in sorted(self._state.families.items()):
            active = any(item.status == "ACTIVE" for item in revisions)
            if name.startswith(prefix) and (status == "ALL" or active is (status == "ACTIVE")):
                names.append(name)
        names, more = page(names, members)
        return {"families": names, **more}
