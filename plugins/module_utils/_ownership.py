# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Answers whether a resource that has a name is this environment's, from its tags, and puts the answer into words; no I/O."""

from __future__ import annotations

import dataclasses
import enum

SYSTEM = "bluegreen:system"
ENVIRONMENT = "bluegreen:environment"


class OwnershipError(Exception):
    """Options that cannot be answered; the message says what to do."""


class Verdict(str, enum.Enum):
    """What a found resource is to this environment."""

    ABSENT = "absent"
    OURS = "ours"
    UNTAGGED = "untagged"
    UNREADABLE = "unreadable"
    OTHER_ENVIRONMENT = "other_environment"
    OTHER_SYSTEM = "other_system"


# A name that several resources have is answered with the last of these that one of them has.
_ORDER = list(Verdict)


@dataclasses.dataclass(frozen=True)
class Owner:
    """One environment of one system."""

    system: str
    environment: str

    def __str__(self):
        return f"{self.system}-{self.environment}"


@dataclasses.dataclass(frozen=True)
class Asked:
    """One resource that is asked about."""

    type: str
    label: str
    name: str
    existing: bool = False
    variable: str = ""

    @property
    def key(self):
        return f"{self.type}/{self.name}"


@dataclasses.dataclass(frozen=True)
class Answer:
    """The verdict on one resource, whose it is as far as its tags say, and what speaks against going on ("" when nothing does)."""

    asked: Asked
    verdict: Verdict
    owner: Owner | None
    sentence: str


def owner_of(tags):
    """The Owner that tags name, or None when one of the two is missing."""
    system, environment = (tags or {}).get(SYSTEM, ""), (tags or {}).get(ENVIRONMENT, "")
    return Owner(system, environment) if system and environment else None


def wanted_owner(tags):
    """As owner_of(), of the tags that the environment gives its resources."""
    owner = owner_of(tags)
    if owner is None:
        raise OwnershipError(
            f"The tags have no {SYSTEM} or no {ENVIRONMENT}, so nothing can be known as this environment's; give both. Nothing was changed."
        )
    return owner


def is_existing(declared, kind, name):
    """Whether a resource is declared as existing: everything is, or its type, its name, or both as ``type/name``."""
    if isinstance(declared, bool) or declared is None:
        return bool(declared)
    entries = [declared] if isinstance(declared, str) else declared
    return any(entry in (kind, name, f"{kind}/{name}") for entry in entries)


def verdict_on(tags, owner):
    """The verdict on one resource that was found; ``tags`` is None when they may not be read."""
    if tags is None:
        return Verdict.UNREADABLE
    found = owner_of(tags)
    if found is None:
        return Verdict.UNTAGGED
    if found.system != owner.system:
        return Verdict.OTHER_SYSTEM
    return Verdict.OURS if found == owner else Verdict.OTHER_ENVIRONMENT


def answer(asked, found, owner, *, adopted=(), existing_variable=""):
    """The Answer on ``asked``; ``found`` has the tags of each resource that has its name."""
    verdicts = {verdict_on(tags, owner): tags for tags in found}
    verdict = max(verdicts, key=_ORDER.index, default=Verdict.ABSENT)
    if verdict is Verdict.UNTAGGED and asked.key in adopted:
        verdict = Verdict.OURS
    belongs = owner if verdict is Verdict.OURS else owner_of(verdicts.get(verdict))
    return Answer(asked, verdict, belongs, sentence(asked, verdict, belongs, owner, existing_variable))


def sentence(asked, verdict, belongs, owner, existing_variable=""):
    """What speaks against going on, with both environments and the remedies; "" when nothing does."""
    what = f"{asked.label} {asked.name}"
    rename = f"choose another name{f' in {asked.variable}' if asked.variable else ''}"
    if asked.existing:
        if verdict is not Verdict.ABSENT:
            return ""
        return f"{what} is declared in {existing_variable} and does not exist; correct the name, or let the role make it."
    if verdict in (Verdict.ABSENT, Verdict.OURS):
        return ""
    use = f", or use it as it is with {existing_variable}: [{asked.key}]" if existing_variable else ""
    if verdict is Verdict.UNREADABLE:
        return (
            f"{what} exists and AWS does not let this session read its tags: it belongs to another account, or the session's IAM policy "
            f"lacks the permission. It is not known to be {owner}'s, so it is left as it is; {rename}{use}."
        )
    if verdict is Verdict.UNTAGGED:
        return (
            f"{what} has no tags {SYSTEM} and {ENVIRONMENT}, so it is not known to be {owner}'s and is left as it is; {rename}{use}. If "
            f"it is {owner}'s (an earlier run may have ended before it could tag it), run once with "
            f"""-e '{{"bluegreen_adopt": ["{asked.key}"]}}', or tag it {SYSTEM}={owner.system} and {ENVIRONMENT}={owner.environment}."""
        )
    return f"{what} belongs to {belongs} and this run is for {owner}, so it is left as it is; {rename}{use}."


def shown(one):
    """An Answer as a dictionary."""
    asked = one.asked
    return {
        "type": asked.type,
        "name": asked.name,
        "existing": asked.existing,
        "verdict": one.verdict.value,
        "owner": str(one.owner or ""),
        "sentence": one.sentence,
    }
