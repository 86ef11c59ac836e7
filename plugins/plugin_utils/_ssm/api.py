# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Session Manager calls of the AWS API through botocore; holds no session and no socket.

botocore is imported with the first call, because importing it costs as much as a whole local task; `load` does it before.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass

from .api_errors import incomplete, refused, unreachable
from .errors import ApiError, SessionUnknown

STARTS_AT_ONCE = 10


def load() -> None:
    """Import botocore and everything that it imports when a client is made. What is wrong with it is said by the first call."""
    with contextlib.suppress(Exception):
        import botocore.session
        from botocore.config import Config

        session = botocore.session.Session()
        session.set_credentials("none", "none")
        # With "auto" in the user's configuration botocore would ask the metadata service where it is.
        session.create_client("ssm", region_name="us-east-1", config=Config(defaults_mode="legacy"))


@dataclass(frozen=True, kw_only=True)
class Started:
    """What StartSession and ResumeSession answer; the token is a secret and stays out of every text."""

    session_id: str
    stream_url: str
    token: str

    def __repr__(self):
        return f"Started(session_id={self.session_id!r})"


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where and as whom to call; None leaves the choice to botocore's own chain (environment, profile, instance role)."""

    region: str | None = None
    profile: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    endpoint_url: str | None = None
    attempts: int = 4
    timeout: float = 60.0

    def __repr__(self):
        return f"Account(region={self.region!r}, profile={self.profile!r})"


class SessionApi:
    """One client for one account and region, for any number of threads. Methods raise ApiError, or one of its kinds, with a sentence."""

    def __init__(self, account: Account):
        self._account = account
        self._botocore = None
        self._clients = {}
        self._making = threading.RLock()  # clients may be shared by threads, making them may not
        self._starting = threading.BoundedSemaphore(STARTS_AT_ONCE)

    @property
    def region(self) -> str:
        return self._account.region or (self._botocore and self._botocore.get_config_variable("region")) or "?"

    @property
    def ca_bundle(self) -> str | None:
        """The certificate file that the user chose for AWS (AWS_CA_BUNDLE or the profile's ca_bundle), if any."""
        return self._session().get_config_variable("ca_bundle")

    def start(self, target: str, *, document: str | None, parameters: dict, reason: str | None) -> Started:
        request = {"Target": target}
        if document:
            request["DocumentName"] = document
        if parameters:
            request["Parameters"] = parameters
        if reason:
            request["Reason"] = reason
        with self._starting:
            answer = self._call("ssm", "start_session", target, document, ("SessionId", "StreamUrl", "TokenValue"), **request)
        return Started(session_id=answer["SessionId"], stream_url=answer["StreamUrl"], token=answer["TokenValue"])

    def resume(self, session_id: str) -> Started | None:
        """Return the way back into a session, None when it has timed out or was terminated."""
        try:
            answer = self._call("ssm", "resume_session", session_id, None, (), SessionId=session_id)
        except SessionUnknown:
            return None
        if not answer.get("TokenValue") or not answer.get("StreamUrl"):
            return None
        return Started(session_id=session_id, stream_url=answer["StreamUrl"], token=answer["TokenValue"])

    def terminate(self, session_id: str) -> None:
        self._call("ssm", "terminate_session", session_id, None, (), SessionId=session_id)

    def data_key(self, key_id: str, context: dict) -> tuple[bytes, bytes]:
        """Return 64 bytes of key and the same wrapped by KMS."""
        members = ("Plaintext", "CiphertextBlob")
        answer = self._call("kms", "generate_data_key", key_id, None, members, KeyId=key_id, NumberOfBytes=64, EncryptionContext=context)
        return answer["Plaintext"], answer["CiphertextBlob"]

    def _session(self):
        with self._making:
            return self._make_session()

    def _make_session(self):
        if self._botocore is None:
            try:
                import botocore.session
            except ImportError as error:
                raise ApiError(
                    "Cannot call Systems Manager: the Python package botocore is missing on the controller; "
                    "install it with `pip install boto3`."
                ) from error
            session = botocore.session.Session(profile=self._account.profile)
            if self._account.access_key_id:
                session.set_credentials(self._account.access_key_id, self._account.secret_access_key, self._account.session_token)
            self._botocore = session
        return self._botocore

    def _client(self, service):
        with self._making:
            return self._make_client(service)

    def _make_client(self, service):
        if service not in self._clients:
            from botocore.config import Config

            timeout = max(2.0, min(10.0, self._account.timeout))
            self._clients[service] = self._session().create_client(
                service,
                region_name=self._account.region,
                endpoint_url=self._account.endpoint_url if service == "ssm" else None,
                config=Config(
                    retries={"mode": "adaptive", "total_max_attempts": self._account.attempts},
                    connect_timeout=timeout,
                    read_timeout=max(10.0, timeout),
                ),
            )
        return self._clients[service]

    def _call(self, service, method, subject, document, members, **request):
        """The answer, which has all of `members`: what comes from another server than AWS's may be anything."""
        self._session()
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            answer = getattr(self._client(service), method)(**request)
        except ClientError as error:
            raise refused(error.response.get("Error", {}), method, subject, document, self.region) from error
        except (BotoCoreError, ValueError, ResponseParserError) as error:
            raise unreachable(error, method, subject, self.region) from error
        missing = [name for name in members if not answer.get(name)]
        if missing:
            raise incomplete(missing, method, subject, self.region)
        return answer
