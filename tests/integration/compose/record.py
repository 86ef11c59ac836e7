"""Records what a running release's containers and proxy say, as fixtures for the unit tests: record.py PROJECT PROXY_DIRECTORY TARGET."""

from __future__ import annotations

import pathlib
import re
import socket
import subprocess
import sys


def ask(path, command):
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(str(path))
        stream.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: stream.recv(65536), b""))


def main(project, proxy, target):
    out = pathlib.Path(target)
    socket_path = pathlib.Path(proxy) / "admin.sock"
    version = re.search(rb"Version: (\d+\.\d+\.\d+)", ask(socket_path, "show info")).group(1).decode()
    for command in ("show servers state", "show stat"):
        (out / f"haproxy-{version}-{command.replace(' ', '-')}.txt").write_bytes(ask(socket_path, command))
    engine = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True, check=True).stdout
    engine = engine.strip().partition("+")[0]
    listed = ["docker", "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={project}"]
    ids = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    text = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True).stdout
    (out / f"docker-{engine}-inspect-containers.json").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
