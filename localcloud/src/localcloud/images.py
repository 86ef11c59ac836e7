# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gets the Debian base image and builds the local cloud's own images, when their inputs changed; starts no container."""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import typing as t

import docker
import docker.errors

from .errors import LocalCloudError

BASE = "debian:trixie-slim"
PULL_SECONDS = 8.0
HEARTBEAT_SECONDS = 8.0
_building = threading.Lock()

Say = t.Callable[[str], None]


def images_dir() -> pathlib.Path:
    """Where the build contexts are: beside the package in a source tree."""
    return pathlib.Path(__file__).resolve().parents[2] / "images"


def digest_of(folder: pathlib.Path, *, extra: bytes = b"") -> str:
    """Twelve hexadecimal digits that change when a file's name, mode or content in `folder` changes."""
    digest = hashlib.sha256(extra)
    for path in sorted(folder.rglob("*")):
        if "__pycache__" in path.parts or not path.is_file():
            continue
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_mode & 0o111:o}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def fingerprint() -> str:
    """Changes when this program's source does."""
    return digest_of(pathlib.Path(__file__).parent)


class Heartbeat:
    """Says that something still goes on, with the time it took so far, whenever it has been silent for eight seconds."""

    def __init__(self, say: Say, what: str) -> None:
        self._say = say
        self._what = what
        self._done = threading.Event()
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Heartbeat:
        self._say(f"{self._what} …")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._say(f"{self._what}: {self.seconds:.0f} s")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def _run(self) -> None:
        while not self._done.wait(HEARTBEAT_SECONDS):
            self._say(f"{self._what} … {self.seconds:.0f} s")


def ensure_base(client: docker.DockerClient, say: Say) -> str:
    """The tag of the Debian base image: present, pulled, or bootstrapped from Debian's packages."""
    if _exists(client, BASE):
        return BASE
    if _pull(say):
        return BASE
    say(f"no registry answered for {BASE}; bootstrapping it from Debian's packages")
    _install_debootstrap(say)
    with tempfile.TemporaryDirectory(prefix="localcloud-base-") as work:
        archive = pathlib.Path(work, "root.tar")
        log = pathlib.Path(work, "debootstrap.log")
        with Heartbeat(say, "debootstrap of Debian trixie"), archive.open("wb") as out, log.open("wb") as err:
            code = subprocess.run([str(images_dir() / "base" / "bootstrap.sh")], stdout=out, stderr=err, check=False).returncode
        if code:
            raise LocalCloudError(
                f"Failed to bootstrap {BASE}: debootstrap ended with code {code}: {_last_line(log)}. "
                "Check that Debian's mirror is reachable."
            )
        changes = ['CMD ["bash"]', "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        client.api.import_image_from_file(str(archive), repository=BASE.split(":")[0], tag=BASE.split(":")[1], changes=changes)
    return BASE


def ensure(client: docker.DockerClient, kind: str, say: Say) -> str:
    """The tag of the image `localcloud/<kind>` that belongs to the present sources; built when it does not exist."""
    context = images_dir() / kind
    tag = f"localcloud/{kind}:{digest_of(context)}"
    with _building:
        if not _exists(client, tag):
            ensure_base(client, say)
            build(client, context, tag, say)
    return tag


def ensure_instance(client: docker.DockerClient, say: Say) -> str:
    """The tag of the instance image, which has the name that machine images are given, too."""
    tag = ensure(client, "instance", say)
    client.images.get(tag).tag("localcloud/instance", "latest")
    return tag


def build(client: docker.DockerClient, context: pathlib.Path, tag: str, say: Say) -> None:
    """`docker build` of a context whose base image is local; `tag` with the name of its repository.

    Raises LocalCloudError with the builder's last words.
    """
    last: list[str] = []
    with Heartbeat(say, f"building {tag}"):
        try:
            for chunk in client.api.build(fileobj=_context(context), custom_context=True, tag=tag, rm=True, forcerm=True, decode=True):
                if "error" in chunk:
                    raise LocalCloudError(f"Failed to build {tag}: {chunk['error'].strip()}: {' '.join(last[-3:])}")
                if line := chunk.get("stream", "").strip():
                    last.append(line)
        except docker.errors.APIError as error:
            raise LocalCloudError(f"Failed to build {tag}: {error.explanation}") from error


def _context(folder: pathlib.Path) -> io.BytesIO:
    """The build context as a tar archive without byte code and without the owner's ids."""

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if "__pycache__" in info.name:
            return None
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        return info

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(folder, arcname=".", filter=plain)
    buffer.seek(0)
    return buffer


def _exists(client: docker.DockerClient, tag: str) -> bool:
    try:
        client.images.get(tag)
    except docker.errors.ImageNotFound:
        return False
    return True


def _pull(say: Say) -> bool:
    """Pull the base with Docker's client, giving up when nothing has moved for a few seconds."""
    say(f"asking the registry for {BASE}")
    process = subprocess.Popen(["docker", "pull", BASE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    moved = threading.Event()

    def watch() -> None:
        for line in process.stdout or ():
            if b"Pulling" in line or b"Download" in line or b"Digest" in line:
                moved.set()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    deadline = time.monotonic() + PULL_SECONDS
    while process.poll() is None and time.monotonic() < deadline and not moved.is_set():
        moved.wait(0.2)
    if process.poll() is None and not moved.is_set():
        process.kill()
    elif process.poll() is None:
        with Heartbeat(say, f"pulling {BASE}"):
            process.wait()
    return process.wait() == 0


def _install_debootstrap(say: Say) -> None:
    if shutil.which("debootstrap"):
        return
    remedy = "Install the package debootstrap, or make the image debian:trixie-slim available to Docker."
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise LocalCloudError(f"Failed to bootstrap {BASE}: debootstrap is not installed. {remedy}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with Heartbeat(say, "installing debootstrap"):
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        done = subprocess.run(
            ["apt-get", "install", "-y", "-qq", "debootstrap", "debian-archive-keyring"],
            check=False, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
    if done.returncode:
        raise LocalCloudError(f"Failed to install debootstrap: {done.stderr.decode(errors='replace').strip()[-300:]} {remedy}")


def _last_line(path: pathlib.Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"


def say_on_stdout(message: str) -> None:
    """Progress for a person; flushed, because it is also read through pipes."""
    print(message, flush=True)
