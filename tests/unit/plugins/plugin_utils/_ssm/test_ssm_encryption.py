# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session's cipher against AES-GCM itself."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.encryption import SessionCipher
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import SsmError

KEY = bytes(range(64))


def test_first_half_decrypts_second_half_encrypts():
    cipher = SessionCipher(KEY, entropy=lambda count: b"n" * count)
    assert cipher.encrypt(b"input") == b"n" * 12 + AESGCM(KEY[32:]).encrypt(b"n" * 12, b"input", None)
    assert cipher.decrypt(b"m" * 12 + AESGCM(KEY[:32]).encrypt(b"m" * 12, b"output", None)) == b"output"


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 40])
def test_wrong_data(data):
    with pytest.raises(ValueError):
        SessionCipher(KEY).decrypt(data)


def test_wrong_key_length():
    with pytest.raises(SsmError, match="a key of 32 bytes instead of 64"):
        SessionCipher(KEY[:32])
