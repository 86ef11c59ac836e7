# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The handshake's JSON, as tables."""

from __future__ import annotations

import json

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import handshake
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError


def request(*actions):
    return json.dumps({"AgentVersion": "3.3.987.0", "RequestedClientActions": list(actions)}).encode()


SESSION_TYPE = {"ActionType": "SessionType", "ActionParameters": {"SessionType": "InteractiveCommands", "Properties": None}}
KMS = {"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": "arn:key", "Challenge": "abc"}}
OLD_KMS = {"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": "arn:key"}}


def test_reads_both_actions():
    found = handshake.read_request(request(KMS, SESSION_TYPE))
    assert found.agent_version == "3.3.987.0"
    assert found.session_type == "InteractiveCommands"
    assert found.encryption == handshake.EncryptionRequest(key_id="arn:key", challenge="abc")
    assert found.actions == ("KMSEncryption", "SessionType")
    assert found.unsupported == ()


def test_unknown_action_is_answered_as_unsupported():
    found = handshake.read_request(request({"ActionType": "Teleport", "ActionParameters": None}))
    answer = json.loads(handshake.response(found, None))
    assert answer["ProcessedClientActions"][0]["ActionStatus"] == handshake.UNSUPPORTED
    assert answer["Errors"] == ["Unsupported action Teleport"]


@pytest.mark.parametrize(
    ("action", "context"),
    [
        (KMS, {"aws:ssm:SessionId": "s", "aws:ssm:TargetId": "i-1", "aws:ssm:RandomChallenge": "abc"}),
        (OLD_KMS, {"aws:ssm:SessionId": "s", "aws:ssm:TargetId": "i-1"}),
    ],
)
def test_encryption_context(action, context):
    encryption = handshake.read_request(request(action)).encryption
    assert handshake.encryption_context("s", "i-1", encryption) == context


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b'{"RequestedClientActions": 5}',
        b'{"RequestedClientActions": [5]}',
        b'{"RequestedClientActions": [{"ActionType": "KMSEncryption"}]}',
    ],
)
def test_bad_requests(payload):
    with pytest.raises(ProtocolError):
        handshake.read_request(payload)


@pytest.mark.parametrize("payload", [b"{}", b'{"Challenge": 1}', b'{"Challenge": "*"}', b'{"Challenge": "\xc3\xa9"}'])
def test_bad_challenges(payload):
    with pytest.raises(ProtocolError):
        handshake.read_challenge(payload)


def test_challenge_both_ways():
    assert handshake.read_challenge(handshake.challenge_response(b"\0\xff")) == b"\0\xff"


@pytest.mark.parametrize("challenge", ["", 7, ["abc"], None])
def test_a_challenge_that_is_no_text_is_none(challenge):
    action = {"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": "arn:key", "Challenge": challenge}}
    assert handshake.read_request(request(action)).encryption == handshake.EncryptionRequest(key_id="arn:key", challenge=None)
