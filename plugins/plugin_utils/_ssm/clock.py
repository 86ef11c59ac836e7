# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only place of this package that reads a clock or sleeps, so that tests can hand in another one."""

from __future__ import annotations

import time


class Clock:
    def monotonic(self) -> float:
        """Return seconds that only go forward."""
        return time.monotonic()

    def epoch_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return int(time.time() * 1000)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
