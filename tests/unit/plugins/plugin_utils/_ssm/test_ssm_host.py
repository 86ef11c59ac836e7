# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host's commands and files over a link that is a list of events: exactly once, timeouts, dialogues, damaged files."""

from __future__ import annotations

import os

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import mux
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import SessionLost, SsmError
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.host import CommandMayHaveRun, CommandTimeout, FileError, Host


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


class Client:
    """Records what the host asks of the multiplexer."""

    def __init__(self):
        self.calls = []
        self.hello = {"home": "/root"}

    def queued(self, channel):
        return 0

    def __getattr__(self, name):
        def record(*arguments, **options):
            self.calls.append((name, *arguments))
            return 1

        return record


class Link:
    def __init__(self, events, multiplexed=True):
        self.script = list(events)
        self.mux = Client()
        self.multiplexed = multiplexed
        self.alive = False
        self.ended = self.resets = 0

    def start(self):
        self.alive = True

    def end(self):
        self.alive = False
        self.ended += 1

    def reset(self):
        self.alive = False
        self.resets += 1

    def flush(self):
        pass

    def next_event(self, deadline):
        event = self.script.pop(0)
        if isinstance(event, Exception):
            raise event
        return event


def host(*links, clock=None):
    waiting = list(links)
    return Host("i-1", lambda: waiting.pop(0), clock or Clock())


def test_run_collects_both_streams_in_order():
    link = Link([mux.Stdout(1, b"a"), mux.Stderr(1, b"e"), mux.Stdout(9, b"other"), mux.Stdout(1, b"b"), mux.Exit(1, 3)])
    assert host(link).run(["x"], b"in") == (3, b"ab", b"e")
    assert link.mux.calls == [("execute", ["x"]), ("write", 1, b"in"), ("close_stdin", 1)]


def test_signal_becomes_128_and_its_number():
    assert host(Link([mux.Exit(1, -9)])).run(["x"])[0] == 137


def test_a_command_is_never_sent_again():
    first, second = Link([SessionLost("Gone")]), Link([mux.Exit(1, 0)])
    one = host(first, second)
    with pytest.raises(CommandMayHaveRun, match="may have run: it is not sent again"):
        one.run(["x"])
    assert second.mux.calls == []
    first.alive = False
    assert one.run(["y"])[0] == 0
    assert second.mux.calls[0] == ("execute", ["y"])


def test_timeout_kills():
    link = Link([None])
    with pytest.raises(CommandTimeout, match="The command on i-1 ran longer than 5 s and was killed."):
        host(link).run(["x"], timeout=5.0)
    assert link.mux.calls[-1] == ("signal", 1, 9)


class Dialogue:
    needs_reply = True

    def __init__(self, error=None):
        self.done, self.error = False, error

    def feed(self, stdout, stderr):
        if self.error:
            raise self.error
        self.done = b"OK" in stdout
        return b"" if self.done else b"password\n"

    def flush(self):
        return b"rest", b""


def test_input_waits_for_the_dialogue():
    link = Link([mux.Stderr(1, b"prompt"), mux.Stdout(1, b"OK"), mux.Stdout(1, b"out"), mux.Exit(1, 0)])
    assert host(link).run(["x"], b"in", dialogue=Dialogue()) == (0, b"restout", b"")
    assert link.mux.calls[1:] == [("write", 1, b"password\n"), ("write", 1, b"in"), ("close_stdin", 1)]


def test_dialogue_that_fails_kills_the_command():
    link = Link([mux.Stderr(1, b"prompt")])
    with pytest.raises(ValueError, match="wrong"):
        host(link).run(["x"], b"secret", dialogue=Dialogue(ValueError("wrong")))
    assert link.mux.calls[1:] == [("signal", 1, 9)]


def test_dialogue_that_nobody_answers():
    with pytest.raises(CommandTimeout, match="Nothing answered to privilege escalation on i-1 within 7 s."):
        host(Link([None])).run(["x"], dialogue=Dialogue(), dialogue_timeout=7.0)


def test_a_command_that_was_not_sent_is_not_said_to_have_run():
    with pytest.raises(SsmError, match="^The agent is offline.$"):
        host(Link([SsmError("The agent is offline.")])).run(["x"])


def test_the_serial_shell_gets_its_input_with_the_command_and_refuses_passwords():
    link = Link([mux.Stdout(1, b"OK"), mux.Stdout(1, b"out"), mux.Exit(1, 0)], multiplexed=False)
    one = host(link)
    with pytest.raises(SsmError, match="Cannot answer a password prompt on i-1: it has no Python 3.6 or later"):
        one.run(["x"], dialogue=Dialogue())
    dialogue = Dialogue()
    dialogue.needs_reply = False
    assert one.run(["x"], b"in", dialogue=dialogue) == (0, b"restout", b"")
    assert link.mux.calls == [("execute", ["x"]), ("write", 1, b"in"), ("close_stdin", 1)]


def test_the_serial_shell_takes_its_time_with_escalation():
    seen = []
    link = Link([mux.Stdout(1, b"OK"), mux.Exit(1, 0)], multiplexed=False)
    given = link.next_event
    link.next_event = lambda deadline: seen.append(deadline) or given(deadline)
    dialogue = Dialogue()
    dialogue.needs_reply = False
    host(link).run(["x"], dialogue=dialogue, dialogue_timeout=7.0)
    assert seen == [None, None]


def test_reset_ends_the_session_and_the_next_command_starts_one():
    first, second = Link([mux.Exit(1, 0)]), Link([mux.Exit(1, 0)])
    one = host(first, second)
    one.run(["x"])
    one.reset()
    assert first.resets == 1
    assert one.run(["y"])[0] == 0
    assert second.mux.calls[0] == ("execute", ["y"])


def test_reset_without_a_command_before_it():
    link = Link([])
    host(link).reset()
    assert link.resets == 1


def test_put_of_a_missing_file_starts_no_session(tmp_path):
    with pytest.raises(FileError, match="Cannot read .*/nothing: No such file or directory") as caught:
        host().put(str(tmp_path / "nothing"), "/x")
    assert caught.value.missing


def test_put_that_is_there_already(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    assert host(Link([mux.Result(1, {"same": True})])).put(str(tmp_path / "file"), "/x") is False


@pytest.mark.parametrize("end", [mux.End(1, 4, "d"), mux.End(1, 3, "wrong")])
def test_fetch_that_arrives_damaged_leaves_nothing(tmp_path, end):
    link = Link([mux.Result(1, {"size": 3}), mux.Data(1, b"abc"), end])
    with pytest.raises(FileError, match="it arrived damaged"):
        host(link).get("/x", str(tmp_path / "target"))
    assert os.listdir(tmp_path) == []


def test_lost_transfer_says_that_nothing_changed(tmp_path):
    with pytest.raises(SessionLost, match="the transfer of /x is incomplete, its destination is as it was") as caught:
        host(Link([SessionLost("Gone")])).get("/x", str(tmp_path / "target"))
    assert not isinstance(caught.value, CommandMayHaveRun)
    assert os.listdir(tmp_path) == []
