# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever ends a benchmark, nothing of it runs on."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import ending
import pytest

BENCHMARKS = pathlib.Path(__file__).parents[3] / "benchmarks"
# A benchmark with a child, a grandchild in a session of its own, and one that does not listen to SIGTERM.
PROGRAM = """
import subprocess, sys, time
import ending
mark = ending.guard()
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen(["sh", "-c", "setsid sleep 600 & sleep 600"])
subprocess.Popen([sys.executable, "-c", deaf if sys.argv[2] == "deaf" else "import time; time.sleep(600)"], start_new_session=True)
print(mark, flush=True)
time.sleep(600 if sys.argv[1] == "wait" else 0)
"""


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.case("E6")
@pytest.mark.parametrize("ends", ["by itself", signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_runs_on(ends, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
    deaf = "deaf" if ends == signal.SIGKILL else "listening"  # once is enough: it takes the whole grace
    words = [sys.executable, str(path), "end" if ends == "by itself" else "wait", deaf]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    mark = process.stdout.readline().strip()
    if ends != "by itself":
        until(lambda: len(ending.marked(mark)) >= 4)
        process.send_signal(ends)
    process.wait(30)
    process.stdout.close()
    until(lambda: not ending.marked(mark))


@pytest.mark.case("E6")
def test_a_local_cloud_stays(monkeypatch):
    seen = {}
    monkeypatch.setenv(ending.MARK, "m")
    monkeypatch.setattr(ending.cloud.subprocess, "run", lambda _words, env, **_more: seen.update(env) or subprocess.CompletedProcess([], 0))
    ending.cloud.start("demo")
    assert ending.MARK not in seen
    assert "PATH" in seen


@pytest.mark.case("E6")
def test_every_benchmark_that_starts_something_is_guarded():
    for path in BENCHMARKS.glob("*.py"):
        text = path.read_text()
        starts = re.search(r"subprocess\.(run|Popen)|create_subprocess", text) and '__name__ == "__main__"' in text
        if starts and path.name != "ending.py":
            assert "ending.guard(" in text, path.name
