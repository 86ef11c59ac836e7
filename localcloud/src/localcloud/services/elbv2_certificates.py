# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of HTTPS listeners as PEM files for the proxy: ACM's own where it has a key, else one made here for its names."""

from __future__ import annotations

import datetime
import hashlib
import threading
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .query_protocol import ApiError

if t.TYPE_CHECKING:
    from ..emulation.certificates import Acm, Certificate

DAYS = 395
"""How long a certificate of ACM is valid."""


class Certificates:
    """PEM files by certificate ARN; safe for threads."""

    def __init__(self, acm: Acm, name: str) -> None:
        self._acm = acm
        self._name = name
        self._lock = threading.Lock()
        self._made: dict[str, tuple[str, str]] = {}
        self._last: dict[str, str] = {}
        self._authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None = None

    def exists(self, arn: str) -> bool:
        """Whether ACM has issued it."""
        return self._acm.find(arn) is not None

    @staticmethod
    def name(arn: str) -> str:
        """The name of its PEM file."""
        return f"certificate-{hashlib.sha256(arn.encode()).hexdigest()[:16]}.pem"

    def pem(self, arn: str) -> str:
        """Certificate, chain and key, as they were last when ACM does not have it any more; ApiError when it never had."""
        found = self._acm.find(arn)
        with self._lock:
            if found is None and arn not in self._last:
                raise ApiError("CertificateNotFound", f"Certificate '{arn}' not found")
            if found is not None:
                self._last[arn] = self._joined(arn, found)
            return self._last[arn]

    def _joined(self, arn: str, found: Certificate) -> str:
        if found.key:
            return "".join(part.strip() + "\n" for part in (found.body, found.chain, found.key) if part.strip())
        if arn not in self._made:
            chain, key = self._issue(found.domains)
            self._made[arn] = chain, key
            body, _, rest = chain.partition("-----END CERTIFICATE-----\n")
            self._acm.issue(arn, f"{body}-----END CERTIFICATE-----\n", rest)
        return "".join(self._made[arn])

    def authority_pem(self) -> str:
        """The certificate of the authority that signs what is made here."""
        with self._lock:
            return _pem(self._ensure_authority()[1])

    def _ensure_authority(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        if self._authority is None:
            key = ec.generate_private_key(ec.SECP256R1())
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Local cloud {self._name}")])
            builder = _builder(name, name, key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            self._authority = key, builder.sign(key, hashes.SHA256())
        return self._authority

    def _issue(self, domains: list[str]) -> tuple[str, str]:
        """Certificate with its chain, and key, for these names."""
        signer, authority = self._ensure_authority()
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domains[0][:64])])
        made = (
            _builder(subject, authority.subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain) for domain in domains]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(signer, hashes.SHA256())
        )
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        return _pem(made) + _pem(authority), text


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
