# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multiplexer itself, run from memory by real interpreters in a real terminal, as it runs on an instance."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest
from terminal_machine import Terminal

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import mux, mux_remote, relay
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind


def interpreters():
    """The Python of the tests, and the oldest that can be had: a name may be a version manager's shim that finds nothing."""
    found = [sys.executable]
    for name in ("python3.6", "python3.8"):
        path = shutil.which(name)
        if path and subprocess.run([path, "-c", "import zlib, tty, hashlib"], capture_output=True, check=False).returncode == 0:
            found.append(path)
    return found


@pytest.fixture(params=interpreters(), ids=os.path.basename)
def terminal(request):
    machine = Terminal(interpreter=request.param)
    assert machine.up().multiplexed
    yield machine
    machine.close()


@pytest.fixture
def one():
    machine = Terminal(interpreter=sys.executable)
    machine.up()
    yield machine
    machine.close()


def run(machine, script, stdin=b"", terminal=False, seconds=20.0):
    client = machine.session.mux
    number = client.execute(["sh", "-c", script], terminal=terminal)
    client.write(number, stdin)
    client.close_stdin(number)
    return finish(machine, number, seconds)


def finish(machine, number, seconds=20.0):
    events = machine.until(lambda event: isinstance(event, mux.Exit) and event.channel == number, seconds)
    out = b"".join(event.data for event in events if isinstance(event, mux.Stdout) and event.channel == number)
    err = b"".join(event.data for event in events if isinstance(event, mux.Stderr) and event.channel == number)
    return events[-1].code, out, err


def test_hello(terminal):
    hello = terminal.session.mux.hello
    assert hello["uid"] == os.getuid()
    assert hello["home"] == "/"
    assert hello["cwd"] == "/"


def test_streams_and_exit_code(terminal):
    assert run(terminal, "cat; echo problem >&2; exit 42", b"in") == (42, b"in", b"problem\n")


def test_all_bytes(terminal):
    data = bytes(range(256)) * 4 + "\ufffd".encode() + b"caf\xe9"
    assert run(terminal, "cat", data) == (0, data, b"")


def test_large_both_ways(terminal):
    data = os.urandom(600_000)
    code, out, _err = run(terminal, "cat", data)
    assert (code, hashlib.sha256(out).digest()) == (0, hashlib.sha256(data).digest())


def test_signal(terminal):
    assert run(terminal, "kill -9 $$") == (-9, b"", b"")


def test_many_at_once(terminal):
    client = terminal.session.mux
    numbers = [client.execute(["sh", "-c", f"sleep 0.{9 - index}; echo {index}"]) for index in range(6)]
    ended = []
    while len(ended) < len(numbers):
        ended += [event.channel for event in terminal.step() if isinstance(event, mux.Exit)]
    assert sorted(ended) == numbers
    assert ended[0] == numbers[-1]


def test_command_that_is_not_there(one):
    client = one.session.mux
    code, _out, err = finish(one, client.execute(["/no/such/program"]))
    assert (code, err) == (127, b"Cannot start the command: No such file or directory\n")


def test_arguments_are_bytes(one):
    client = one.session.mux
    text = b"caf\xe9 \xe6\xb1\x89".decode("utf-8", "surrogateescape")
    assert finish(one, client.execute(["printf", "%s", text]))[1] == b"caf\xe9 \xe6\xb1\x89"


def test_stdin_that_nobody_reads(one):
    assert run(one, "exit 5", os.urandom(900_000)) == (5, b"", b"")


def test_stdin_closed_early(one):
    assert run(one, "exec <&-; echo go; sleep 0.2", b"x" * 400_000) == (0, b"go\n", b"")


def test_daemon_that_keeps_the_pipes(one):
    before = time.monotonic()
    code, out, _err = run(one, "sh -c 'sleep 30' & echo started")
    assert (code, out) == (0, b"started\n")
    assert time.monotonic() - before < 5


def test_daemon_that_keeps_talking_does_not_hold_the_command(one):
    before = time.monotonic()
    code, out, _err = run(one, "(i=0; while [ $i -lt 200 ]; do echo tick; sleep 0.1; i=$((i+1)); done) & echo started")
    assert code == 0 and out.startswith((b"started\n", b"tick\n"))
    assert time.monotonic() - before < 8


def test_detached_daemon_survives(one, tmp_path):
    marker = tmp_path / "alive"
    code, _out, _err = run(one, f"setsid sh -c 'sleep 1.5; echo yes >{marker}' </dev/null >/dev/null 2>&1 & exit 0")
    assert code == 0
    one.session.mux.bye()
    one.step()
    deadline = time.monotonic() + 10
    while not marker.exists() and time.monotonic() < deadline:
        one.step()
    assert marker.exists()


def test_slow_reader_loses_nothing(one, tmp_path):
    """The terminal takes nothing for longer than the grace that a command's pipes get after its end."""
    client = one.session.mux
    (tmp_path / "file").write_bytes(os.urandom(230_000))
    number = client.execute(["cat", str(tmp_path / "file")])
    one.step()
    one.read = False
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        one.step()
    one.read = True
    code, out, _err = finish(one, number)
    assert (code, out) == (0, (tmp_path / "file").read_bytes())


def test_one_slow_command_does_not_stop_another(one):
    client = one.session.mux
    stuck = client.execute(["sh", "-c", "sleep 60"])
    client.write(stuck, b"x" * 500_000)  # more than its pipe takes
    assert run(one, "echo quick") == (0, b"quick\n", b"")
    client.signal(stuck, signal.SIGKILL)
    assert finish(one, stuck)[0] == -9


def test_signal_reaches_the_whole_group(one, tmp_path):
    client = one.session.mux
    number = client.execute(["sh", "-c", f"sh -c 'sleep 5; echo no >{tmp_path}/survived' & wait"])
    one.step()
    one.step()
    client.signal(number, signal.SIGTERM)
    assert finish(one, number)[0] == -15


def test_terminal_on_request(one):
    assert run(one, "test -t 0 && test -t 1 && tty >/dev/null && printf 'yes\\n'", terminal=True) == (0, b"yes\n", b"")
    assert run(one, "cat", b"line\n", terminal=True) == (0, b"line\n", b"")
    assert run(one, "test -t 0")[0] == 1


def test_ping(one):
    one.session.mux.ping(b"are you there")
    events = one.until(lambda event: isinstance(event, mux.Pong))
    assert events[-1] == mux.Pong(b"are you there")


def put(machine, path, data, mode=None, size=None, digest=None):
    client = machine.session.mux
    number = client.put(str(path), len(data) if size is None else size, digest or hashlib.sha256(data).hexdigest(), mode)
    client.put_data(number, data)
    client.finish_put(number)
    wanted = ("error", "same", "done")
    events = machine.until(lambda event: isinstance(event, mux.Result) and any(event.values.get(name) for name in wanted))
    return events[-1].values


@pytest.mark.parametrize("size", [0, 1, 65536, 700_000])
def test_put(terminal, tmp_path, size):
    data = os.urandom(size)
    path = tmp_path / "汉 '\"$x"
    assert put(terminal, path, data) == {"done": True}
    assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [path.name]


def test_put_skips_what_is_there(one, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"contents")
    before = path.stat().st_mtime_ns
    assert put(one, path, b"contents") == {"same": True}
    assert path.stat().st_mtime_ns == before
    assert put(one, path, b"differs!") == {"done": True}
    assert path.read_bytes() == b"differs!"


def test_put_keeps_the_mode_and_follows_links(one, tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    assert put(one, link, b"new") == {"done": True}
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode), link.is_symlink()) == (b"new", 0o640, True)
    assert put(one, path, b"newer", mode=0o755) == {"done": True}
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


@pytest.mark.parametrize(("size", "digest"), [(5, None), (None, "0" * 64)])
def test_put_that_arrives_damaged_leaves_the_old_file(one, tmp_path, size, digest):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    assert "damaged" in put(one, path, b"new data", size=size, digest=digest)["error"]
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_put_errors(one, tmp_path):
    assert put(one, tmp_path / "missing" / "file", b"x") == {"error": "No such file or directory"}
    assert put(one, tmp_path, b"x") == {"error": "Is a directory"}
    assert put(one, "/dev/null", b"x") == {"done": True}
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("size", [0, 1, 700_000])
def test_get(terminal, tmp_path, size):
    data = os.urandom(size)
    path = tmp_path / "汉"
    path.write_bytes(data)
    number = terminal.session.mux.get(str(path))
    events = terminal.until(lambda event: isinstance(event, mux.End))
    assert b"".join(event.data for event in events if isinstance(event, mux.Data)) == data
    assert events[-1] == mux.End(number, size, hashlib.sha256(data).hexdigest())
    (result,) = [event for event in events if isinstance(event, mux.Result)]
    assert result.values["size"] == size


@pytest.mark.parametrize(("path", "text", "missing"), [("/no/such", "No such file or directory", True), ("/tmp", "Is a directory", False)])
def test_get_errors(one, path, text, missing):
    one.session.mux.get(path)
    events = one.until(lambda event: isinstance(event, mux.Result))
    assert events[-1].values == {"error": text, "missing": missing}


def test_bye_ends_what_runs(one, tmp_path):
    client = one.session.mux
    client.execute(["sh", "-c", f"echo $$ >{tmp_path}/pid; exec sleep 60"])
    deadline = time.monotonic() + 10
    while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
        one.step()
    client.bye()
    while one.process.poll() is None and time.monotonic() < deadline:
        one.step()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_output_is_ascii_lines_only(one):
    one.raw.clear()
    run(one, "head -c 50000 /dev/urandom")
    assert one.raw.endswith(b"\n")
    assert all(byte < 128 for byte in one.raw)
    assert max(len(line) for line in one.raw.split(b"\n")) <= 65536


# `wait` and no loop of short sleeps: dash starts those with vfork and may lose a signal that comes just then.


def eventually(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_cancelled_command_is_hung_up_and_another_goes_on(one, tmp_path):
    client = one.session.mux
    number = client.execute(["sh", "-c", f"trap 'echo hup >{tmp_path}/mark; exit' HUP; sleep 60 & echo ready; wait"])
    one.until(lambda event: isinstance(event, mux.Stdout) and event.channel == number, 10.0)
    client.cancel(number)
    assert run(one, "echo still here") == (0, b"still here\n", b"")
    eventually((tmp_path / "mark").exists)


def test_a_cancelled_upload_leaves_nothing(one, tmp_path):
    client = one.session.mux
    number = client.put(str(tmp_path / "file"), 10, "0" * 64)
    one.until(lambda event: isinstance(event, mux.Result) and event.channel == number, 10.0)
    assert len(os.listdir(tmp_path)) == 1
    client.cancel(number)
    run(one, "true")
    assert os.listdir(tmp_path) == []


def test_a_large_file_can_be_held_and_read_through_its_descriptor(one, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 5000)
    client = one.session.mux
    number = client.get(str(tmp_path / "file"), hold=4999)
    held = one.until(lambda event: isinstance(event, mux.Result) and event.channel == number, 10.0)[-1].values
    with open(f"/proc/{held['pid']}/fd/{held['descriptor']}", "rb") as file:
        assert file.read() == b"x" * 5000
    client.release(number)
    events = one.until(lambda event: isinstance(event, mux.End) and event.channel == number, 10.0)
    assert b"".join(event.data for event in events if isinstance(event, mux.Data)) == b"x" * 5000
    small = client.get(str(tmp_path / "file"), hold=5000)
    events = one.until(lambda event: isinstance(event, mux.End) and event.channel == small, 10.0)
    assert not any("pid" in event.values for event in events if isinstance(event, mux.Result))


def test_goodbye_gives_what_runs_time_to_put_things_right(one, tmp_path):
    client = one.session.mux
    number = client.execute(["sh", "-c", f"trap 'sleep 2; echo done >{tmp_path}/mark; exit' HUP; sleep 60 & echo ready; wait"])
    one.until(lambda event: isinstance(event, mux.Stdout) and event.channel == number, 10.0)
    client.bye()
    one.step()
    one.step()
    eventually((tmp_path / "mark").exists)


def test_remembered_input_is_exact_however_often_it_is_forgotten(one):
    """The relay and the instance forget by the same rule: more than both keep, some of it twice."""
    known = relay.Memory()
    client = one.session.mux
    plain = client._send
    client._send = lambda frame: plain(known.recall(frame) if frame.kind == Kind.STDIN and len(frame.payload) >= 4096 else frame)
    pieces = [os.urandom(30_000) for _number in range(20)]
    for turn in range(4):
        data = b"".join(piece.hex().encode() + b"\n" for piece in pieces[turn : turn + 12])
        code, out, _err = run(one, "sha256sum", data)
        assert (code, out.split()[0].decode()) == (0, hashlib.sha256(data).hexdigest())


def test_the_instance_forgets_what_the_relay_forgets():
    assert mux_remote.KNOWN_LIMIT == relay.KNOWN_LIMIT
    ours, theirs = relay.Memory(limit=200_000), mux_remote.Multiplexer.__new__(mux_remote.Multiplexer)
    theirs.known, theirs.known_size = {}, 0
    limit, mux_remote.KNOWN_LIMIT = mux_remote.KNOWN_LIMIT, 200_000
    try:
        for number in [0, 1, 2, 3, 1, 4, 5, 0, 6, 2, 2, 7, 0, 1]:
            data = bytes([number]) * (10_000 + number * 9_000)
            frame = ours.recall(Frame(Kind.STDIN, 1, data))
            assert (theirs.remember(data) if frame.kind == Kind.PIECE else theirs.known[frame.payload[:16]]) == data
            assert list(ours._sizes) == list(theirs.known)
    finally:
        mux_remote.KNOWN_LIMIT = limit
