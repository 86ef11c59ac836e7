"""Whatever ends a benchmark, nothing of it runs on: no playbook that it started, no broker or module server of such a playbook.

What a benchmark starts inherits a mark in its environment. A keeper, in a session of its own, waits until the benchmark is gone (the pipe
between them closes, also after kill -9) and ends everything that has the mark. A local cloud that a benchmark found or brought up stays.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import cloud

MARK = cloud.BENCHMARK
GRACE_S = 10.0


def marked(mark: str) -> list[int]:
    """Process ids of what was started with this mark."""
    line, found = f"{MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if line in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def sweep(mark: str, grace_s: float = GRACE_S) -> None:
    """Ask all of it to end, then end it."""
    began, asked = time.monotonic(), set()
    while left := marked(mark):
        late = time.monotonic() - began > grace_s
        for process in left:
            if late or process not in asked:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL if late else signal.SIGTERM)
                asked.add(process)
        time.sleep(0.1)


def guard(*clouds: str) -> str:
    """From now on the end of this process is the end of all that it starts, and of the named local clouds; the mark."""
    mark = uuid.uuid4().hex
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    keeper = subprocess.Popen(
        [sys.executable, __file__, mark, *clouds], stdin=subprocess.PIPE, env=environment, start_new_session=True
    )  # fmt: skip
    os.environ[MARK] = mark
    keeper.returncode = 0  # it outlives this process, which does not wait for it
    globals()["_keeper"] = keeper  # the pipe is open as long as this process is there
    return mark


def main() -> None:
    mark, *clouds = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    sweep(mark)
    for name in clouds:
        cloud.stop(name)


if __name__ == "__main__":
    main()
