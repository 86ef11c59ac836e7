# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate authority of one cloud: signs what its services serve; its own certificate is a file for clients to trust."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import pathlib
import ssl
import threading
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 395
"""AWS's own certificates are valid for 13 months."""

_BACKDATED = datetime.timedelta(minutes=5)


@dataclasses.dataclass(frozen=True)
class Pem:
    """A certificate, its key and the certificates after it up to the authority's, each as PEM text; `chain` may be empty."""

    certificate: str
    key: str
    chain: str


class Authority:
    """Signs certificates; safe for threads. The key never leaves this process: a cloud that starts anew has a new authority."""

    def __init__(self, cloud_name: str, state_dir: pathlib.Path) -> None:
        self.path = authority_file(state_dir)
        self.pem_of: t.Callable[[str], Pem] = _nothing
        """ARN of an issued or imported certificate in ACM -> the certificate; ACM puts itself here. KeyError when there is none."""
        self._users: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "localcloud"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"localcloud {cloud_name}"),
        ])  # fmt: skip
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = _builder(subject, subject, self._key.public_key(), AUTHORITY_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).add_extension(usage, critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        state_dir.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.certificate)
        trusted_file(state_dir).write_text(f"{system_certificates()}\n{self.certificate}")

    @property
    def certificate(self) -> str:
        """The authority's own certificate as PEM text."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def pem(self, arn: str) -> Pem:
        """The certificate of this ARN in ACM with its key; KeyError when there is none, or when it is not yet issued."""
        return self.pem_of(arn)

    def use(self, arn: str, user: str) -> None:
        """A resource (its ARN) serves this certificate; ACM does not delete it until `release`."""
        with self._lock:
            self._users.setdefault(arn, set()).add(user)

    def release(self, user: str) -> None:
        """A resource serves none any more."""
        with self._lock:
            for users in self._users.values():
                users.discard(user)

    def users(self, arn: str) -> list[str]:
        """ARNs of the resources that serve a certificate."""
        with self._lock:
            return sorted(self._users.get(arn, ()))

    def issue(self, names: t.Sequence[str], *, rsa: bool = False) -> Pem:
        """A new key and a certificate for these DNS names (`*.` allowed) and addresses; the first one is its common name too.

        The key is of 256 bits on an elliptic curve, or, as ACM's own are, RSA of 2048 bits.
        """
        key = _rsa_key() if rsa else ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        builder = _builder(subject, self._certificate.subject, key.public_key(), CERTIFICATE_DAYS)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        with self._lock:
            certificate = builder.sign(self._key, hashes.SHA256())
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return Pem(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode(), "")


def _nothing(arn: str) -> Pem:
    raise KeyError(arn)


def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def authority_file(state_dir: pathlib.Path) -> pathlib.Path:
    """Where a cloud's authority is for clients, as `curl --cacert` takes it."""
    return state_dir / "ca.pem"


def trusted_file(state_dir: pathlib.Path) -> pathlib.Path:
    """What clients on this machine trust: its own authorities and the cloud's."""
    return state_dir / "trusted.pem"


def system_certificates() -> str:
    """The authorities that this machine trusts, as PEM text; empty when it has no file of them."""
    for path in (ssl.get_default_verify_paths().openssl_cafile, "/etc/ssl/certs/ca-certificates.crt"):
        if pathlib.Path(path).is_file():
            return pathlib.Path(path).read_text()
    return ""


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
