# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ACM's records, which MiniStack holds, with certificates and keys that are real; no request is answered here."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import threading
import time
import typing as t

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from ministack.core.responses import request_scope
from ministack.services import acm

from .. import settings
from ..certificates import Authority, Pem
from . import zones

PENDING, ISSUED = "PENDING_VALIDATION", "ISSUED"


class BadCertificate(Exception):
    """What was given to be imported is none; the message says why."""


@dataclasses.dataclass(frozen=True)
class Contents:
    """What stands in a certificate."""

    names: list[str]
    subject: str
    issuer: str
    serial: str
    not_before: datetime.datetime
    not_after: datetime.datetime


def read(body: str, key: str) -> Contents:
    """The contents of a certificate in PEM; BadCertificate when it cannot be read, or when the key is not its own."""
    try:
        certificate = x509.load_pem_x509_certificate(body.encode())
    except ValueError as error:
        raise BadCertificate("The certificate field contains more than one certificate, or is not a certificate in PEM.") from error
    try:
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadCertificate("The private key is not a private key in PEM without a passphrase.") from error
    public = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if private.public_key().public_bytes(*public) != certificate.public_key().public_bytes(*public):  # type: ignore[union-attr]
        raise BadCertificate("The private key does not match the certificate.")
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    common = [str(item.value) for item in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    return Contents(
        list(dict.fromkeys([*common[:1], *names])) or ["unnamed"],
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        ":".join(f"{octet:02x}" for octet in certificate.serial_number.to_bytes(20, "big").lstrip(b"\0")),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


class Certificates:
    """The certificates of one account in all regions; safe for threads."""

    def __init__(self, authority: Authority, seconds: float) -> None:
        self._authority = authority
        self._seconds = seconds
        self._lock = threading.RLock()
        self._asked: dict[str, float] = {}
        """ARN of a pending certificate -> when it was asked for, on the monotonic clock."""

    def begin(self, arn: str) -> None:
        """MiniStack has just taken a request: it waits for its validation, and says which records would be one."""
        with self._lock, _scope(arn):
            record = acm._certificates[arn]
            record["Status"] = PENDING
            by_mail = record["ValidationMethod"] == "EMAIL"
            record["DomainValidationOptions"] = [_option(name, by_mail) for name in record["SubjectAlternativeNames"]]
            record["_pem_body"] = ""
            self._asked[arn] = time.monotonic()

    def issue_what_is_valid(self) -> bool:
        """Issue the pending certificates whose validation is there; whether any is still pending.

        A domain counts as validated when the record is in a public zone of this cloud, and, a little later, also when no zone of
        this cloud is responsible for it or validation goes by mail: then nobody could show it here.
        """
        with self._lock:
            for arn, asked in list(self._asked.items()):
                with _scope(arn):
                    record = acm._certificates.get(arn)
                    if record is None:
                        del self._asked[arn]
                        continue
                    waited = time.monotonic() - asked >= self._seconds
                    for option in record["DomainValidationOptions"]:
                        if option["ValidationStatus"] != "SUCCESS" and _is_shown(option, waited):
                            option["ValidationStatus"] = "SUCCESS"
                    if all(option["ValidationStatus"] == "SUCCESS" for option in record["DomainValidationOptions"]):
                        self._issue(record)
                        del self._asked[arn]
            return bool(self._asked)

    def _issue(self, record: dict[str, t.Any]) -> None:
        pem = self._authority.issue(record["SubjectAlternativeNames"], rsa=True)
        now = datetime.datetime.now(datetime.UTC)
        record.update(_pem_body=pem.certificate, _pem_chain=self._authority.certificate, _private_key=pem.key)
        self._fill(record)
        record.update(Status=ISSUED, IssuedAt=now.isoformat())

    def imported(self, arn: str) -> None:
        """MiniStack has just stored an imported certificate: let its record say what stands in it."""
        with self._lock, _scope(arn):
            self._fill(acm._certificates[arn])

    @staticmethod
    def _fill(record: dict[str, t.Any]) -> None:
        contents = read(record["_pem_body"], record["_private_key"])
        record.update(
            DomainName=contents.names[0], SubjectAlternativeNames=contents.names, NotBefore=contents.not_before.isoformat(),
            NotAfter=contents.not_after.isoformat(), _subject=contents.subject, _issuer=contents.issuer, _serial=contents.serial,
        )  # fmt: skip

    def pem(self, arn: str) -> Pem:
        """An issued or imported certificate with its key; KeyError when there is none."""
        self.issue_what_is_valid()
        with self._lock, _scope(arn):
            record = acm._certificates.get(arn)
            if record is None or record["Status"] != ISSUED:
                raise KeyError(arn)
            return Pem(record["_pem_body"], record["_private_key"], record["_pem_chain"])

    def record(self, arn: str) -> dict[str, t.Any] | None:
        """MiniStack's record, to be read."""
        with self._lock, _scope(arn):
            found = acm._certificates.get(arn)
            return None if found is None else dict(found)


def _scope(arn: str) -> t.Any:
    parts = arn.split(":")
    return request_scope(settings.ACCOUNT_ID, parts[3] if len(parts) > 3 else settings.REGION)


def _option(name: str, by_mail: bool) -> dict[str, t.Any]:
    base = name.removeprefix("*.")
    option: dict[str, t.Any] = {
        "DomainName": name, "ValidationDomain": base, "ValidationStatus": PENDING, "ValidationMethod": "EMAIL" if by_mail else "DNS",
    }  # fmt: skip
    if by_mail:
        option["ValidationEmails"] = [f"{box}@{base}" for box in ("admin", "administrator", "hostmaster", "postmaster", "webmaster")]
        return option
    digest = hashlib.sha256(base.encode()).hexdigest()
    option["ResourceRecord"] = {"Name": f"_{digest[:32]}.{base}.", "Type": "CNAME", "Value": f"_{digest[32:]}.acm-validations.aws."}
    return option


def _is_shown(option: dict[str, t.Any], waited: bool) -> bool:
    record = option.get("ResourceRecord")
    if record is None or not zones.has_public_zone(option["ValidationDomain"]):
        return waited
    return zones.has_record(record["Name"], record["Type"], record["Value"])
