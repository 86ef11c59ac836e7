# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Text of a ``.env`` file: writing it so that Compose reads back exactly the same values, and comparing its keys; no I/O."""

from __future__ import annotations

import re

from .errors import InvalidInput

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=~^*?&;|!()<>{}\[\]-]*")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:[=:].*)?$")


def quote(value: str) -> str:
    """One value as compose-go's dotenv reader takes it back unchanged.

    Source: https://github.com/compose-spec/compose-go/tree/main/dotenv; single quotes are literal, double quotes know
    backslash escapes and expand variables.
    """
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value and "\n" not in value and "\r" not in value and "\\" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def render(values: dict) -> str:
    """The whole file, sorted by key."""
    return "".join(f"{key}={quote(values[key])}\n" for key in sorted(values))


_ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\n]*))""",
    re.MULTILINE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def read(text: str) -> dict:
    """Value by key of a ``.env`` text, quotes and escapes resolved, variables not expanded. Good for comparing and for hiding values."""
    result = {}
    for key, single, double, plain in _ASSIGNMENT.findall(text):
        if double:
            result[key] = re.sub(r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group(1)), double, flags=re.DOTALL)
        else:
            result[key] = single or re.sub(r"\s+#.*$", "", plain).strip()
    return result


def is_key(word: str) -> bool:
    """Whether a word can be a variable's name."""
    return bool(_KEY.fullmatch(word))


def keys(text: str) -> list:
    """Keys of a ``.env`` or ``.env.example`` text in order of appearance; comments and blank lines are skipped."""
    found = []
    inside = ""  # the quote of a value that goes on over several lines
    for line in text.splitlines():
        if inside:
            if line.rstrip().endswith(inside):
                inside = ""
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if not match:
            continue
        found.append(match.group(1))
        value = line.partition("=")[2].strip()
        if value[:1] in ("'", '"') and value.count(value[0]) == 1:
            inside = value[0]
    return list(dict.fromkeys(found))


def values_by_key(names: list, path: str) -> dict:
    """Full parameter name by key (the last part of the name), or InvalidInput when two names share one or cannot be a key."""
    result = {}
    for name in names:
        key = name.rstrip("/").rpartition("/")[2]
        if not is_key(key):
            raise InvalidInput(
                f"Cannot write .env from {path}: the last part of parameter '{name}' is not a variable name "
                "(letters, digits and '_'). Rename the parameter."
            )
        if key in result:
            raise InvalidInput(
                f"Cannot write .env from {path}: parameters '{result[key]}' and '{name}' would both become {key}. "
                "Rename one of them, or release from a narrower path."
            )
        result[key] = name
    return result


def check_keys(wanted: list, given: list, *, example: str, where: str) -> None:
    """InvalidInput that names every missing and every extra key; nothing when both sides agree. ``where``: "below /app/dev", say."""
    missing = sorted(set(wanted) - set(given))
    extra = sorted(set(given) - set(wanted))
    if not missing and not extra:
        return
    words = []
    if missing:
        words.append(f"missing {where}: {', '.join(missing)}")
    if extra:
        words.append(f"not in {example}: {', '.join(extra)}")
    remedy = []
    if missing:
        remedy.append(f"create the missing parameters {where}")
    if extra:
        remedy.append(f"add the extra keys to {example} or delete the parameters")
    raise InvalidInput(
        f"Cannot release: the parameters {where} are not the keys of {example} ({'; '.join(words)}). "
        f"{' and '.join(remedy).capitalize()}. Nothing was changed."
    )
