# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One KMS key has an id, an ARN and any number of aliases, and AWS answers with another of them than it was given."""

from __future__ import annotations

from .._iam import denials
from .client import make_client
from .errors import BluegreenAWSError, attempt, error_code


def bare(key: str) -> str:
    """``alias/name`` or the key's id, from any spelling."""
    name = key.rsplit(":", 1)[-1]
    return name.removeprefix("key/")


class Keys:
    """Compares keys for one AnsibleAWSModule; a key is looked up only when its spelling does not tell, and once."""

    def __init__(self, module):
        self._module = module
        self._client = None
        self._ids = {}

    def same(self, one: str, other: str) -> bool:
        """Whether both are one key. Where kms:DescribeKey is not allowed they are taken for the same, with a warning."""
        left, right = bare(one), bare(other)
        if left == right:
            return True
        if not (left.startswith("alias/") or right.startswith("alias/")):
            return False
        try:
            return self._id(one) == self._id(other)
        except BluegreenAWSError as error:
            if error_code(error.exception) not in denials.CODES:
                raise
            self._module.warn(
                f"Whether {one} and {other} are one KMS key is not known, and they were taken for the same: {error.exception}. "
                "Allow kms:DescribeKey on the key, or name it by its ARN."
            )
            return True

    def _id(self, key: str) -> str:
        if not bare(key).startswith("alias/"):
            return bare(key)
        if key not in self._ids:
            self._client = self._client or make_client(self._module, "kms")
            self._ids[key] = key_id(self._client, key)
        return self._ids[key]


@attempt("look up KMS key {key} (kms:DescribeKey)")
def key_id(client, key):
    return client.describe_key(KeyId=key)["KeyMetadata"]["KeyId"]
