# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in text."""

from __future__ import annotations

import base64
import html
import json
import shlex
import textwrap
import time
import urllib.parse

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.redact import MASK, Redactor

SECRETS = ["p@ss/w0rd", 'it\'s "quoted" $HOME & <more>', "päss wörd 🔑!", "back\\slash$$twice%done", "a+b=c/d?e#f", "tail==", "~*!()-._x"]


def _escape_all(secret, unit):
    return "".join(char if char.isalnum() and char.isascii() else unit(char) for char in secret)


SPELLINGS = {
    "as it is": lambda secret: secret,
    "URL, RFC 3986": lambda secret: urllib.parse.quote(secret, safe=""),
    "URL, slash kept": urllib.parse.quote,
    "URL, lower case": lambda secret: _escape_all(secret, lambda char: "".join(f"%{byte:02x}" for byte in char.encode())),
    "URL, form": urllib.parse.quote_plus,
    "URL, JavaScript": lambda secret: urllib.parse.quote(secret, safe="-_.!~*'()"),
    "URL, twice": lambda secret: urllib.parse.quote(urllib.parse.quote(secret, safe=""), safe=""),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON, not ASCII": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON, slashes escaped": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON, for HTML": lambda secret: json.dumps(secret)[1:-1].replace("<", "\\u003c").replace(">", "\\u003E").replace("&", "\\u0026"),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "compose file": lambda secret: json.dumps(secret.replace("$", "$$"))[1:-1],
    "XML": html.escape,
    "XML, numbers": lambda secret: _escape_all(secret, lambda char: f"&#{ord(char)};"),
    "XML, hexadecimal": lambda secret: _escape_all(secret, lambda char: f"&#x{ord(char):X};"),
    "shell": lambda secret: shlex.quote(secret)[1:-1] if shlex.quote(secret) != secret else secret,
    "shell, backslashes": lambda secret: _escape_all(secret, lambda char: "\\" + char),
    "shell, closed and opened": lambda secret: secret.replace("'", "'\\''"),
    "SQL": lambda secret: secret.replace("'", "''"),
    "format string": lambda secret: secret.replace("%", "%%"),
    "bytes of Python": lambda secret: repr(secret.encode())[2:-1],
    "hexadecimal": lambda secret: secret.encode().hex(),
}


@pytest.mark.case("A5")
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_every_spelling_is_taken(secret, spelling):
    text = SPELLINGS[spelling](secret)
    assert Redactor([secret])(f"url=postgres://app:{text}@db/x") == f"url=postgres://app:{MASK}@db/x"


BASE64 = {"standard": base64.b64encode, "URL": base64.urlsafe_b64encode}


@pytest.mark.case("A5")
@pytest.mark.parametrize("padding", [True, False])
@pytest.mark.parametrize("form", BASE64)
@pytest.mark.parametrize("user", ["", "u:", "us:", "use:", "user:"])
@pytest.mark.parametrize("secret", [*SECRETS, "sh0rt", "ab?~"])
def test_base64_is_taken_at_every_alignment(secret, user, form, padding):
    text = BASE64[form]((user + secret).encode()).decode()
    text = text if padding else text.rstrip("=")
    left = Redactor([secret])(f"Authorization: Basic {text} end")
    assert MASK in left
    assert left.startswith("Authorization: Basic ") and left.endswith(f"{MASK} end")
    assert len(left) <= len("Authorization: Basic  end") + len(MASK) + len(base64.b64encode(user.encode()))


@pytest.mark.case("A5")
def test_base64_is_taken_in_the_middle_and_over_lines():
    secret = "correct horse battery staple / and some more of it, which is longer than one line holds"
    for before in ("", "x", "xy"):
        for after in ("", "1", "22", "333"):
            text = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
            for shown in (text, "\n".join(textwrap.wrap(text, 76)), "\\n".join(textwrap.wrap(text, 64))):
                left = Redactor([secret])(f"data: {shown}\n")
                assert MASK in left and len(left) < 40, (before, after, left)


@pytest.mark.case("A5")
@pytest.mark.parametrize("text", ["device and developer", "the devil of devices", "a ZGV2aWNl", "underdev", "abcdev", "dev1"])
def test_a_short_secret_does_not_blot_out_ordinary_words(text):
    assert Redactor(["dev"])(text) == text
    assert Redactor(["dev"])("password=dev, 'dev'") == f"password={MASK}, '{MASK}'"


@pytest.mark.case("A5")
def test_a_long_log_with_many_secrets_is_read_quickly():
    secrets = ["\\" * 12 + "x" * number + "$'%" * 6 for number in range(1, 40)]
    began = time.process_time()
    Redactor(secrets)(("\\" * 60 + "$" * 60 + "'" * 60 + "%25" * 20 + "\n") * 25)
    assert time.process_time() - began < 5


def test_the_longest_is_taken_first():
    assert Redactor(["pass", "password"])("a password, a pass") == f"a {MASK}, a {MASK}"


def test_every_form_is_taken():
    secret = 'pa$s"word\nsecond line'
    redact = Redactor([secret])
    for text in (secret, json.dumps(secret), secret.replace("$", "$$"), json.dumps(secret.replace("$", "$$")), "only the second line"):
        assert "word" not in redact(text)
        assert "second" not in redact(text)


def test_short_values_stay():
    assert Redactor(["", "1", "ab"])("1 ab") == "1 ab"


def test_it_learns():
    redact = Redactor()
    redact.add(["hunter2"])
    assert redact("hunter2") == MASK


@pytest.mark.case("A5")
def test_of_two_secrets_the_longer_one_is_replaced_whole():
    assert Redactor(["Passw0rd", "Passw0rd-of-the-superuser"])("it is Passw0rd-of-the-superuser") == f"it is {MASK}"


@pytest.mark.case("A5")
@pytest.mark.parametrize("secret", ["a1!", "!1a", "a!1"])
def test_a_short_secret_ends_at_a_sign_of_its_own(secret):
    redact = Redactor([secret])
    assert redact(f"x {secret} y") == f"x {MASK} y"
    assert redact(f"{secret}z") == (f"{secret}z" if secret[-1].isalnum() else f"{MASK}z")
    assert redact(f"z{secret}") == (f"z{secret}" if secret[0].isalnum() else f"z{MASK}")
