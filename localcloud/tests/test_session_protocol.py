# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's protocol core and the gateway's links as tables of bytes and machines under a fake clock: no socket, no process."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import struct
import sys
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "images" / "instance" / "agent"))

from ssm_agent import encryption, handshake, stream, utf8, wire

from localcloud.session import documents, envelope
from localcloud.session.faults import Faults, Link, LinkFaults

IDENTITY = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")


# -- bytes


def test_message_in_bytes():
    data = wire.pack(wire.Message("output_stream_data", b"hi", payload_type=1, sequence=2, flags=1, message_id=IDENTITY, created=3))
    assert data == b"".join(
        [
            bytes.fromhex("00000074"),
            b"output_stream_data              ",
            bytes.fromhex("00000001 0000000000000003 0000000000000002 0000000000000001"),
            bytes.fromhex("8899aabbccddeeff 0011223344556677"),
            hashlib.sha256(b"hi").digest(),
            bytes.fromhex("00000001 00000002"),
            b"hi",
        ]
    )
    assert wire.unpack(data) == wire.Message("output_stream_data", b"hi", 1, 2, 1, IDENTITY, 3)


def test_agent_reads_what_official_clients_send():
    data = bytearray(wire.pack(wire.Message("input_stream_data", b"payload", payload_type=1, sequence=7, message_id=IDENTITY, created=9)))
    data[4:36] = b"input_stream_data".ljust(32, b"\0")  # padded with NULs
    data[80:112] = bytes(32)  # the agent does not verify the digest
    struct.pack_into(">I", data, 116, 3)  # nor the payload's length, unless it is 0
    message = wire.unpack(bytes(data))
    assert (message.message_type, message.payload) == ("input_stream_data", b"payload")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:120],
        lambda data: data[:40] + bytes(8) + data[48:],
        lambda data: data[:116] + bytes(4) + data[120:],
        lambda data: struct.pack(">I", 4000) + data[4:],
        lambda data: struct.pack(">I", 10) + data[4:],
        lambda data: b"",
    ],
    ids=["no payload", "no date", "payload length 0", "header beyond the end", "header too short", "nothing"],
)
def test_damaged_messages_are_refused(damage):
    data = wire.pack(wire.Message("input_stream_data", b"x", created=1))
    with pytest.raises(wire.WireError):
        wire.unpack(damage(data))


def test_empty_payload_cannot_be_sent():
    with pytest.raises(wire.WireError):
        wire.pack(wire.Message("input_stream_data", b""))


def test_acknowledgement():
    message = wire.Message("input_stream_data", b"x", sequence=5, message_id=IDENTITY, created=1)
    answer = wire.unpack(wire.acknowledgement(message))
    assert (answer.message_type, answer.sequence, answer.flags, answer.payload_type) == ("acknowledge", 0, 3, 0)
    assert json.loads(answer.payload) == {
        "AcknowledgedMessageType": "input_stream_data",
        "AcknowledgedMessageId": str(IDENTITY),
        "AcknowledgedMessageSequenceNumber": 5,
        "IsSequentialMessage": True,
    }
    assert wire.acknowledged_sequence(answer) == 5
    assert wire.acknowledged_sequence(wire.Message("acknowledge", b"{}")) is None


def test_the_services_messages_are_readable_for_the_agent():
    closed = wire.unpack(envelope.channel_closed("s-1", "the reason"))
    assert closed.message_type == "channel_closed"
    assert json.loads(closed.payload)["Output"] == "the reason"
    assert envelope.message_type(envelope.start_publication("s")) == "start_publication"
    assert envelope.body(envelope.agent_job("j", {"a": 1}))["JobId"] == "j"


# -- order and repetition


def deliver(incoming: stream.Incoming, data: bytes, out: list[bytes]) -> bool:
    """What a ready receiver does with one message; whether it acknowledges it."""
    message = wire.unpack(data)
    acknowledge = incoming.receive(message)
    while (current := incoming.next()) is not None:
        out.append(current.payload)
        incoming.handled()
        acknowledge = acknowledge or current is message
    return acknowledge


def numbered(count: int) -> list[bytes]:
    outgoing = stream.Outgoing(wire.INPUT)
    return [outgoing.send(0.0, 1, b"%d" % number) for number in range(count)]


@pytest.mark.parametrize(
    ("order", "delivered", "acknowledged"),
    [
        ([0, 1, 2], [0, 1, 2], [0, 1, 2]),
        ([2, 1, 0], [0, 1, 2], [2, 1, 0]),
        ([0, 0, 1], [0, 1], [0, 0, 1]),
        ([0, 2, 2], [0], [0, 2, 2]),
        ([1, 2], [], [1, 2]),
    ],
)
def test_messages_are_put_in_order(order, delivered, acknowledged):
    messages, incoming, out = numbered(3), stream.Incoming(), []
    answers = [number for number in order if deliver(incoming, messages[number], out)]
    assert (out, answers) == ([b"%d" % number for number in delivered], acknowledged)


def test_full_buffer_drops_without_acknowledging():
    messages, incoming, out = numbered(4), stream.Incoming(capacity=2), []
    assert [deliver(incoming, messages[number], out) for number in (1, 2, 3)] == [True, True, False]


def test_message_that_is_refused_is_taken_later():
    messages, incoming, out = numbered(2), stream.Incoming(), []
    assert incoming.receive(wire.unpack(messages[0])) is False
    incoming.refused()
    assert deliver(incoming, messages[1], out) is True
    assert deliver(incoming, messages[0], out) is True
    assert out == [b"0", b"1"]


def test_first_message_carries_syn():
    assert [wire.unpack(data).flags for data in numbered(2)] == [1, 0]


def test_only_the_oldest_message_is_sent_again():
    outgoing = stream.Outgoing(wire.OUTPUT)
    first, second = outgoing.send(0.0, 1, b"a"), outgoing.send(0.0, 1, b"b")
    assert outgoing.due(0.2) is None
    assert outgoing.due(0.21) == first
    assert outgoing.due(0.31) == first  # every tick, once its time is over
    outgoing.acknowledge(0.35, 0)
    assert outgoing.due(1.36) == second
    assert outgoing.all_unacknowledged() == [second]


def test_time_out_follows_the_round_trips():
    timer = stream.RetransmissionTimer()
    assert timer.timeout == 0.2
    for _ in range(50):
        timer.sample(0.060)
    assert timer.timeout == pytest.approx(0.070, abs=0.002)
    for _ in range(50):
        timer.sample(5.0)
    assert timer.timeout == 1.0


def test_message_beyond_the_capacity_is_not_kept():
    outgoing = stream.Outgoing(wire.OUTPUT, capacity=1)
    outgoing.send(0.0, 1, b"a")
    assert outgoing.send(0.0, 1, b"b")
    assert len(outgoing) == 1


@pytest.mark.parametrize("seed", range(8))
def test_two_machines_over_a_bad_link(seed):
    """Everything arrives once and in order, and n losses cost at least n ticks of a tenth of a second."""
    faults = LinkFaults(latency_ms=20, jitter_ms=30, loss=0.1, duplicate=0.1, reorder=0.2)
    there, back = Link(faults, f"{seed}/there"), Link(faults, f"{seed}/back")
    outgoing, incoming = stream.Outgoing(wire.OUTPUT), stream.Incoming()
    sent = [random.Random(f"{seed}/{number}").randbytes(20) for number in range(200)]
    out: list[bytes] = []
    now = 0.0
    for payload in sent:
        there.put(now, outgoing.send(now, 1, payload))
    tick = 0.1
    while len(outgoing):
        now = round(now + 0.005, 3)
        assert now < 120, "it does not come to an end"
        for data in there.take(now):
            if deliver(incoming, data, out):
                back.put(now, wire.acknowledgement(wire.unpack(data)))
        for data in back.take(now):
            outgoing.acknowledge(now, wire.acknowledged_sequence(wire.unpack(data)))
        if now >= tick:
            tick += stream.RESEND_INTERVAL
            data = outgoing.due(now)
            if data is not None:
                there.put(now, data)
    assert out == sent
    assert there.lost > 0
    assert now > stream.RESEND_INTERVAL * min(there.lost, 10)


# -- output


@pytest.mark.parametrize(
    ("reads", "sent", "held"),
    [
        ([b"plain"], [b"plain"], b""),
        (["café €".encode()], ["café €".encode()], b""),
        ([b"caf\xe9"], [b"caf"], b"\xe9"),
        ([b"caf\xe9", b"abcd"], [b"caf", b"\xe9abcd"], b""),
        ([b"\xef\xbf\xbdabcd"], [b"\xefabcd"], b""),
        ([b"abcd\xef\xbf\xbd"], [b"abcd"], b"\xef\xbf\xbd"),
        ([b"\xff\xfe\xfdabcd"], [b"\xff\xfe\xfdabcd"], b""),
        ([b"x\xff12"], [b"x"], b"\xff12"),
        ([b"x\xff123"], [b"x\xff123"], b""),
        (["€".encode()[:2], "€".encode()[2:]], [b"", "€".encode()], b""),
        (["😀".encode()[:3], "😀".encode()[3:]], [b"", "😀".encode()], b""),
        ([b"\xed\xa0\x80abcd"], [b"\xed\xa0\x80abcd"], b""),
        ([b"\xc0\x80abcd"], [b"\xc0\x80abcd"], b""),
    ],
)
def test_rune_walk(reads, sent, held):
    walk = utf8.RuneWalk()
    assert [walk.feed(data) for data in reads] == sent
    assert walk.held == held


def test_rune_walk_keeps_what_has_no_trap():
    """No EF byte and four ASCII bytes at the end of each read: then every byte arrives."""
    generator = random.Random(5)
    for _ in range(200):
        data = bytes(byte for byte in generator.randbytes(300) if byte != 0xEF) + b"tail"
        walk = utf8.RuneWalk()
        assert walk.feed(data) == data


# -- handshake


def machine(**options) -> handshake.Handshake:
    values = {
        "agent_version": "3.3.0.0",
        "session_type": "Port",
        "properties": {"portNumber": "22"},
        "session_id": "s-1",
        "target_id": "i-1",
    }
    return handshake.Handshake(**(values | options))


def response(*actions: dict, version: str = "1.2.707.0") -> bytes:
    return json.dumps({"ClientVersion": version, "ProcessedClientActions": list(actions), "Errors": []}).encode()


def test_handshake_without_a_key():
    machine_ = machine()
    kind, payload = machine_.request(10.0)
    assert kind == 5
    assert json.loads(payload) == {
        "AgentVersion": "3.3.0.0",
        "RequestedClientActions": [
            {"ActionType": "SessionType", "ActionParameters": {"SessionType": "Port", "Properties": {"portNumber": "22"}}}
        ],
    }
    assert machine_.receive(10.1, 1, b"input") is None
    kind, payload = machine_.receive(10.5, 6, response({"ActionType": "SessionType", "ActionStatus": 1}))
    assert (kind, json.loads(payload)) == (7, {"HandshakeTimeToComplete": 500_000_000, "CustomerMessage": ""})
    assert machine_.state is handshake.State.COMPLETE
    assert machine_.receive(11.0, 6, response({"ActionType": "SessionType", "ActionStatus": 1})) is None


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (
            response({"ActionType": "SessionType", "ActionStatus": 3, "Error": "Unsupported"}),
            "SessionType failed on client with status 3 error: Unsupported",
        ),
        (response(), "the client did not process the action SessionType"),
        (b"{", "the handshake response is not JSON"),
        (b"[]", "the handshake response is not a JSON object"),
    ],
)
def test_handshake_that_fails(payload, text):
    machine_ = machine()
    machine_.request(0.0)
    with pytest.raises(handshake.HandshakeError, match=text):
        machine_.receive(0.1, 6, payload)


@pytest.mark.parametrize(
    ("version", "nags"), [("1.2.295.0", True), ("1.2.295", True), ("1.1.0.0", True), ("1.2.312.0", False), ("1.2.707.0", False)]
)
def test_old_clients_are_told_to_update(version, nags):
    machine_ = machine(session_type="NonInteractiveCommands")
    machine_.request(0.0)
    _, payload = machine_.receive(0.1, 6, response({"ActionType": "SessionType", "ActionStatus": 1}, version=version))
    assert bool(json.loads(payload)["CustomerMessage"]) == nags


def keyed(result: dict, *, challenge: bool = True) -> tuple[handshake.Handshake, dict, handshake.KeyRequest]:
    machine_ = machine(session_type="Standard_Stream", kms_key_id="alias/k", kms_challenge=challenge)
    _, payload = machine_.request(0.0)
    parameters = json.loads(payload)["RequestedClientActions"][0]["ActionParameters"]
    answer = machine_.receive(
        0.1,
        6,
        response(
            {"ActionType": "KMSEncryption", "ActionStatus": 1, "ActionResult": result},
            {"ActionType": "SessionType", "ActionStatus": 1},
        ),
    )
    return machine_, parameters, answer


@pytest.mark.parametrize("challenge", [True, False])
def test_handshake_with_a_key(challenge):
    result = {"KMSCipherTextKey": base64.b64encode(b"blob").decode(), "ChallengeAcknowledgement": True}
    machine_, parameters, wanted = keyed(result, challenge=challenge)
    assert parameters["KMSKeyId"] == "alias/k"
    assert ("Challenge" in parameters) == challenge
    assert wanted.blob == b"blob"
    context = {"aws:ssm:SessionId": "s-1", "aws:ssm:TargetId": "i-1"}
    if challenge:
        assert len(base64.b64decode(parameters["Challenge"])) == 16
        context["aws:ssm:RandomChallenge"] = parameters["Challenge"]
    assert wanted.context == context
    key = bytes(range(64))
    kind, payload = machine_.key(key)
    assert kind == 8
    sealed = base64.b64decode(json.loads(payload)["Challenge"])
    plain = AESGCM(key[:32]).decrypt(sealed[:12], sealed[12:], None)
    assert len(plain) == 64
    answer = b"n" * 12 + AESGCM(key[32:]).encrypt(b"n" * 12, plain, None)
    kind, _ = machine_.receive(0.3, 9, json.dumps({"Challenge": base64.b64encode(answer).decode()}).encode())
    assert (kind, machine_.state) == (7, handshake.State.COMPLETE)


def test_key_without_acknowledged_challenge():
    with pytest.raises(handshake.HandshakeError, match="did not acknowledge the KMS challenge"):
        keyed({"KMSCipherTextKey": base64.b64encode(b"blob").decode()})


def test_wrong_answer_to_the_challenge():
    machine_, _, _ = keyed({"KMSCipherTextKey": base64.b64encode(b"blob").decode(), "ChallengeAcknowledgement": True})
    machine_.key(bytes(64))
    answer = b"n" * 12 + AESGCM(bytes(32)).encrypt(b"n" * 12, b"something else", None)
    with pytest.raises(handshake.HandshakeError, match="does not hold the bytes sent"):
        machine_.receive(0.3, 9, json.dumps({"Challenge": base64.b64encode(answer).decode()}).encode())


def test_key_of_a_wrong_size():
    machine_, _, _ = keyed({"KMSCipherTextKey": base64.b64encode(b"blob").decode(), "ChallengeAcknowledgement": True})
    with pytest.raises(handshake.HandshakeError, match="32 bytes instead of 64"):
        machine_.key(bytes(32))


def test_cipher_refuses_changed_bytes():
    cipher = encryption.Cipher(bytes(64))
    sealed = bytearray(cipher.encrypt(b"text"))
    sealed[-1] ^= 1
    with pytest.raises(encryption.EncryptionError):
        cipher.decrypt(bytes(sealed))
    with pytest.raises(encryption.EncryptionError):
        cipher.decrypt(b"short")


# -- links


def test_healthy_link_keeps_order_and_adds_nothing():
    link = Link(LinkFaults(), "0")
    for number in range(5):
        link.put(1.0, b"%d" % number)
    assert link.take(1.0) == [b"0", b"1", b"2", b"3", b"4"]
    assert link.next_due() is None


def test_latency_keeps_order():
    link = Link(LinkFaults(latency_ms=50, jitter_ms=50), "0")
    for number in range(20):
        link.put(number / 1000, b"%d" % number)
    assert link.take(0.049) == []
    assert link.take(1.0) == [b"%d" % number for number in range(20)]


def test_same_seed_same_faults():
    def run(seed: str) -> list[bytes]:
        link = Link(LinkFaults(loss=0.3, duplicate=0.3, reorder=0.3), seed)
        for number in range(100):
            link.put(0.0, b"%d" % number)
        return link.take(9.0)

    assert run("a") == run("a") != run("b")


def test_reliable_messages_are_never_lost():
    link = Link(LinkFaults(loss=1.0), "0")
    link.put(0.0, b"data")
    link.put(0.0, b"closed", reliable=True)
    assert link.take(0.0) == [b"closed"]


def test_faults_from_json_are_complete():
    faults = Faults.from_json({"to_client": {"loss": 0.5}, "api": {"StartSession": {"error": "ThrottlingException", "count": 2}}})
    assert faults.to_client.loss == 0.5 and faults.api["StartSession"].count == 2 and faults.to_agent == LinkFaults()


# -- documents


def test_limits_come_from_preferences():
    preferences = {"sessionType": "Standard_Stream", "inputs": {"idleSessionTimeout": "5", "maxSessionDuration": "7", "kmsKeyId": "k"}}
    plan = documents.plan("AWS-StartSSHSession", documents.SESSION_DOCUMENTS["AWS-StartSSHSession"], preferences, {})
    assert (plan.idle_seconds, plan.duration_seconds) == (300.0, 420.0)
    assert plan.content["properties"] == {"portNumber": "22"}
    assert plan.content["inputs"]["kmsKeyId"] == "k"


def test_limits_without_preferences():
    document = documents.default_preferences()
    plan = documents.plan("SSM-SessionManagerRunShell", document, document, {})
    assert (plan.idle_seconds, plan.duration_seconds) == (1200.0, None)
