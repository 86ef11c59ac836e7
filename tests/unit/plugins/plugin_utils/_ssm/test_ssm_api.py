# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API calls: what is sent, as botocore sees it, and that secrets stay out of every text."""

from __future__ import annotations

import subprocess
import sys

import pytest
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.api import Account, SessionApi, Started
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import ApiError, TargetNotReady

ANSWER = {"SessionId": "s-1", "TokenValue": "secret-token", "StreamUrl": "wss://example/s-1"}


@pytest.fixture
def api():
    account = Account(region="ap-northeast-2", access_key_id="AKIDEXAMPLE", secret_access_key="secret-key", session_token="secret-st")
    return SessionApi(account)


@pytest.fixture
def ssm(api):
    with Stubber(api._client("ssm")) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("there_is_botocore", [True, False])
def test_botocore_can_be_loaded_before_the_first_call(there_is_botocore):
    program = (
        "import sys\n"
        f"sys.modules.update({{}} if {there_is_botocore} else {{'botocore': None}})\n"
        "from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import api\n"
        "before = 'botocore.client' in sys.modules; api.load(); print(before, 'botocore.client' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=False)
    assert done.stdout == f"False {there_is_botocore}\n", done.stderr


def test_start(api, ssm):
    expected = {"Target": "i-1", "DocumentName": "AWS-X", "Parameters": {"command": ["x"]}, "Reason": "Ansible"}
    ssm.add_response("start_session", ANSWER, expected)
    started = api.start("i-1", document="AWS-X", parameters={"command": ["x"]}, reason="Ansible")
    assert (started.session_id, started.stream_url, started.token) == ("s-1", "wss://example/s-1", "secret-token")


def test_start_with_the_default_document(api, ssm):
    ssm.add_response("start_session", ANSWER, {"Target": "i-1"})
    api.start("i-1", document=None, parameters={}, reason=None)


def test_start_refused(api, ssm):
    ssm.add_client_error("start_session", "TargetNotConnected")
    with pytest.raises(TargetNotReady):
        api.start("i-1", document=None, parameters={}, reason=None)


def test_resume(api, ssm):
    ssm.add_response("resume_session", ANSWER, {"SessionId": "s-1"})
    assert api.resume("s-1").token == "secret-token"


def test_resume_without_a_token_means_timed_out(api, ssm):
    ssm.add_response("resume_session", {"SessionId": "s-1"}, {"SessionId": "s-1"})
    assert api.resume("s-1") is None


def test_resume_of_a_session_that_is_gone(api, ssm):
    ssm.add_client_error("resume_session", "DoesNotExistException")
    assert api.resume("s-1") is None


def test_terminate(api, ssm):
    ssm.add_response("terminate_session", {"SessionId": "s-1"}, {"SessionId": "s-1"})
    api.terminate("s-1")


def test_data_key(api):
    with Stubber(api._client("kms")) as stub:
        context = {"aws:ssm:SessionId": "s-1"}
        stub.add_response(
            "generate_data_key",
            {"Plaintext": b"p" * 64, "CiphertextBlob": b"c"},
            {"KeyId": "k", "NumberOfBytes": 64, "EncryptionContext": context},
        )
        assert api.data_key("k", context) == (b"p" * 64, b"c")


def test_secrets_are_not_shown():
    account = Account(region="r", access_key_id="AKIDEXAMPLE", secret_access_key="secret-key", session_token="secret-st")
    started = Started(session_id="s-1", stream_url="wss://x?token=secret-url", token="secret-token")
    assert "secret" not in repr(account) + repr(started) + str(started)


def test_no_credentials(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ApiError, match="no AWS credentials were found"):
        SessionApi(Account(region="ap-northeast-2")).terminate("s-1")


def test_endpoint_from_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:2")
    api = SessionApi(Account(region="ap-northeast-2", access_key_id="a", secret_access_key="b"))
    assert api._client("ssm").meta.endpoint_url == "http://127.0.0.1:2"
    assert api._client("kms").meta.endpoint_url == "http://127.0.0.1:1"


def test_unknown_profile(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ApiError, match=r"The config profile \(prod\) could not be found"):
        SessionApi(Account(region="ap-northeast-2", profile="prod")).terminate("s-1")


@pytest.mark.case("B10")
@pytest.mark.parametrize("answer", [{}, {"SessionId": "s-1", "TokenValue": "secret-token"}])
def test_an_answer_that_is_not_aws_s_says_what_it_lacks(api, ssm, answer):
    ssm.add_response("start_session", answer, {"Target": "i-1"})
    with pytest.raises(ApiError) as caught:
        api.start("i-1", document=None, parameters={}, reason=None)
    missing = " and no ".join(name for name in ("SessionId", "StreamUrl", "TokenValue") if name not in answer)
    assert str(caught.value) == (
        f"Cannot start a session with i-1 in ap-northeast-2: the answer has no {missing}; "
        "check that the endpoint is the one of AWS, and the proxy settings."
    )


@pytest.mark.case("B10")
def test_an_answer_that_cannot_be_read_is_an_api_error(api, monkeypatch):
    def unreadable(**_unused):
        raise ResponseParserError("Unable to parse response")

    monkeypatch.setattr(api._client("ssm"), "start_session", unreadable)
    with pytest.raises(ApiError, match="Cannot start a session with i-1 in ap-northeast-2: Unable to parse response; check the AWS"):
        api.start("i-1", document=None, parameters={}, reason=None)
