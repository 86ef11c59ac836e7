# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy's control, against a real socket that answers as HAProxy does."""

from __future__ import annotations

import errno
import os
import socket
import threading

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import haproxy
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ComposeReleaseError
from ansible_collections.bluegreen.aws.plugins.module_utils._host import files
from ansible_collections.bluegreen.aws.plugins.module_utils._host.clock import Clock
from ansible_collections.bluegreen.aws.plugins.module_utils._host.proxy import ProxyControl

SHAPE = haproxy.Shape("popcon", "backend", (8080,), "http", {"blue": 1, "green": 1})
HEAD = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state\n"


class Peer:
    """Listens on admin.sock; keeps servers' addresses and states; ``refuse`` is an answer to give instead."""

    def __init__(self, directory):
        os.makedirs(directory)
        self.servers = {"blue-1": ["172.20.0.2", True], "green-1": ["-", False]}
        self.refuse = ""
        self.deaf = False
        self.socket = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(directory)  # a socket's path is short
        self.socket.bind("admin.sock")
        os.chdir(here)
        self.socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                stream, _address = self.socket.accept()
            except OSError:
                return
            with stream:
                stream.sendall(self._answer(stream.recv(65536).decode().strip()).encode())

    def _answer(self, line):
        if line == "show servers state":
            return HEAD + "".join(
                f"3 port-8080 1 {name} {address} 2 {0 if ready else 8}\n" for name, (address, ready) in self.servers.items()
            )
        if line == "show stat":
            return "# pxname,svname,qcur,scur\nport-8080,blue-1,1,2\n"
        for command in line.split("; "):
            name = command.split("/")[1].split()[0]
            if not self.deaf and " addr " in command:
                self.servers[name][0] = command.split(" addr ")[1].split()[0]
            elif not self.deaf:
                self.servers[name][1] = command.endswith("ready")
        return self.refuse or "\n"


@pytest.fixture
def control(tmp_path):
    # Longer than a socket's path may be.
    return ProxyControl(str(tmp_path / ("d" * 120)), "backend", Clock())


@pytest.fixture
def peer(control):
    made = Peer(control.directory)
    yield made
    made.socket.close()


def test_a_switch(control, peer):
    control.switch(SHAPE, "green", {"popcon-backend-green-1": "172.20.0.9"})
    assert peer.servers == {"blue-1": ["172.20.0.2", False], "green-1": ["172.20.0.9", True]}
    assert haproxy.live_in_file(control.text()) == "green"
    assert control.observe().live == "green"
    assert control.sessions("blue") == 3


@pytest.mark.case("B9")
def test_the_traffic_moves_though_the_disk_is_full(control, peer, monkeypatch):
    control.write(haproxy.render(SHAPE, "blue"))

    def full(path, _text, _mode=0o600):
        raise OSError(errno.ENOSPC, "No space left on device", path)

    monkeypatch.setattr(files, "write", full)
    with pytest.raises(ComposeReleaseError) as caught:
        control.switch(SHAPE, "green", {"popcon-backend-green-1": "172.20.0.9"})
    assert str(caught.value) == (
        f"Failed to write the configuration of backend's proxy: No space left on device ({control.directory}/haproxy.cfg). "
        "Free space (docker image prune) or enlarge the volume, then run again."
    )
    assert peer.servers["green-1"][1] and not peer.servers["blue-1"][1]


def test_a_command_that_is_refused(control, peer):
    peer.refuse = "No such server.\n"
    with pytest.raises(ComposeReleaseError, match=r"Failed to command the proxy of backend: it answered 'No such server\.'"):
        control.switch(SHAPE, "green", {})


def test_an_address_that_is_not_learned(control, peer, monkeypatch):
    peer.deaf = True
    monkeypatch.setattr("ansible_collections.bluegreen.aws.plugins.module_utils._host.proxy._SETTLE", 0.3)
    with pytest.raises(ComposeReleaseError, match="does not learn the new containers' addresses"):
        control.switch(SHAPE, "green", {"popcon-backend-green-1": "172.20.0.9"})
    assert control.text() == ""  # the durable truth is as it was


def test_a_proxy_that_does_not_run(control):
    assert (control.servers(), control.sessions("blue"), control.observe().live) == ([], 0, "")
    control.write(haproxy.render(SHAPE, "blue"))
    assert control.observe().live == "blue"
    with pytest.raises(ComposeReleaseError, match="Failed to command the proxy of backend"):
        control.command(["show info"])
    with pytest.raises(ComposeReleaseError, match="does not answer on its socket"):
        control.wait_running(0)
    control.remove()
    control.remove()
    assert control.text() == ""
