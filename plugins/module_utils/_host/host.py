# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the parts of one run share: options, clock, Docker, the directory's releases, secrets to hide, the timeline; does no work itself."""

from __future__ import annotations

from .._compose.options import Options
from .._compose.redact import Redactor
from .clock import Clock
from .docker import Docker
from .process import Runner
from .proxy import ProxyControl
from .store import Store


class Host:
    """One run on one instance. ``report`` is called with each event as it happens."""

    def __init__(self, options: Options, *, clock=None, runner=None, report=None):
        self.options = options
        self.clock = clock or Clock()
        self.run = runner or Runner()
        self.redact = Redactor()
        self.store = Store(options.directory)
        self.docker = Docker(self.run, options.project, self.redact)
        self.timeline: list = []
        self.warnings: list = []
        self.key = b""
        self._report = report
        self._began = self.clock.monotonic()

    def elapsed(self) -> float:
        return self.clock.monotonic() - self._began

    def event(self, text: str) -> None:
        entry = {"seconds": round(self.elapsed(), 2), "event": self.redact(text)}
        self.timeline.append(entry)
        if self._report:
            self._report(entry)

    def warn(self, text: str) -> None:
        text = self.redact(text)
        if text not in self.warnings:
            self.warnings.append(text)

    def proxy(self, service: str) -> ProxyControl:
        return ProxyControl(self.store.proxies, service, self.clock)
