# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The record of a release, and which one comes before which; no I/O, no clock."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace

from .errors import InvalidInput

RUNNING, SUCCEEDED, FAILED, INTERRUPTED = "running", "succeeded", "failed", "interrupted"
RELEASE, ROLLBACK = "release", "rollback"


@dataclass(frozen=True)
class Record:
    """What ``release.json`` holds. Digests of values are keyed with the instance's key; no value is in it."""

    id: str
    project: str
    action: str = RELEASE
    actor: str = ""
    started: str = ""  # UTC, ISO 8601
    duration: float = 0.0  # seconds until the traffic had moved
    result: str = RUNNING
    error: str = ""
    config_version: str = ""
    compose_file: str = "docker-compose.yml"
    images: dict = field(default_factory=dict)  # service -> pinned image
    overrides: dict = field(default_factory=dict)  # service -> what the caller asked for
    treatments: dict = field(default_factory=dict)  # service -> {strategy, mode, ports}
    environment: dict = field(default_factory=dict)  # key -> keyed digest of its value
    secret_keys: object = None  # keys whose value is a SecureString; None when nobody said which are secret
    bundle: str = ""  # keyed digest of all files of the bundle
    jobs: dict = field(default_factory=dict)  # job -> fingerprint it last ran with
    previous: str = ""  # live before this one
    restores: str = ""  # release whose content this rollback brought back
    services: dict = field(default_factory=dict)  # service -> [kind, action]

    def to_dict(self) -> dict:
        return asdict(self)

    def shown(self) -> dict:
        """The shape that modules return."""
        return {
            "id": self.id,
            "project": self.project,
            "action": self.action,
            "actor": self.actor,
            "started": self.started,
            "duration": self.duration,
            "result": self.result,
            "error": self.error,
            "config_version": self.config_version,
            "images": dict(self.images),
            "keys": sorted(self.environment),
            "previous": self.previous,
            "restores": self.restores,
        }


def from_dict(data: dict) -> Record:
    """The record of a ``release.json``; keys of a later version are ignored."""
    known = {item.name for item in fields(Record)}
    return Record(**{key: value for key, value in data.items() if key in known})


def ended(record: Record, result: str, *, duration: float, error: str = "") -> Record:
    return replace(record, result=result, duration=round(duration, 3), error=error)


def by_id(records: list) -> dict:
    return {record.id: record for record in records}


def content_of(record: Record, records: dict) -> Record:
    """The release whose content this one is: itself, or what a rollback brought back."""
    seen = set()
    while record.restores and record.restores in records and record.id not in seen:
        seen.add(record.id)
        record = records[record.restores]
    return record


def rollback_target(records: list, current: str, wanted: str = "") -> Record:
    """The release to return to: the named one, else the one that was live before the live content was; or InvalidInput."""
    known = by_id(records)
    good = [record.id for record in records if record.result == SUCCEEDED]
    listing = f"Releases that succeeded: {', '.join(good) or 'none'}."
    if not current or current not in known:
        raise InvalidInput("Cannot roll back: no release is recorded as live here. Release first.")
    if wanted:
        if wanted not in known:
            raise InvalidInput(f"Cannot roll back to release {wanted}: it is not kept here. {listing}")
        if known[wanted].result != SUCCEEDED:
            raise InvalidInput(f"Cannot roll back to release {wanted}: it {known[wanted].result}. {listing}")
        return content_of(known[wanted], known)
    previous = content_of(known[current], known).previous
    if not previous:
        raise InvalidInput(f"Cannot roll back: release {current} is the first one. {listing}")
    if previous not in known or known[previous].result != SUCCEEDED:
        raise InvalidInput(f"Cannot roll back: release {previous}, which came before {current}, is not kept any more. {listing}")
    return content_of(known[previous], known)


def superseded(records: list, current: str, keep: int, in_use: set) -> list:
    """Ids to remove: all but the newest ``keep`` successful ones, the live one, what it goes back to, and what containers still mount.

    One failed release, the newest, stays for whoever wants to know why.
    """
    known = by_id(records)
    stay = set(in_use) | {current}
    live = known.get(current)
    if live:
        content = content_of(live, known)
        stay |= {live.restores, content.id, content.previous}
    good = sorted((record.id for record in records if record.result == SUCCEEDED), reverse=True)
    bad = sorted((record.id for record in records if record.result != SUCCEEDED), reverse=True)
    stay |= set(good[: max(keep, 1)]) | set(bad[:1])
    return sorted(record.id for record in records if record.id not in stay)


def changed_keys(before: dict, after: dict) -> list:
    """Names of keys whose value appeared, changed or went."""
    return sorted(key for key in set(before) | set(after) if before.get(key) != after.get(key))


def diff_shape(record) -> dict:
    """What a diff compares: images, version, keys with an opaque mark per value."""
    if record is None:
        return {"config_version": "", "images": {}, "environment": {}}
    return {
        "config_version": record.config_version,
        "images": dict(sorted(record.images.items())),
        "environment": dict(sorted(record.environment.items())),
    }


def diff_pair(before, after) -> tuple:
    """Both sides of a diff; a key's value is 'set', and 'changed' where it differs, so that nothing of it is shown."""
    old, new = diff_shape(before), diff_shape(after)
    differing = set(changed_keys(old["environment"], new["environment"]))
    old["environment"] = {key: "value (before)" if key in differing else "value" for key in old["environment"]}
    new["environment"] = {key: "value (after)" if key in differing else "value" for key in new["environment"]}
    return old, new
