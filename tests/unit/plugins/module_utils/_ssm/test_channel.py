# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data channel against the agent's side, wired back to back over a network that the test controls, under its clock."""

from __future__ import annotations

import base64
import contextlib
import json
import random

import pytest
from agent_machine import Agent
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import channel, message
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.channel import DataChannel, State
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError


class Xor:
    """A cipher that only tests would use."""

    def encrypt(self, data):
        return b"x" + bytes(byte ^ 0x5A for byte in data)

    def decrypt(self, data):
        if data[:1] != b"x":
            raise ValueError("wrong key")
        return bytes(byte ^ 0x5A for byte in data[1:])


class Wire:
    """Client and agent with a network between them: latency in seconds, probabilities of loss, repetition and overtaking."""

    def __init__(self, agent, *, latency=0.01, loss=0.0, duplicate=0.0, reorder=0.0, seed=1):
        self.agent = agent
        self.client = DataChannel(lambda: 1)
        self.now = 0.0
        self.events = []
        self.latency, self.loss, self.duplicate, self.reorder = latency, loss, duplicate, reorder
        self.random = random.Random(seed)
        self.flying = []  # (due, number, towards the agent, data)
        self.count = 0
        self.connected = True
        self.opening = self.client.opened("token")
        agent.start()

    def put(self, towards_agent, data):
        if not self.connected or self.random.random() < self.loss:
            return
        for _copy in range(1 + (self.random.random() < self.duplicate)):
            extra = self.random.random() * 0.05 if self.random.random() < self.reorder else 0.0
            self.count += 1
            self.flying.append((self.now + self.latency + extra, self.count, towards_agent, data))

    def step(self, seconds=0.005):
        for data in self.client.messages_to_send(self.now):
            self.put(True, data)
        self.agent.tick(self.now)
        for data in self.agent.take():
            self.put(False, data)
        self.now += seconds
        due = sorted(item for item in self.flying if item[0] <= self.now)
        self.flying = [item for item in self.flying if item[0] > self.now]
        for _due, _number, towards_agent, data in due:
            if towards_agent:
                self.agent.receive(data)
            else:
                self.client.receive(data, self.now)
        self.events += self.client.events()

    def run(self, until, seconds=120.0):
        end = self.now + seconds
        while not until():
            assert self.now < end, "the two machines did not come to an end"
            self.step()

    @property
    def output(self):
        return b"".join(event.data for event in self.events if isinstance(event, channel.Output))

    def drop(self):
        self.connected = False
        self.flying.clear()

    def resume(self):
        self.connected = True
        self.client.opened("another token")
        self.agent.reconnected()


def test_first_text_message():
    body = json.loads(DataChannel(lambda: 1).opened("secret"))
    assert body["MessageSchemaVersion"] == "1.0"
    assert body["TokenValue"] == "secret"
    assert body["ClientVersion"] == "1.2.707.0"
    assert len(body["RequestId"]) == len(body["ClientId"]) == 36


def test_client_id_stays_over_a_reconnection():
    client = DataChannel(lambda: 1)
    first, second = json.loads(client.opened("a")), json.loads(client.opened("b"))
    assert first["ClientId"] == second["ClientId"]
    assert first["RequestId"] != second["RequestId"]


def test_input_waits_for_the_first_output():
    wire = Wire(Agent())
    wire.client.send(b"early")
    for _unused in range(100):
        wire.step()
    assert wire.agent.expected == 0
    wire.agent.output(b"banner")
    wire.run(lambda: wire.agent.received == b"early")
    assert wire.client.state is State.READY
    assert wire.output == b"banner"


def test_input_waits_for_the_end_of_the_handshake():
    wire = Wire(Agent(session_type="InteractiveCommands"))
    wire.client.send(b"early")
    wire.run(lambda: wire.agent.received == b"early")
    assert wire.agent.acknowledged_early == 0
    assert wire.agent.response == {
        "ClientVersion": "1.2.707.0",
        "ProcessedClientActions": [{"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": None, "Error": ""}],
        "Errors": [],
    }
    assert channel.HandshakeComplete("hello") in wire.events


def test_session_type_that_is_not_supported_is_said():
    wire = Wire(Agent(session_type="Port"))
    wire.run(lambda: wire.agent.response is not None)
    assert wire.agent.response["ProcessedClientActions"][0]["ActionStatus"] == 3


@pytest.mark.parametrize("challenge", [None, "cmFuZG9t"])
def test_encryption(challenge):
    agent = Agent(session_type="InteractiveCommands", kms_key="arn:key", cipher=Xor(), challenge=challenge)
    wire = Wire(agent)
    wire.run(lambda: any(isinstance(event, channel.KeyNeeded) for event in wire.events))
    request = next(event.request for event in wire.events if isinstance(event, channel.KeyNeeded))
    assert (request.key_id, request.challenge) == ("arn:key", challenge)
    wire.client.provide_key(Xor(), b"wrapped")
    wire.client.send(b"plain input")
    wire.run(lambda: agent.received == b"plain input")
    result = agent.response["ProcessedClientActions"][0]["ActionResult"]
    assert result["KMSCipherTextKey"] == base64.b64encode(b"wrapped").decode()
    assert result.get("ChallengeAcknowledgement") == (True if challenge else None)
    agent.output(b"plain output")
    agent.output(b"problem", payload_type=11)
    agent.output(b"EXIT_CODE: 7", payload_type=12)
    wire.run(lambda: channel.ExitCode(7) in wire.events)
    assert wire.output == b"plain output"
    assert channel.ErrorOutput(b"problem") in wire.events


def test_output_with_the_wrong_key_is_an_error():
    agent = Agent(session_type="InteractiveCommands", kms_key="arn:key", cipher=Xor())
    wire = Wire(agent)
    wire.run(lambda: any(isinstance(event, channel.KeyNeeded) for event in wire.events))
    wire.client.provide_key(Xor(), b"wrapped")
    wire.run(lambda: wire.client.state is State.READY)
    agent.cipher = None
    agent.output(b"not encrypted")
    with pytest.raises(ProtocolError, match="does not match the session's key"):
        for _unused in range(10):
            wire.step()


def test_exit_code_without_a_number():
    wire = Wire(Agent())
    wire.agent.output(b"EXIT_CODE: none", payload_type=12)
    wire.run(lambda: wire.events)
    assert wire.events == [channel.ExitCode(None)]


def test_client_never_sets_flags():
    wire = Wire(Agent())
    wire.agent.output(b"x")
    wire.client.send(b"y" * 5000)
    wire.run(lambda: len(wire.agent.received) == 5000)
    assert wire.agent.flags_seen == {0}


def test_agent_that_is_not_ready_gets_it_again():
    agent = Agent(ready=False)
    wire = Wire(agent)
    agent.output(b"x")
    wire.run(lambda: wire.client.state is State.READY)
    wire.client.send(b"hello")
    for _unused in range(400):
        wire.step()
    assert agent.received == b""
    agent.ready = True
    wire.run(lambda: agent.received == b"hello", seconds=1.5)


def test_old_output_is_acknowledged_again():
    wire = Wire(Agent())
    wire.agent.output(b"x")
    first = wire.agent.sent[0]
    wire.run(lambda: not wire.agent.sent)
    wire.agent.sent[0] = first  # as if the acknowledgement had been lost
    wire.run(lambda: not wire.agent.sent, seconds=1.0)
    assert wire.output == b"x"


@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"loss": 0.1},
        {"duplicate": 0.5},
        {"reorder": 0.5},
        {"latency": 0.3},
        {"loss": 0.15, "duplicate": 0.15, "reorder": 0.3, "latency": 0.06},
    ],
    ids=["clean", "loss", "duplicates", "reordering", "latency", "everything"],
)
def test_exact_over_a_bad_network(faults):
    agent = Agent()
    wire = Wire(agent, **faults)
    source = random.Random(7)
    up, down = source.randbytes(40_000), source.randbytes(40_000)
    agent.output(down)
    wire.client.send(up)
    wire.run(lambda: agent.received == up and wire.output == down and not agent.sent and not wire.client.backlog)
    wire.client.messages_to_send(wire.now)  # the last message may have come twice, and is acknowledged twice
    assert wire.client.next_time() is None


def test_exact_over_two_drops():
    agent = Agent()
    wire = Wire(agent, loss=0.02)
    source = random.Random(8)
    up, down = source.randbytes(60_000), source.randbytes(60_000)
    agent.output(down)
    wire.client.send(up)
    for _drop in range(2):
        wire.run(lambda: len(agent.received) > 10_000)
        wire.drop()
        wire.step(1.0)
        wire.resume()
    wire.run(lambda: agent.received == up and wire.output == down)


@pytest.mark.parametrize("kind", ["pause_publication", "start_publication", "agent_session_state", "something_new"])
def test_messages_that_change_nothing(kind):
    wire = Wire(Agent())
    wire.agent._put(kind, 0, 0, b"{}")
    wire.agent.output(b"x")
    wire.client.send(b"y")
    wire.run(lambda: wire.agent.received == b"y")
    assert wire.events == [channel.Output(b"x")]


@pytest.mark.parametrize("reason", ["", "Your session timed out due to inactivity."])
def test_channel_closed(reason):
    wire = Wire(Agent())
    wire.agent.close(reason)
    wire.run(lambda: wire.events)
    assert wire.events == [channel.Closed(reason)]
    assert wire.client.state is State.CLOSED
    with pytest.raises(ProtocolError):
        wire.client.send(b"x")


def test_gives_up_after_five_minutes_without_an_acknowledgement():
    agent = Agent(ready=False)
    wire = Wire(agent)
    agent.output(b"x")
    wire.run(lambda: wire.client.state is State.READY)
    wire.client.send(b"hello")
    while not any(isinstance(event, channel.Closed) for event in wire.events):
        wire.step(1.0)
        assert wire.now < 310
    assert wire.now > 299
    assert wire.events[-1].reason == "The instance has not acknowledged input for 300 s."


def test_a_handshake_leads_from_opening_to_ready():
    client = DataChannel(lambda: 1)
    agent = Agent(session_type="InteractiveCommands")
    agent.start()
    (first,) = agent.take()
    assert client.state is State.OPENING
    client.receive(first, 0.0)
    assert client.state is State.HANDSHAKE


def test_second_handshake_is_an_error():
    client = DataChannel(lambda: 1)
    agent = Agent(session_type="InteractiveCommands")
    agent.start()
    agent._stream(5, b'{"RequestedClientActions": []}')
    first, second = agent.take()
    client.receive(first, 0.0)
    with pytest.raises(ProtocolError, match="second handshake"):
        client.receive(second, 0.0)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["output_stream_data", "acknowledge", "channel_closed", "pause_publication", "x"]),
            st.integers(-2, 4),
            st.integers(0, 13),
            st.one_of(
                st.binary(min_size=1, max_size=60),
                st.sampled_from(
                    [
                        b"{}",
                        b"[]",
                        b'{"RequestedClientActions": [1]}',
                        b'{"RequestedClientActions": {}}',
                        b'{"RequestedClientActions": [{"ActionType": "KMSEncryption"}]}',
                        b'{"Challenge": 5}',
                        b'{"AcknowledgedMessageSequenceNumber": 0}',
                        b'{"Output": []}',
                        b'{"a":' * 5000,
                    ]
                ),
            ),
        ),
        max_size=8,
    )
)
def test_any_message_gives_events_or_a_protocol_error(items):
    client = DataChannel(lambda: 1)
    client.opened("t")
    client.send(b"input")
    for kind, sequence, payload_type, payload in items:
        data = message.serialize(message.Message(kind, sequence, client._new_id(), 1, payload, payload_type))
        with contextlib.suppress(ProtocolError):
            client.receive(data, 0.0)
        client.events()
        client.messages_to_send(0.0)
