# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ACM: MiniStack's API, with certificates that the cloud's authority signs once they are validated, and imported ones that are read."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import typing as t
import uuid

import ministack.app

from ..emulation.acm import PENDING, BadCertificate, Certificates, read

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response

VALIDATION_SECONDS = 2.0
LOOK_SECONDS = 0.5

_log = logging.getLogger("localcloud.acm")


class Acm:
    """The service `acm`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._certificates = Certificates(cloud.certificates, VALIDATION_SECONDS)
        cloud.certificates.pem_of = self._certificates.pem
        self._looking: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Stop looking for validations."""
        if self._looking is not None:
            self._looking.cancel()

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one call of the JSON 1.1 protocol."""
        names = {name.lower(): value for name, value in headers.items()}
        operation = names.get("x-amz-target", "").rpartition(".")[2]
        members = _members(body)
        refused = self._refuse(operation, members)
        if refused is not None:
            return refused
        await asyncio.to_thread(self._certificates.issue_what_is_valid)
        status, answer_headers, answer = await ministack.app._get_module("acm").handle_request(method, path, headers, body, query_params)
        if status == 200:
            answer = await self._done(operation, members, answer)
        kept = {name: value for name, value in answer_headers.items() if name.lower() not in ("content-type", "x-amzn-requestid")}
        return status, {**kept, "Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}, answer

    def _refuse(self, operation: str, members: dict[str, t.Any]) -> Response | None:
        arn = str(members.get("CertificateArn", ""))
        if operation == "DeleteCertificate" and self._cloud.certificates.users(arn):
            return _error("ResourceInUseException", f"Certificate {arn} in account {self._cloud.account_id} is in use.")
        if operation == "GetCertificate" and (self._certificates.record(arn) or {}).get("Status") == PENDING:
            return _error("RequestInProgressException", f"The certificate {arn} is not yet issued.")
        if operation == "ImportCertificate" and members.get("Certificate") and members.get("PrivateKey"):
            try:
                read(_text(members["Certificate"]), _text(members["PrivateKey"]))
            except BadCertificate as error:
                return _error("ValidationException", str(error))
        return None

    async def _done(self, operation: str, members: dict[str, t.Any], answer: bytes) -> bytes:
        found = json.loads(answer or b"{}")
        if operation == "RequestCertificate":
            self._certificates.begin(found["CertificateArn"])
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="acm")
        elif operation == "ImportCertificate":
            await asyncio.to_thread(self._certificates.imported, found["CertificateArn"])
        elif operation == "DescribeCertificate":
            self._describe(found["Certificate"])
        elif operation == "GetCertificate" and not found.get("CertificateChain"):
            found["CertificateChain"] = found["Certificate"]  # what AWS gives of one that was imported without a chain
        return json.dumps(found).encode() if found or operation == "ListCertificates" else b""

    async def _look(self) -> None:
        while await asyncio.to_thread(self._certificates.issue_what_is_valid):
            await asyncio.sleep(LOOK_SECONDS)

    def _describe(self, shown: dict[str, t.Any]) -> None:
        """What MiniStack does not know of a certificate."""
        record = self._certificates.record(shown["CertificateArn"]) or {}
        shown["InUseBy"] = self._cloud.certificates.users(shown["CertificateArn"])
        if shown["Status"] == PENDING:
            for name in ("IssuedAt", "NotBefore", "NotAfter"):
                shown.pop(name, None)
        else:
            shown |= {"Subject": record["_subject"], "Issuer": record["_issuer"], "Serial": record["_serial"]}
        if shown["Type"] == "IMPORTED":
            shown["ImportedAt"] = shown.pop("IssuedAt")
        shown["RenewalEligibility"] = "INELIGIBLE"
        shown.pop("Tags", None)  # not a member of CertificateDetail
        if not shown["Options"]:
            del shown["Options"]


def _members(body: bytes) -> dict[str, t.Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}  # MiniStack says so
    return found if isinstance(found, dict) else {}


def _text(blob: str) -> str:
    """A PEM text that came as a blob."""
    try:
        return base64.b64decode(blob).decode()
    except ValueError:
        return ""


def _error(code: str, message: str) -> Response:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}
    return 400, headers, json.dumps({"__type": code, "message": message}).encode()


def create(cloud: Cloud) -> Acm:
    """The service of this cloud."""
    return Acm(cloud)
