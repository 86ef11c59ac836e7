# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud's authority: what it signs is trusted with its file and with nothing else, and what is served is not deleted."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest

from localcloud.certificates import Authority, authority_file


@pytest.fixture
def authority(tmp_path):
    return Authority("demo", tmp_path)


def shake_hands(pem, folder, trusted, name):
    """The peer's certificate after a handshake for this name."""
    path = folder / "server.pem"
    path.write_text(pem.certificate + pem.chain + pem.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    client = ssl.create_default_context(cafile=str(trusted))
    one, other = socket.socketpair()

    def serve():
        try:
            with server.wrap_socket(one, server_side=True) as connection:
                connection.recv(1)
        except OSError:
            one.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(other, server_hostname=name) as connection:
            return connection.getpeercert()
    finally:
        other.close()
        thread.join(5)


@pytest.mark.parametrize("rsa", [False, True])
@pytest.mark.parametrize("name", ["a.site.test", "other.test", "127.0.0.1"])
def test_its_certificates_are_trusted_with_its_file(authority, tmp_path, name, rsa):
    pem = authority.issue(["*.site.test", "other.test", "127.0.0.1"], rsa=rsa)
    assert shake_hands(pem, tmp_path, authority_file(tmp_path), name)["subject"] == ((("commonName", "*.site.test"),),)


@pytest.mark.parametrize(("name", "cause"), [("site.test", "Hostname mismatch"), ("third.test", "Hostname mismatch")])
def test_other_names_are_not(authority, tmp_path, name, cause):
    with pytest.raises(ssl.SSLCertVerificationError, match=cause):
        shake_hands(authority.issue(["*.site.test"]), tmp_path, authority_file(tmp_path), name)


def test_another_authority_is_not(authority, tmp_path):
    (tmp_path / "other").mkdir()
    other = Authority("demo", tmp_path / "other")
    with pytest.raises(
        ssl.SSLCertVerificationError, match="unable to get local issuer|certificate signature failure|self-signed|self signed"
    ):
        shake_hands(other.issue(["a.test"]), tmp_path, authority_file(tmp_path), "a.test")


def test_who_serves_a_certificate(authority):
    authority.use("arn:certificate", "arn:one")
    authority.use("arn:certificate", "arn:two")
    assert authority.users("arn:certificate") == ["arn:one", "arn:two"]
    authority.release("arn:one")
    assert authority.users("arn:certificate") == ["arn:two"]
    assert authority.users("arn:other") == []


def test_without_acm_there_is_no_certificate_of_an_arn(authority):
    with pytest.raises(KeyError):
        authority.pem("arn:aws:acm:ap-northeast-2:123456789012:certificate/x")
