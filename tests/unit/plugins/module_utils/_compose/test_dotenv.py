# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The .env text: written so that Compose reads it back, compared by keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import dotenv
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput

# (value, text): each text was read back by docker compose 2.26.1 and 5.6.1 as the value.
QUOTED = [
    ("mysql", "mysql"),
    ("", ""),
    ("jdbc:mysql://mysql:3306/popcon?useSSL=false&x=y", "jdbc:mysql://mysql:3306/popcon?useSSL=false&x=y"),
    ("two words", "'two words'"),
    ("at the end\n", '"at the end\\n"'),
    ('a$b "q" #c', "'a$b \"q\" #c'"),
    ("it's", '"it\'s"'),
    ("it's $5", '"it\'s \\$5"'),
    ("line\nbreak", '"line\\nbreak"'),
    ("back\\slash", '"back\\\\slash"'),
]


@pytest.mark.parametrize(("value", "text"), QUOTED)
def test_quoting(value, text):
    assert dotenv.quote(value) == text


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00\r\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e"), max_size=40))
def test_what_is_written_is_read(value):
    assert dotenv.read(f"A=1\n{dotenv.render({'KEY': value})}Z=2\n")["KEY"] == value


def test_rendering_is_sorted_and_ends_in_a_newline():
    assert dotenv.render({"B": "2", "A": "1"}) == "A=1\nB=2\n"


def test_keys_of_an_example():
    text = '# comment\n\nDB_HOST=\nexport DB_PORT = 3306 # default\nMOTD="two\nlines=no key"\nDB_HOST=again\nJAVA_OPTS\n'
    assert dotenv.keys(text) == ["DB_HOST", "DB_PORT", "MOTD", "JAVA_OPTS"]


def test_equal_keys_pass():
    dotenv.check_keys(["A", "B"], ["B", "A"], example=".env.example", where="below /popcon/dev")


def test_missing_and_extra_keys_are_all_named():
    with pytest.raises(InvalidInput) as caught:
        dotenv.check_keys(["DB_HOST", "DB_PASSWORD", "A"], ["A", "DB_PASSWROD"], example=".env.example", where="below /popcon/dev")
    assert str(caught.value) == (
        "Cannot release: the parameters below /popcon/dev are not the keys of .env.example (missing below /popcon/dev: DB_HOST, DB_PASSWORD; "  # noqa: E501
        "not in .env.example: DB_PASSWROD). Create the missing parameters below /popcon/dev and add the extra keys to .env.example or delete "  # noqa: E501
        "the parameters. Nothing was changed."
    )


def test_keys_are_the_last_parts_of_names():
    assert dotenv.values_by_key(["/popcon/dev/DB_HOST", "/popcon/dev/db/DB_PORT"], "/popcon/dev") == {
        "DB_HOST": "/popcon/dev/DB_HOST",
        "DB_PORT": "/popcon/dev/db/DB_PORT",
    }


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["/p/a/KEY", "/p/b/KEY"], "parameters '/p/a/KEY' and '/p/b/KEY' would both become KEY"),
        (["/p/no-variable"], "the last part of parameter '/p/no-variable' is not a variable name"),
    ],
)
def test_names_that_cannot_be_keys(names, words):
    with pytest.raises(InvalidInput, match=words):
        dotenv.values_by_key(names, "/p")
