# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver under a fake clock: a service made of the `websockets` package's server and the agent's machine, no socket, no AWS."""

from __future__ import annotations

import json
import pathlib
import struct
import sys

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from websockets.frames import OP_BINARY, OP_TEXT
from websockets.server import ServerProtocol

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import frames, mux, session
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import driver as driver_module
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.api import Started
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.driver import SessionDriver, SessionOptions
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import (
    ApiError,
    DocumentRefused,
    SessionLost,
    SsmError,
    StreamError,
    TargetNotReady,
)

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "module_utils" / "_ssm"))
from agent_machine import Agent

KEY = bytes(range(64))


class AgentCipher:
    def encrypt(self, data):
        return b"n" * 12 + AESGCM(KEY[:32]).encrypt(b"n" * 12, data, None)

    def decrypt(self, data):
        return AESGCM(KEY[32:]).decrypt(data[:12], data[12:], None)


class FakeClock:
    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def epoch_ms(self):
        return 1_700_000_000_000

    def sleep(self, seconds):
        self.now += seconds


class FakeService:
    """The API, the stream and the instance: prints the token, takes the multiplexer's source, then answers PING with PONG."""

    def __init__(self, clock, agent, *, instance=True):
        self.clock, self.agent, self.instance = clock, agent, instance
        self.calls, self.tokens, self.failures = [], [], []
        self.websocket = None
        self.broken = False
        self.pings = 0
        self.resumable = True
        self.nonce = None
        self.mute = False
        self.source_left = None
        self.decoder = frames.FrameDecoder()
        self.seen = 0
        agent.start()

    # The API

    def start(self, target, *, document, parameters, reason):
        self.calls.append(("start", document))
        if self.failures:
            raise self.failures.pop(0)
        self.nonce = self._nonce(parameters["command"][0]) if parameters else None
        return Started(session_id="s-1", stream_url="ws://service/v1/s-1?role=publish_subscribe", token="token-1")

    def resume(self, session_id):
        self.calls.append(("resume", session_id))
        return Started(session_id="s-1", stream_url="ws://service/v1/again", token="token-2") if self.resumable else None

    def terminate(self, session_id):
        self.calls.append(("terminate", session_id))

    def data_key(self, key_id, context):
        self.calls.append(("data_key", key_id, context))
        return KEY, b"wrapped"

    ca_bundle = None

    def _nonce(self, loader):
        words = loader.split("sys.exit(97)")[1].split("__main__\"))' ")[1].split()
        return words[0] + words[1]

    # The stream

    def connect(self, url, *, timeout, ca_bundle):
        self.calls.append(("connect", url))
        self.websocket = ServerProtocol()
        self.accepted = self.broken = self.mute = False
        if len(self.tokens):
            self.agent.reconnected()
        return self

    def write(self, data):
        if self.broken:
            raise StreamError("The session's stream broke: reset.")
        if not data:
            return
        self.websocket.receive_data(data)
        for event in self.websocket.events_received():
            if not self.accepted:
                self.websocket.send_response(self.websocket.accept(event))
                self.accepted = True
            elif event.opcode == OP_TEXT:
                self.tokens.append(json.loads(event.data)["TokenValue"])
                if self.nonce and self.agent.complete and self.instance and len(self.tokens) == 1:
                    self.agent.output(f"banner\r\n{self.nonce} py\n".encode())
            elif event.opcode == OP_BINARY:
                self.agent.receive(bytes(event.data))
                self._instance()
            elif event.opcode == 9:
                self.pings += 1

    def _instance(self):
        """What the instance does with its input."""
        new = bytes(self.agent.received[self.seen :])
        if self.agent.complete and self.nonce and self.instance and not self.agent.next > 1 and self.agent.kms_key:
            return
        if self.source_left is None and len(new) >= 8:
            self.source_left = int(new[:8]) + 8
        if self.source_left and len(new) >= self.source_left:
            self.seen += self.source_left
            self.source_left = 0
            self.agent.output(frames.encode_line([Frame(Kind.HELLO, 0, b'{"version": 1, "home": "/root"}')]))
        elif self.source_left == 0:
            self.seen += len(new)
            for frame in self.decoder.feed(new):
                if frame.kind == Kind.PING:
                    self.agent.output(frames.encode_line([Frame(Kind.PONG, 0, frame.payload)]))

    def wait(self, timeout, others=None):
        if self.broken:
            return True
        if not self.mute and self.websocket.state.name == "OPEN":
            if self.agent.kms_key and self.agent.complete and self.nonce:
                self.agent.output(f"{self.nonce} py\n".encode())
                self.nonce = None
            for item in self.agent.take():
                self.websocket.send_binary(item)
        self.pending = getattr(self, "pending", b"") + (b"" if self.mute else b"".join(self.websocket.data_to_send()))
        if self.pending:
            return True
        self.clock.now += max(timeout, 0.001)
        return False

    def read(self):
        if self.broken:
            raise StreamError("The session's stream was closed by the other side.")
        data, self.pending = self.pending, b""
        return data

    def close(self):
        self.pending = b""

    @property
    def wants_write(self):
        return False


def world(agent=None, *, instance=True, **options):
    clock = FakeClock()
    service = FakeService(clock, agent or Agent(), instance=instance)
    log = []
    settings = SessionOptions(target="i-1", **options)
    return SessionDriver(service, settings, clock=clock, log=log.append, connect=service.connect), service, clock, log


def test_starts_and_ends():
    driver, service, _clock, log = world()
    driver.start()
    assert driver.alive
    assert driver.session.state is session.State.MULTIPLEXED
    assert service.calls == [("start", "AWS-StartInteractiveCommand"), ("connect", "ws://service/v1/s-1?role=publish_subscribe")]
    driver.end()
    driver.end()
    assert service.calls[2:] == [("terminate", "s-1")]
    assert "token-1" not in "".join(log)


@pytest.mark.parametrize("challenge", [None, "cmFuZG9t"])
def test_kms(challenge):
    agent = Agent(session_type="InteractiveCommands", kms_key="arn:key", challenge=challenge, cipher=AgentCipher())
    driver, service, _clock, log = world(agent)
    driver.start()
    context = {"aws:ssm:SessionId": "s-1", "aws:ssm:TargetId": "i-1"} | ({"aws:ssm:RandomChallenge": challenge} if challenge else {})
    assert ("data_key", "arn:key", context) in service.calls
    assert driver.session.mux.hello["home"] == "/root"
    assert not any(bytes(KEY).hex() in line for line in log)


def test_resumes_with_the_new_token_and_address():
    driver, service, _clock, log = world()
    driver.start()
    driver.session.mux.ping(b"x")
    service.broken = True
    assert driver.next_event(2000.0) == mux.Pong(b"x")
    assert ("resume", "s-1") in service.calls and ("connect", "ws://service/v1/again") in service.calls
    assert service.tokens == ["token-1", "token-2"]
    assert driver.reconnections == 1
    assert "token-2" not in "".join(log)


def test_close_1000_is_resumed():
    driver, service, _clock, _log = world()
    driver.start()
    service.websocket.send_close(1000, "Bye")
    driver.session.mux.ping(b"x")
    assert driver.next_event(2000.0) == mux.Pong(b"x")
    assert driver.reconnections == 1


def test_session_that_is_gone_is_lost():
    driver, service, _clock, _log = world()
    driver.start()
    service.broken, service.resumable = True, False
    with pytest.raises(SessionLost, match="The session with i-1 was lost: it has timed out or was terminated"):
        driver.next_event(2000.0)
    assert not driver.alive
    assert service.calls[-1] == ("terminate", "s-1")


def test_gives_up_resuming_after_its_time():
    driver, service, clock, _log = world(reconnect_timeout=30.0)
    driver.start()
    service.broken = True
    service.resume = lambda session_id: (_unused for _unused in ()).throw(ApiError("no network"))
    before = clock.now
    with pytest.raises(SessionLost, match="could not be resumed within 30 s: no network"):
        driver.next_event(None)
    assert 20 < clock.now - before <= 30


def test_service_that_falls_silent_is_noticed():
    driver, service, clock, log = world()
    driver.start()
    service.mute = True
    before = clock.now
    while not driver.reconnections:
        driver.next_event(clock.now + 10.0)
        assert clock.now - before < 120
    assert any("silent for too long" in line for line in log)


def test_heartbeat_only_while_something_runs():
    driver, service, clock, _log = world()
    driver.start()
    driver.next_event(clock.now + 200.0)
    assert service.seen == len(service.agent.received)
    idle = service.agent.expected
    driver.session.mux.execute(["sleep", "1000"])
    assert driver.next_event(clock.now + 200.0) == mux.Pong(b"")
    assert service.agent.expected > idle
    assert service.pings >= 6  # the websocket's own, every 30 s


def test_falls_back_to_the_default_document():
    driver, service, _clock, log = world()
    service.failures = [DocumentRefused("refused")]
    with pytest.raises(SsmError, match="did not become ready|nothing came"):
        driver.start()  # the fake instance has no shell to type into
    assert service.calls[:2] == [("start", "AWS-StartInteractiveCommand"), ("start", None)]
    assert service.calls[-1] == ("terminate", "s-1")
    assert "refused" in log


def test_given_document_is_the_only_one():
    driver, service, _clock, _log = world(document="Custom")
    service.failures = [DocumentRefused("refused")]
    with pytest.raises(DocumentRefused):
        driver.start()
    assert service.calls == [("start", "Custom")]


def test_instance_that_comes_within_the_grace():
    driver, service, _clock, _log = world(boot_grace=5.0)
    service.failures = [TargetNotReady("offline"), TargetNotReady("offline")]
    driver.start()
    assert [call[0] for call in service.calls].count("start") == 3


def test_instance_that_does_not_come():
    driver, service, clock, _log = world(boot_grace=5.0)
    service.failures = [TargetNotReady("offline")] * 50
    before = clock.now
    with pytest.raises(TargetNotReady):
        driver.start()
    assert clock.now - before <= 5.0


def test_nothing_comes_from_the_instance():
    driver, service, _clock, _log = world(instance=False, connect_timeout=20.0)
    with pytest.raises(SsmError) as caught:
        driver.start()
    assert str(caught.value) == (
        "The session with i-1 started, but nothing came from the instance within 20 s; check that it can reach the ssmmessages "
        "endpoint and is not overloaded."
    )
    assert service.calls[-1] == ("terminate", "s-1")


def test_something_else_comes_from_the_instance():
    driver, service, _clock, _log = world(instance=False, connect_timeout=20.0)
    service.agent.output(b"This account is currently not available.\r\n")
    with pytest.raises(SsmError) as caught:
        driver.start()
    assert str(caught.value) == (
        "The session with i-1 did not become ready within 20 s (it said: This account is currently not available.); check the document "
        "and the shell profile of the session preferences, and that the instance has sh and python3."
    )


def test_session_that_ends_at_once():
    driver, service, _clock, _log = world(instance=False)
    service.agent.close("Plugin with name Standard_Stream failed.")
    with pytest.raises(SsmError) as caught:
        driver.start()
    assert str(caught.value) == (
        "The session with i-1 ended before it took commands: Plugin with name Standard_Stream failed.; check the session preferences "
        "and the agent's log /var/log/amazon/ssm/amazon-ssm-agent.log."
    )


def test_damaged_message_comes_again():
    driver, service, _clock, log = world()
    driver.start()
    driver.session.mux.ping(b"x")
    original = service.agent.take

    def damage_once():
        items = original()
        if items and items[-1][4:10] == b"output":
            service.agent.take = original
            items[-1] = items[-1][:-1] + struct.pack("B", items[-1][-1] ^ 1)
        return items

    service.agent.take = damage_once
    with_ticks = service.wait

    def wait(timeout, others=None):
        service.agent.tick(service.clock.now)
        return with_ticks(min(timeout, 0.1))

    service.wait = wait
    assert driver.next_event(2000.0) == mux.Pong(b"x")
    assert any("does not match its digest" in line for line in log)


def test_broken_frames_end_the_session():
    driver, service, _clock, _log = world()
    driver.start()
    service.agent.output(b"not a frame at all\n")
    with pytest.raises(SessionLost, match="was lost: Line from the instance"):
        driver.next_event(2000.0)
    assert service.calls[-1] == ("terminate", "s-1")


def test_source_is_that_of_the_multiplexer():
    assert "class Multiplexer" in driver_module.multiplexer_source()


@pytest.mark.case("B10")
def test_a_malformed_answer_to_the_websocket_is_an_error_with_its_cause():
    driver, service, _clock, _log = world()
    service.wait = lambda timeout, others=None: True
    service.read = lambda: b"garbage\r\n\r\n"
    with pytest.raises(StreamError) as caught:
        driver.start()
    assert str(caught.value) == (
        "Cannot open the session's stream to service: The answer to the websocket's opening handshake is not HTTP; "
        "check that no proxy stands between that forbids websockets."
    )
    assert service.calls[-1] == ("terminate", "s-1")


@pytest.mark.case("B10")
def test_a_malformed_message_right_behind_the_opening_is_an_error_with_its_cause():
    driver, service, _clock, _log = world()
    write, malformed = service.write, []

    def write_then_break(data):
        write(data)
        if service.accepted and not malformed:
            malformed.append(1)
            service.websocket.send_binary(b"\0\0\0\x05 much too short")

    service.write = write_then_break
    with pytest.raises(SsmError, match="The session with i-1 did not come up: .*; check the session preferences"):
        driver.start()
    assert service.calls[-1] == ("terminate", "s-1")


@pytest.mark.case("B10")
def test_a_stream_address_that_no_request_can_carry_is_an_error():
    driver, service, _clock, _log = world()
    service.start = lambda *_unused, **_unused2: Started(session_id="s-1", stream_url="ws://service/a b", token="t")
    with pytest.raises(StreamError, match="Cannot open the session's stream to service: The stream's URL holds a character"):
        driver.start()


@pytest.mark.case("C14")
def test_acknowledgements_that_nobody_read_make_no_resend():
    """The thread that serves the host was busy elsewhere for five seconds."""
    driver, _service, clock, _log = world()
    driver.start()
    for _number in range(20):
        driver.session.mux.ping(b"x")
        driver.pump(0)
    before = driver.session.channel.resent
    clock.now += 5.0
    driver.pump(0)
    assert driver.session.channel.resent == before
    assert driver.session.channel.backlog == 0
