# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AES-256-GCM of a session that is encrypted with KMS; the package cryptography is imported only when a session asks for it."""

from __future__ import annotations

import os

from .errors import SsmError

NONCE = 12


class SessionCipher:
    """`key` is the 64 bytes of the data key: the first half decrypts what the agent sends, the second encrypts towards it."""

    def __init__(self, key: bytes, entropy=os.urandom):
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise SsmError(
                "Cannot encrypt the session as the account's session preferences ask for: the Python package cryptography is missing "
                "on the controller; install it with `pip install cryptography`."
            ) from error
        if len(key) != 64:
            raise SsmError(f"Cannot encrypt the session: KMS returned a key of {len(key)} bytes instead of 64; check the key's type.")
        self._invalid = InvalidTag
        self._decrypt, self._encrypt = AESGCM(key[:32]), AESGCM(key[32:])
        self._entropy = entropy

    def encrypt(self, data: bytes) -> bytes:
        nonce = self._entropy(NONCE)
        return nonce + self._encrypt.encrypt(nonce, data, None)

    def decrypt(self, data: bytes) -> bytes:
        """Return the plain bytes; raise ValueError when they were not encrypted with this key."""
        try:
            return self._decrypt.decrypt(data[:NONCE], data[NONCE:], None)
        except self._invalid as error:
            raise ValueError("wrong key") from error
