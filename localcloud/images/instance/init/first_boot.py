# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs an instance's user data once, as cloud-init does with a script (`#!`); other forms of user data are reported and ignored."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

IMDS = "http://169.254.169.254/latest"
OUTPUT = pathlib.Path("/var/log/cloud-init-output.log")
STATE = pathlib.Path("/var/lib/cloud/instance")
DOCKER_SOCKET = "/var/run/docker.sock"
DOCKER_SECONDS = 30.0


def user_data() -> bytes | None:
    """What the instance was launched with, or None."""
    token = _imds("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"}).decode()
    try:
        return _imds("GET", "user-data", {"X-aws-ec2-metadata-token": token})
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def _imds(method: str, path: str, headers: dict[str, str]) -> bytes:
    ask = urllib.request.Request(f"{IMDS}/{path}", method=method, headers=headers)  # noqa: S310 - a constant http address
    with urllib.request.urlopen(ask, timeout=10) as answer:  # noqa: S310 - a constant http address
        return answer.read()


def wait_for_docker() -> None:
    """Until the Engine answers, at most half a minute: user data of an image that has Docker may use it."""
    deadline = time.monotonic() + DOCKER_SECONDS
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(DOCKER_SOCKET) == 0:
                return
        time.sleep(0.1)


def main() -> int:
    """Run it and leave cloud-init's traces."""
    STATE.joinpath("scripts").mkdir(parents=True, exist_ok=True)
    data = user_data()
    code = 0
    if data:
        STATE.joinpath("user-data.txt").write_bytes(data)
        with OUTPUT.open("ab") as log:
            if data.startswith(b"#!"):
                wait_for_docker()
                script = STATE / "scripts" / "part-001"
                script.write_bytes(data)
                script.chmod(0o700)
                done = subprocess.run([str(script)], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd="/", check=False)
                code = done.returncode
                if code:
                    log.write(f"Failed to run {script}: exit code {code}\n".encode())
            else:
                log.write(b"user data ignored: only scripts that start with #! are run here\n")
    STATE.joinpath("boot-finished").write_text(f"{time.time():.2f}\n")
    return code


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
