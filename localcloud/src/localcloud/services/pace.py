# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long slow creations are seen as such: set in the environment when the cloud starts, or over HTTP later; no clock."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

from ..errors import LocalCloudError

VARIABLE = "LOCALCLOUD_CREATION_SECONDS"
"""For example `rds=60 elasticache=40 nat-gateway=15 elasticloadbalancing=20`."""


def from_environment(text: str) -> dict[str, float]:
    """Kind → seconds. Raises LocalCloudError for a text of another form."""
    found = {}
    for word in text.split():
        kind, _, seconds = word.partition("=")
        try:
            found[kind] = float(seconds)
        except ValueError:
            found[kind] = -1.0
        if not kind or found[kind] < 0:
            raise LocalCloudError(f"Failed to read {VARIABLE}: '{word}' does not have the form kind=seconds.")
    return found


class Pace:
    """The least seconds that a creation of one kind takes. A change of what exists takes half of it."""

    def __init__(self, kind: str, default: float) -> None:
        self.seconds = from_environment(os.environ.get(VARIABLE, "")).get(kind, default)

    def admin(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The control `seconds`: GET answers it, PUT with a JSON number sets it."""
        kind = {"Content-Type": "application/json"}
        if path != "seconds":
            return 404, kind, json.dumps({"message": f"there is no control {path}"}).encode()
        if method == "PUT":
            wanted: t.Any = None
            with contextlib.suppress(ValueError):
                wanted = json.loads(body)
            if isinstance(wanted, bool) or not isinstance(wanted, (int, float)) or wanted < 0:
                return 400, kind, json.dumps({"message": "seconds must be a JSON number that is not negative"}).encode()
            self.seconds = float(wanted)
        return 200, kind, json.dumps({"seconds": self.seconds}).encode()
