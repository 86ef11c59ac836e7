# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of the pure session layers; says nothing about sockets or AWS API calls.

Private to the collection: it can change at any time.
"""

from __future__ import annotations


class ProtocolError(Exception):
    """The peer sent bytes that break the protocol, or a caller used a machine in a state that does not allow it."""


class DamagedMessage(ProtocolError):
    """A message does not match its digest: it is to be dropped, and its sender sends it again."""
