# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rune-by-rune walk that the real agent does over a process's output, with its two faults; pure.

It is not binary safe: a genuine U+FFFD (EF BF BD) leaves as the single byte EF, and an invalid sequence within the last three bytes is held
back until more output comes, so it is lost at the end of a session. Other invalid bytes pass.
"""

from __future__ import annotations

_LONGEST_RUNE = 4
_REPLACEMENT = b"\xef\xbf\xbd"


class RuneWalk:
    """Keeps the bytes that are held back between two reads."""

    def __init__(self) -> None:
        self.held = b""

    def feed(self, data: bytes) -> bytes:
        """Bytes to send on for these bytes read."""
        data = self.held + data
        self.held = b""
        if data.isascii():
            return data
        if _REPLACEMENT not in data:
            try:
                data.decode("utf-8")
                return data
            except UnicodeDecodeError:
                pass
        return self._walk(data)

    def _walk(self, data: bytes) -> bytes:
        out = bytearray()
        position = 0
        while position < len(data):
            width = _rune_width(data, position)
            rune = data[position : position + width]
            if width == 0 or rune == _REPLACEMENT:
                if len(data) - position < _LONGEST_RUNE:
                    self.held = data[position:]
                    break
                out += data[position : position + 1]
                position += width or 1
            else:
                out += rune
                position += width
        return bytes(out)


def _rune_width(data: bytes, position: int) -> int:
    """Bytes of the valid rune at this position; 0 when there is none."""
    first = data[position]
    if first < 0x80:
        return 1
    width = 2 if 0xC2 <= first <= 0xDF else 3 if 0xE0 <= first <= 0xEF else 4 if 0xF0 <= first <= 0xF4 else 0
    if width and len(data) - position >= width:
        try:
            data[position : position + width].decode("utf-8")
            return width
        except UnicodeDecodeError:
            pass
    return 0
