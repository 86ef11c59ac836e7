# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The releases of one directory on disk: records, which is live, the journal of a running one; decides nothing.

<directory>/current              symbolic link to the live release
<directory>/releases/<id>/       a release's bundle, its .env (0600) and release.json
<directory>/.bluegreen/          lock, journal.json, key, proxy/<service>/
"""

from __future__ import annotations

import json
import os

from .._compose import names, record
from .._compose.errors import InvalidInput
from . import files

RECORD = "release.json"
ENVIRONMENT = ".env"


class Store:
    """Everything below one release directory."""

    def __init__(self, directory: str):
        self.directory = directory.rstrip("/")
        self.state = os.path.join(self.directory, ".bluegreen")
        self.releases = os.path.join(self.directory, "releases")
        self.proxies = os.path.join(self.state, "proxy")
        self.lock = os.path.join(self.state, "lock")
        self._current = os.path.join(self.directory, "current")
        self._journal = os.path.join(self.state, "journal.json")

    def set_up(self) -> None:
        """Makes the directories. Only root sees what is in the state directory."""
        try:
            files.make_directory(self.directory, 0o755)
            files.make_directory(self.releases, 0o755)
            files.make_directory(self.state, 0o700)
            files.make_directory(self.proxies, 0o700)
        except OSError as exc:
            raise InvalidInput(
                f"Cannot release into {self.directory}: {exc.strerror}. Run as root (become: true) or choose another directory."
            ) from exc

    def key(self, *, create: bool) -> bytes:
        path = os.path.join(self.state, "key")
        if not create and not os.path.exists(path):
            return os.urandom(32)  # nothing was ever released here, so there is nothing to compare with
        return files.key(path)

    def path(self, identifier: str) -> str:
        return os.path.join(self.releases, identifier)

    # -- records

    def _directories(self) -> list:
        try:
            return sorted(name for name in os.listdir(self.releases) if names.is_release_id(name))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _record(self, identifier: str) -> str:
        return os.path.join(self.path(identifier), RECORD)

    def records(self) -> list:
        """All records that can be read, oldest first."""
        found = [(name, files.read_json(self._record(name))) for name in self._directories()]
        return [record.from_dict(item) for name, item in found if item and item.get("id") == name]

    def damaged(self) -> dict:
        """Id -> why, of releases whose record is there and cannot be read."""
        known = {item.id for item in self.records()}
        found = {name: files.damage(self._record(name)) for name in self._directories() if name not in known}
        return {
            name: why or "it is not the record of this release" for name, why in found.items() if why or os.path.lexists(self._record(name))
        }

    def save(self, item: record.Record) -> None:
        files.write(os.path.join(self.path(item.id), RECORD), json.dumps(item.to_dict(), indent=2, sort_keys=True) + "\n")

    def remove(self, identifier: str) -> None:
        files.remove_tree(self.path(identifier))

    def forget_environment(self, identifier: str) -> None:
        """A failed release keeps its record and not its secrets."""
        path = os.path.join(self.path(identifier), ENVIRONMENT)
        if os.path.lexists(path) and identifier != self.current():
            os.unlink(path)

    def unrecorded(self) -> list:
        """Release directories without a record: a killed process left them before anything was started."""
        return [name for name in self._directories() if not os.path.lexists(self._record(name))]

    def sweep(self) -> None:
        """Removes what a power cut left of files that were being written, secrets among them."""
        for directory in (self.state, *(self.path(name) for name in self._directories()), *self._proxy_directories()):
            files.remove_unfinished(directory)

    def _proxy_directories(self) -> list:
        try:
            return [os.path.join(self.proxies, name) for name in os.listdir(self.proxies)]
        except (FileNotFoundError, NotADirectoryError):
            return []

    # -- the live one

    def current(self) -> str:
        """Id of the live release; empty when there is none."""
        try:
            return os.path.basename(os.readlink(self._current))
        except OSError:
            return ""

    def set_current(self, identifier: str) -> None:
        files.link(os.path.join("releases", identifier), self._current)

    def restore_current(self, identifier: str) -> None:
        """After a failure: the link points where it did; away when there was none."""
        if self.current() == identifier:
            return
        if identifier:
            self.set_current(identifier)
        else:
            os.unlink(self._current)

    # -- the journal

    def journal(self):
        """{release, phase, previous, services} of a release that has not ended, or None (also when it is damaged)."""
        data = files.read_json(self._journal)
        return data if data and {"release", "phase", "previous", "services"} <= set(data) else None

    def journal_damage(self) -> str:
        """Why the journal that is there cannot be read; empty when it can, or is not there."""
        return files.damage(self._journal) or ("it is incomplete" if os.path.lexists(self._journal) and not self.journal() else "")

    def write_journal(self, data: dict) -> None:
        files.write(self._journal, json.dumps(data, sort_keys=True) + "\n")

    def clear_journal(self) -> None:
        if os.path.exists(self._journal):
            os.unlink(self._journal)
