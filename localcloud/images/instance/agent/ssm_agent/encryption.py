# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AES-GCM of a session whose preferences name a KMS key; asks nobody for the key (the caller passes its 64 bytes in)."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 64
_HALF = KEY_BYTES // 2
_NONCE_BYTES = 12


class EncryptionError(Exception):
    """The peer's key or challenge is not acceptable."""


class Cipher:
    """The agent's end: the first half of the data key encrypts what it sends, the second half decrypts what it receives."""

    def __init__(self, data_key: bytes) -> None:
        if len(data_key) != KEY_BYTES:
            raise EncryptionError(f"the data key has {len(data_key)} bytes instead of {KEY_BYTES}")
        self._outgoing = AESGCM(data_key[:_HALF])
        self._incoming = AESGCM(data_key[_HALF:])

    def encrypt(self, plain: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._outgoing.encrypt(nonce, plain, None)

    def decrypt(self, sealed: bytes) -> bytes:
        try:
            return self._incoming.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise EncryptionError("a message could not be decrypted with the session's key") from error


@dataclass(frozen=True)
class Challenge:
    """Random bytes that the client must send back under its own half of the key."""

    plain: bytes

    @classmethod
    def fresh(cls) -> Challenge:
        return cls(os.urandom(64))

    def sealed(self, cipher: Cipher) -> str:
        return base64.b64encode(cipher.encrypt(self.plain)).decode("ascii")

    def verify(self, cipher: Cipher, answer: str) -> None:
        """Raises EncryptionError unless the answer holds the same bytes."""
        try:
            plain = cipher.decrypt(base64.b64decode(answer, validate=True))
        except (binascii.Error, TypeError) as error:
            raise EncryptionError("the answer to the encryption challenge is not base64") from error
        if plain != self.plain:
            raise EncryptionError("the answer to the encryption challenge does not hold the bytes sent")
