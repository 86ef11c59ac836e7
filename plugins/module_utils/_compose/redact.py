# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Takes secret values out of text before anybody sees it, in each spelling that logs usually have; no I/O."""

from __future__ import annotations

import base64
import itertools
import re

MASK = "********"
_SHORTEST = 3  # a shorter value would blank innocent text, and cannot be a secret worth the name
_BARE = 6  # a shorter one is only hidden where it stands alone: 'dev' is not taken out of 'device'
_LINE = 60  # digits of base64 in one pattern: a longer value is found piece by piece
_WORD = "A-Za-z0-9"
_BASE64 = "A-Za-z0-9+/_-"
_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_ESCAPED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
# In shell, SQL, compose files and format strings these are written twice, or closed, escaped and opened again.
_DOUBLED = {"'": r"""'(?:\\''|"'"')?""", '"': '"', "$": r"\$", "%": "%", "\\": r"\\"}


def _hex(number: int, digits: int = 2) -> str:
    """A pattern for a number in hexadecimal digits of either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{number:0{digits}x}")


def _character(char: str, times: int) -> str:
    """A pattern for ``times`` of one character, as it is or as URLs, JSON, XML, shells and programs write it."""
    if char.isascii() and char.isalnum():
        return char if times == 1 else f"{char}{{{times}}}"
    units = char.encode("utf-16-be", "surrogatepass")
    others = [
        "".join("%(?:25)*" + _hex(byte) for byte in char.encode("utf-8", "surrogateescape")),
        "".join(r"\\+u" + _hex(int.from_bytes(units[at : at + 2], "big"), 4) for at in range(0, len(units), 2)),
        "".join(r"\\+x" + _hex(byte) for byte in char.encode("utf-8", "surrogateescape")),
        rf"&(?:amp;)*#0*{ord(char)};",
        rf"&(?:amp;)*#[xX]0*{_hex(ord(char), 1)};",
    ]
    if char in _NAMED:
        others.append(f"&(?:amp;)*{_NAMED[char]};")
    if char in _ESCAPED:
        others.append(r"\\+" + _ESCAPED[char])
    if char == " ":
        others.append(r"\+")
    own = r"\\{0,3}" + _DOUBLED.get(char, re.escape(char)) if char != "\\" else r"\\"
    most = times * (4 if char == "\\" else 2 if char in _DOUBLED else 1)
    return f"(?:(?:{own}){{{times},{most}}}|(?:{'|'.join(others)}){{{times}}})"


def _plain(value: str) -> str:
    return "".join(_character(char, len(list(run))) for char, run in itertools.groupby(value))


def _encoded(value: bytes) -> list:
    """Patterns for base64 of a text that holds the value: it can begin at each of three places within the groups of four digits.

    What is at the end of the text ('user:password') has digits of its own. The digits that only part of the value decides go too.
    """
    found = []
    for before in range(3):
        text = base64.b64encode(b"\0" * before + value).decode().rstrip("=")
        first, last = -(-before * 8 // 6), (before + len(value)) * 8 // 6
        end = r"(?:=|%3[dD]){0,2}"
        if len(value) >= _BARE:
            count = max((last - first) // _LINE, 1)  # pieces of one size: a short one would take innocent text
            edges = [first + (last - first) * number // count for number in range(count + 1)]
            parts = [_digits(text, *pair) for pair in zip(edges, edges[1:])]  # noqa: B905, RUF007  Python 3.8
            parts[0] = (f"[{_BASE64}]?" if before else "") + parts[0]
            parts[-1] += f"[{_BASE64}]?{end}"
            found += parts
        elif len(value) > _SHORTEST or not before:  # only as the end of what is encoded; of three letters only those alone
            alone = f"(?<![{_BASE64}])" if len(value) <= _SHORTEST else ""
            found.append(alone + _digits(text, first, len(text)) + end + f"(?![{_BASE64}])")
    return found


def _digits(text: str, first: int, last: int) -> str:
    """Digits of base64 in its standard or its URL form; tools break lines between groups of four."""
    special = {"+": r"(?:[+-]|%2[bB]|\\+u002[bB])", "/": r"(?:\\{0,3}/|_|%2[fF])"}
    lines = r"(?:\\n|\r?\n)?"
    return "".join((lines if at % 4 == 0 and at > first else "") + special.get(text[at], text[at]) for at in range(first, last))


def _patterns(value: str) -> list:
    """(length, pattern) of every spelling of one value; of a value of several lines each line, and pieces of what encodes it all."""
    lines = {value.strip()} | set(value.splitlines())
    found = [(len(line), _bounded(line)) for line in (lines if "\n" not in value.strip() else lines - {value.strip()})]
    raw = value.encode("utf-8", "surrogateescape")
    for encoded in sorted({raw, raw.strip()}):
        found += [(len(value), pattern) for pattern in _encoded(encoded)]
    if _BARE <= len(raw) <= _LINE:
        found.append((len(value), "(?i:" + raw.hex() + ")"))
    return [entry for entry in found if entry[1]]


def _bounded(line: str) -> str:
    """The pattern of a line; empty when it is too short to hide, and with nothing of a word beside it when it is short."""
    if len(line.strip()) < _SHORTEST:
        return ""
    if len(line) >= _BARE:
        return _plain(line)
    return (f"(?<![{_WORD}])" if line[0].isalnum() else "") + _plain(line) + (f"(?![{_WORD}])" if line[-1].isalnum() else "")


class Redactor:
    """Knows the secret values of one release and replaces them in text, longest first."""

    def __init__(self, values=()):
        self._values: set = set()
        self._pattern = None
        self.add(values)

    def add(self, values) -> None:
        """Learns further secrets."""
        new = {value for value in values if len(value.strip()) >= _SHORTEST} - self._values
        if new:
            self._values |= new
            self._pattern = None

    def __call__(self, text: str) -> str:
        if not self._values:
            return text
        if self._pattern is None:
            spellings = sorted((entry for value in self._values for entry in _patterns(value)), key=lambda entry: (-entry[0], entry[1]))
            self._pattern = re.compile("|".join(dict.fromkeys(pattern for _length, pattern in spellings)))
        return self._pattern.sub(MASK, text)
