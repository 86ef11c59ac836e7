# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs in forks of a process that has botocore loaded: real processes, as the connection uses them."""

from __future__ import annotations

import concurrent.futures
import io
import os
import pathlib
import subprocess
import sys
import time
import zipfile

import pytest

from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm import client as warm


@pytest.fixture(scope="module")
def server():
    started = warm.start()
    yield started
    started.close()


def run(server, text):
    return warm.run(server.address, text.encode())


def test_what_a_program_says_and_how_it_ends(server):
    assert run(server, "print('out')") == (0, b"out\n", b"")
    assert run(server, "import sys; sys.stderr.write('err'); sys.exit(3)") == (3, b"", b"err")
    assert run(server, "import sys; sys.exit('a sentence')") == (1, b"", b"a sentence\n")
    code, out, err = run(server, "1 / 0")
    assert (code, out) == (1, b"") and err.rstrip().endswith(b"ZeroDivisionError: division by zero")


def test_a_program_that_is_killed(server):
    assert run(server, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)") == (255, b"", b"")
    assert run(server, "print(1)") == (0, b"1\n", b"")


def test_botocore_is_loaded_already(server):
    assert run(server, "import sys; print('botocore.session' in sys.modules, 'ansible' in sys.modules)") == (0, b"True False\n", b"")


def test_much_on_both_streams(server):
    code, out, err = run(server, "import sys\nfor _ in range(400): sys.stdout.write('o' * 1000); sys.stderr.write('e' * 1000)")
    assert (code, out, err) == (0, b"o" * 400_000, b"e" * 400_000)


def test_a_program_of_two_megabytes(server):
    assert run(server, f"text = '{'x' * 2_000_000}'\nprint(len(text))") == (0, b"2000000\n", b"")


def test_environment_folder_and_umask_are_the_callers(server, monkeypatch, tmp_path):
    monkeypatch.setenv("ONLY_HERE", "yes")
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o077)
    try:
        code, out, _err = run(server, "import os; print(os.environ['ONLY_HERE'], os.getcwd()); open('made', 'w')")
    finally:
        os.umask(before)
    assert (code, out.decode()) == (0, f"yes {tmp_path}\n")
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600


def test_programs_know_nothing_of_one_another(server):
    run(server, "import os, sys; os.environ['LEFT'] = 'x'; sys.modules['left'] = sys; globals()['left'] = 1")
    assert run(server, "import os, sys; print('LEFT' in os.environ, 'left' in sys.modules, 'left' in globals(), __name__)") == (
        0,
        b"False False False __main__\n",
        b"",
    )


def test_what_is_registered_for_the_end_is_done(server):
    assert run(server, "import atexit; atexit.register(lambda: print('bye'))") == (0, b"bye\n", b"")


def test_there_is_no_input(server):
    assert run(server, "import sys; print(repr(sys.stdin.read()))") == (0, b"''\n", b"")


def test_many_at_once(server):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: run(server, f"import time; time.sleep(0.05); print({number})"), range(64)))
    assert answers == [(0, f"{number}\n".encode(), b"") for number in range(64)]


# The compiler is replaced in the program: what was compiled before needs none.
WITHOUT_COMPILER = "import builtins\ndef no(*_a, **_k): raise AssertionError('compiled again')\nbuiltins.compile = no\n"


def zipped(folder, text):
    """A program that imports a module with this text from a zip file, and prints its VALUE."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("told_once.py", text)
    path = folder / "one.zip"
    path.write_bytes(buffer.getvalue())
    return f"import sys; sys.path.insert(0, {str(path)!r}); import told_once; print(told_once.VALUE)"


def until_it_needs_no_compiler(server, program):
    deadline = time.monotonic() + 5
    while (answer := run(server, WITHOUT_COMPILER + program)) != (0, b"42\n", b""):
        assert time.monotonic() < deadline, answer
        time.sleep(0.01)  # the lesson comes after the answer


def test_what_a_zip_file_holds_is_compiled_once(server, tmp_path):
    program = zipped(tmp_path, "VALUE = 41 + 1\n")
    assert run(server, WITHOUT_COMPILER + program)[0] == 1
    assert run(server, program) == (0, b"42\n", b"")
    until_it_needs_no_compiler(server, program)


def test_what_one_server_learnt_the_next_one_knows(tmp_path):
    program = zipped(tmp_path, "VALUE = 40 + 2\n")
    for knows in (False, True):
        server = warm.start(str(tmp_path / "memory"))
        assert (run(server, WITHOUT_COMPILER + program)[0] == 0) is knows
        assert run(server, program) == (0, b"42\n", b"")
        until_it_needs_no_compiler(server, program)
        server.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["memory", "one.zip"]


def test_a_memory_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "memory").write_bytes(b"half of something")
    server = warm.start(str(tmp_path / "memory"))
    assert run(server, "print(1)") == (0, b"1\n", b"")
    server.close()


def test_botocores_descriptions_are_read_once(server):
    text = (
        "import time, boto3; began = time.monotonic()\n"
        "boto3.client('ec2', region_name='x', aws_access_key_id='a', aws_secret_access_key='b')\n"
        "import botocore.loaders, botocore.session; print('service-2' in repr(botocore.session.create_loader()._cache.keys()))"
    )
    assert run(server, text) == (0, b"True\n", b"")
    known = "import botocore.session; print(('load_service_model', 'ec2') in {key[:2] for key in botocore.session.create_loader()._cache})"
    deadline = time.monotonic() + 10
    while (answer := run(server, known)) != (0, b"True\n", b""):
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)


def test_nobody_else_gets_in_and_nothing_is_left():
    started = warm.start()
    folder = os.path.dirname(started.address)
    assert os.stat(folder).st_mode & 0o777 == 0o700
    run(started, "pass")
    started.close()
    started.close()
    assert not os.path.exists(folder)
    with pytest.raises(ProcessLookupError):
        os.kill(started.pid, 0)
    with pytest.raises(warm.Unavailable, match="no server answers at"):
        run(started, "pass")


def test_it_ends_with_the_one_that_started_it_even_when_that_is_killed():
    text = (
        "import os, sys; sys.path.insert(0, os.path.dirname(sys.argv[1])); import client as _warm\n"
        "server = _warm.start(); _warm.run(server.address, b'pass'); print(server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", text, warm.__file__], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while (stat := pathlib.Path(f"/proc/{pid}/stat")).exists() and stat.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "the server goes on"
        time.sleep(0.02)
