# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The side session's command and its lines: the real program's output cut anywhere, and anything else."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import side
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError


def output_of(path):
    """What the program writes before it waits to be ended."""
    with open(path, "rb") as file:
        words = shlex.split(side.command(sys.executable, os.getpid(), file.fileno()))
        with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
            output = b""
            while b"=" not in output.rpartition(b"\n")[0].rpartition(b"\n")[2][:1]:
                output += process.stdout.read1()
            process.kill()
    return output


@pytest.mark.parametrize(
    "data", [b"", b"a", b"\xef\xbf\xbd" * 7, b"a" * 200_000, os.urandom(120_000)], ids=["empty", "one", "odd", "deflates", "random"]
)
def test_the_program_and_its_lines(tmp_path, data):
    (tmp_path / "file").write_bytes(data)
    output = output_of(tmp_path / "file")
    assert output.isascii()
    for step in (1, 7, 1024, len(output)):
        if step == 1 and len(output) > 10_000:
            continue
        lines, events = side.Lines(), []
        for start in range(0, len(output), step):
            events += lines.feed(output[start : start + step])
        assert b"".join(event.data for event in events[:-1]) == data
        assert events[-1] == side.Finished(len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("line", [b"not base64!", b"eA==", b"enp6", b"=12 short", b"", b"=" * 10])
def test_damaged_lines(line):
    with pytest.raises(ProtocolError):
        side.Lines().feed(line + b"\n")


def test_a_line_that_does_not_end():
    with pytest.raises(ProtocolError, match="does not end"):
        side.Lines().feed(b"a" * (side.MAX_LINE + 1))


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_bytes(chunks):
    lines = side.Lines()
    try:
        for chunk in chunks:
            lines.feed(chunk)
    except ProtocolError:
        return


@pytest.mark.parametrize("python", ["/usr/bin/python3; reboot", "py thon", "'", ""])
def test_an_interpreter_that_would_need_quoting(python):
    with pytest.raises(ValueError, match="cannot be handed"):
        side.command(python, 1, 2)
