# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker's own threads when something fails in them: workers are served or hung up on, and never left waiting."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import frames
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind

_path = list(sys.path)
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import broker as broker_module  # noqa: E402

sys.path[:] = _path  # it is run by path, and puts its own first

WISH = {"owner": os.getpid(), "persist": 0, "account": {"region": "ap-northeast-2"}, "session": {"target": "i-1"}}


class Serving:
    """Stands for a host's thread, which may have died."""

    def __init__(self, target, api, clock):
        self.alive, self.clients = True, []

    def start(self):
        pass

    def is_alive(self):
        return self.alive

    def adopt(self, client, options):
        self.clients.append(client)
        client._socket.setblocking(True)
        client._socket.sendall(b"adopted")

    def stop(self):
        pass

    def join(self, timeout):
        pass


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(broker_module, "Serving", Serving)
    path = str(tmp_path / "socket")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(5)
    owners = broker_module.Owners()
    owners.add(os.getpid())
    broker = broker_module.Broker(listener, path, owners)
    thread = threading.Thread(target=broker.run, daemon=True)
    thread.start()
    yield broker, path
    broker.stop()
    thread.join(5)
    assert not thread.is_alive()


def ask(path, wish, kind=Kind.HELLO):
    """What the broker answers a worker, b"" when it hangs up."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as worker:
        worker.settimeout(5)
        worker.connect(path)
        worker.sendall(frames.encode_frame(Frame(kind, 0, json.dumps(wish).encode())))
        return worker.recv(100)


@pytest.mark.case("B10")
def test_a_host_whose_thread_died_gets_another(world):
    broker, path = world
    assert ask(path, WISH) == b"adopted"
    (first,) = broker._serving.values()
    first.alive = False
    assert ask(path, WISH) == b"adopted"
    (second,) = broker._serving.values()
    assert second is not first


@pytest.mark.case("B10")
@pytest.mark.parametrize("wish", [[], None, {**WISH, "session": None}, {**WISH, "account": {"no": "such"}}])
def test_a_worker_that_says_nonsense_is_hung_up_on_and_the_next_is_served(world, wish):
    _broker, path = world
    assert ask(path, wish) == b""
    assert ask(path, WISH) == b"adopted"


@pytest.mark.case("B10")
def test_an_owner_that_can_be_no_process_does_not_end_the_broker(world):
    _broker, path = world
    ask(path, {**WISH, "owner": 10**400})
    threading.Event().wait(2 * broker_module.LOOK_EVERY)
    assert ask(path, WISH) == b"adopted"


@pytest.mark.case("B10")
def test_a_broker_that_cannot_accept_for_a_moment_goes_on(world):
    broker, path = world
    accept, refused = broker._listener.accept, []

    class Listener:
        def accept(self):
            if not refused:
                refused.append(1)
                raise OSError(24, "Too many open files")
            return accept()

        def __getattr__(self, name):
            return getattr(real, name)

    real, broker._listener = broker._listener, Listener()
    assert ask(path, WISH) == b"adopted"
    assert refused


@pytest.mark.case("B10")
def test_an_owner_that_comes_while_the_others_are_looked_at_is_kept(monkeypatch):
    owners = broker_module.Owners()
    owners.add(os.getpid())
    looked_at = owners._alive

    def another_thread_adds_one(pid, started):
        owners.add(os.getppid())
        return looked_at(pid, started)

    monkeypatch.setattr(owners, "_alive", another_thread_adds_one)
    assert owners.any_alive()
    assert set(owners._known) == {os.getpid(), os.getppid()}
