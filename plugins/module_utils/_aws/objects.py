# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Objects of a versioned S3 bucket, one function per call; decides nothing. An object's SHA-256 is kept in its metadata."""

from __future__ import annotations

from .errors import BluegreenAWSError, attempt, error_code


@attempt("read the versioning of bucket {bucket} (s3:GetBucketVersioning)")
def is_versioned(client, bucket):
    return client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"


@attempt("read object s3://{bucket}/{key} (s3:GetObject)")
def _head(client, bucket, key):
    return client.head_object(Bucket=bucket, Key=key)


def head(client, bucket, key):
    """(version, SHA-256 as whoever wrote it noted) of the current version, or None."""
    try:
        found = _head(client, bucket, key)
    except BluegreenAWSError as exc:
        if error_code(exc.exception) in ("404", "NoSuchKey"):
            return None
        raise
    return found.get("VersionId", ""), found.get("Metadata", {}).get("sha256", "")


@attempt("write object s3://{bucket}/{key} (s3:PutObject)")
def put(client, bucket, key, content, sha256, content_type):
    """Version of the new object."""
    return client.put_object(
        Bucket=bucket, Key=key, Body=content, ContentType=content_type, Metadata={"sha256": sha256}
    ).get("VersionId", "")  # fmt: skip
