# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a shell becomes the multiplexer or a serial executor: the loader's text, the wait for the token, real shells in real terminals."""

from __future__ import annotations

import contextlib
import shutil
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminal_machine import NONCE, Terminal

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import bringup, mux, session
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError

SHELLS = [name for name in ("dash", "bash", "ksh", "zsh") if shutil.which(name)]


def test_loader_never_contains_the_token():
    for shell_only in (True, False):
        assert NONCE not in bringup.loader(NONCE, "python3.9", shell_only)


def test_loader_is_constant_but_for_nonce_and_interpreter():
    first, second = bringup.loader("aabb", "py"), bringup.loader("ccdd", "py")
    assert first.replace("aa bb", "cc dd") == second


def test_loader_fits_a_terminals_line_and_has_no_braces_that_a_document_would_expand():
    for shell_only in (True, False):
        line = bringup.loader(NONCE, "/opt/python/bin/python3.12", shell_only)
        assert "\n" not in line
        assert "{{" not in line and "}}" not in line
        assert len(bringup.typed(line)) < 2048
    with pytest.raises(ProtocolError, match="too long to be typed"):
        bringup.typed("x" * 4096)


def test_interpreter_comes_first_and_once():
    line = bringup.loader(NONCE, "python3")
    assert "for p in python3 /usr/libexec/platform-python" in line
    assert "for p in /opt/py python3 " in bringup.loader(NONCE, "/opt/py")


def test_payload_has_its_length_in_front():
    data = bringup.payload("# comment\nfrom __future__ import annotations\n\nif True:\n    x = 1\n")
    assert int(data[:8]) == len(data) - 8
    assert zlib.decompress(data[8:]) == b"\nif True:\n x = 1"


@pytest.mark.parametrize(
    ("output", "mode", "armour", "rest"),
    [
        (b"banner\r\n0123456789abcdef py\n", "py", None, b""),
        (b"$ cd; echo 01234567 89abcdef\r\n0123456789abcdef py\nabc", "py", None, b"abc"),
        (b"0123456789abcdef sh base64\n", "sh", "base64", b""),
        (b"0123456789abcdef sh od\r\n", "sh", "od", b""),
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_token(output, mode, armour, rest, step):
    machine = bringup.Bringup(NONCE)
    found = None
    collected = b""
    for position in range(0, len(output), step):
        piece = output[position : position + step]
        if found is None:
            found = machine.feed(piece)
            collected = found or b""
        else:
            collected += piece
    assert (machine.mode, machine.armour, collected) == (mode, armour, rest)


def test_noise_is_kept_for_the_error_message():
    machine = bringup.Bringup(NONCE)
    assert machine.feed(b"x" * 100_000 + b"\r\nThis account is \x1b[1mcurrently\x07 not available.\r\n") is None
    assert machine.noise == "This account is [1mcurrently not available."
    assert bringup.Bringup(NONCE).noise == ""


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("typed", [False, True], ids=["document", "typed"])
def test_real_shell_becomes_the_multiplexer(shell, typed):
    machine = Terminal(interpreter=sys.executable, shell=shell, typed=typed)
    assert machine.up().multiplexed
    number = machine.session.mux.execute(["echo", "hi"])
    events = machine.until(lambda event: isinstance(event, mux.Exit))
    assert mux.Stdout(number, b"hi\n") in events
    machine.close()


def test_interpreter_that_does_not_work_is_passed_over(tmp_path):
    for name, code in (("broken", 127), ("old", 97), ("crashing", 1)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
        machine = Terminal(interpreter=str(tmp_path / name))
        assert machine.up().multiplexed
        machine.close()


def test_host_without_python_gets_the_shell(tmp_path, monkeypatch):
    for name in ("sh", "stty", "head", "sed", "cat", "base64"):
        (tmp_path / name).symlink_to(shutil.which(name))
    monkeypatch.setattr(bringup, "PYTHONS", ("python3", "/nowhere/python3"))
    machine = Terminal(environment={"PATH": str(tmp_path)})
    assert not machine.up().multiplexed
    assert run(machine, b"echo hi") == (0, b"hi\n", b"")
    machine.close()


@pytest.fixture(params=SHELLS)
def serial(request):
    machine = Terminal(shell=request.param, shell_only=True)
    assert not machine.up().multiplexed
    yield machine
    machine.close()


def run(machine, command, stdin=b""):
    machine.session.shell_execute(command, stdin)
    event = machine.until(lambda item: isinstance(item, session.ShellExit))[-1]
    return event.code, event.stdout, event.stderr


def test_serial_shell(serial):
    assert run(serial, b"printf out; echo err >&2; exit 3") == (3, b"out", b"err\n")
    assert run(serial, b"cat", bytes(range(256)) * 50) == (0, bytes(range(256)) * 50, b"")
    assert run(serial, b"true", b"nobody reads this\nE 1 1\n") == (0, b"", b"")
    assert run(serial, "echo '汉语'\n".encode()) == (0, "汉语\n".encode(), b"")
    assert run(serial, b"head -c 200000 /dev/zero; exit 0") == (0, bytes(200_000), b"")
    assert run(serial, b"exit 0") == (0, b"", b"")
    assert run(serial, b"kill -9 $$")[0] == 137


def test_serial_shell_with_od(tmp_path):
    for name in ("sh", "stty", "head", "sed", "cat", "od"):
        (tmp_path / name).symlink_to(shutil.which(name))
    machine = Terminal(shell="sh", shell_only=True, environment={"PATH": str(tmp_path)})
    machine.up()
    assert run(machine, b"cat; echo e >&2", bytes(range(256))) == (0, bytes(range(256)), b"e\n")
    machine.close()


def test_shell_request():
    assert bringup.shell_request(b"id", b"xyz") == b"E 2 3\nidxyz"
    with pytest.raises(ProtocolError, match="NUL"):
        bringup.shell_request(b"a\0b", b"")


def test_shell_reply():
    reply = bringup.ShellReply("base64")
    for piece in (b"O aGVs\r\nE IQ", b"==\nO bG8=\nEX", b"IT 12\n"):
        assert reply.code is None
        reply.feed(piece)
    assert (reply.code, bytes(reply.stdout), bytes(reply.stderr)) == (12, b"hello", b"!")


@given(st.sampled_from(["base64", "od"]), st.lists(st.binary(max_size=30), max_size=6))
def test_any_reply_gives_a_result_or_a_protocol_error(armour, chunks):
    reply = bringup.ShellReply(armour)
    with contextlib.suppress(ProtocolError):
        for chunk in chunks:
            reply.feed(chunk)
