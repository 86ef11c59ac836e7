# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed requests of the agent to the message gateway and to KMS, with the instance role's credentials; knows no session."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import urllib.error
import urllib.request
import uuid
import xml.etree.ElementTree as ElementTree
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import InstanceMetadataProvider, RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from botocore.utils import InstanceMetadataFetcher

from .settings import Settings

log = logging.getLogger("ssm_agent.service")

_SECONDS = 10.0


class NoCredentials(Exception):
    """The metadata service has no credentials for this instance."""


class AccessDenied(Exception):
    """The service refuses: the role does not allow it, or there is no way to the service."""


class NotFound(Exception):
    """The session does not exist (any more)."""


class Messages:
    """The gateway's HTTP side for one instance."""

    def __init__(self, settings: Settings) -> None:
        self.instance_id = settings.instance_id
        self.websocket_url = "ws" + settings.ssmmessages_url.removeprefix("http").rstrip("/")
        self._url = settings.ssmmessages_url.rstrip("/")
        self._region = settings.region
        self._imds = settings.imds
        self._session = Session()
        self._credentials: Any = None

    async def create_control_channel(self) -> str:
        """A token for the control channel's websocket. Raises NoCredentials, AccessDenied or OSError."""
        return await asyncio.to_thread(self._create, f"/v1/control-channel/{self.instance_id}")

    async def create_data_channel(self, session_id: str) -> str:
        """A token for a session's websocket; raises as create_control_channel does, or NotFound."""
        return await asyncio.to_thread(self._create, f"/v1/data-channel/{session_id}")

    async def decrypt(self, blob: bytes, context: dict[str, str]) -> bytes:
        """kms:Decrypt at the endpoint of the environment. Raises OSError with KMS's words."""
        return await asyncio.to_thread(self._decrypt, blob, context)

    def _decrypt(self, blob: bytes, context: dict[str, str]) -> bytes:
        credentials = self._frozen_credentials()
        client = self._session.create_client(
            "kms",
            region_name=self._region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
            config=Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 2}),
        )
        try:
            return client.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"]
        except (BotoCoreError, ClientError) as error:
            raise OSError(f"Fetching data key failed: Unable to retrieve data key, Error when decrypting data key {error}") from error

    def _frozen_credentials(self) -> Any:
        if self._credentials is None:
            self._credentials = self._load_credentials()
        try:
            return self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            self._credentials = None
            raise NoCredentials(f"the credentials could not be renewed: {error}") from error

    def _load_credentials(self) -> Any:
        if not self._imds:
            credentials = self._session.get_credentials()
        else:
            fetcher = InstanceMetadataFetcher(timeout=2, num_attempts=1, base_url=self._imds.rstrip("/") + "/", env=os.environ)
            credentials = InstanceMetadataProvider(iam_role_fetcher=fetcher).load()
        if credentials is None:
            raise NoCredentials("the instance metadata service has no role credentials for this instance")
        if not isinstance(credentials, RefreshableCredentials):
            log.debug("the credentials do not expire")
        return credentials

    def _create(self, path: str) -> str:
        body = json.dumps({"MessageSchemaVersion": "1.0", "RequestId": str(uuid.uuid4())}).encode()
        request = AWSRequest(method="POST", url=self._url + path, data=body, headers={"Content-Type": "application/json"})
        SigV4Auth(self._frozen_credentials(), "ssmmessages", self._region).add_auth(request)
        prepared = request.prepare()
        headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in prepared.headers.items()}
        plain = urllib.request.Request(prepared.url, data=body, headers=headers, method="POST")  # noqa: S310 - http of the settings
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(plain, timeout=_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            detail = error.read().decode("utf-8", "replace").strip()
            if error.code == 404:
                raise NotFound(f"{path}: {detail}") from error
            if error.code in (400, 401, 403):
                self._credentials = None  # a role that was attached or changed meanwhile shows in new credentials only
                raise AccessDenied(f"{path}: HTTP {error.code} {detail}") from error
            raise OSError(f"{path}: HTTP {error.code} {detail}") from error
        token = ElementTree.fromstring(text).findtext("TokenValue")  # noqa: S314 - the gateway's own answer
        if not token:
            raise OSError(f"{path}: the answer has no token")
        return token
