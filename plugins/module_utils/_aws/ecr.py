# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per ECR call; decides nothing."""

from __future__ import annotations

import base64

from .errors import attempt, error_code

try:
    from botocore.exceptions import ClientError
except ImportError:  # AnsibleAWSModule says so before anything here is called
    ClientError = ()


@attempt("find repository {name} (ecr:DescribeRepositories)")
def describe_repository(client, name):
    """The repository as ECR describes it."""
    return client.describe_repositories(repositoryNames=[name])["repositories"][0]


@attempt("look image {repository}:{tag} up (ecr:DescribeImages)")
def image_digest(client, repository, tag):
    """Digest (sha256:…) that the tag points to, or None."""
    try:
        answer = client.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    except ClientError as exc:
        if error_code(exc) == "ImageNotFoundException":
            return None
        raise
    return answer["imageDetails"][0]["imageDigest"]


@attempt("point {repository}:{tag} at {digest} (ecr:BatchGetImage, ecr:PutImage)")
def put_tag(client, repository, digest, tag):
    """Gives an image that is in the repository one more tag, without pulling it."""
    accepted = [
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    ]
    image = client.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=accepted)["images"][0]
    client.put_image(
        repositoryName=repository,
        imageManifest=image["imageManifest"],
        imageManifestMediaType=image["imageManifestMediaType"],
        imageTag=tag,
        imageDigest=digest,
    )


@attempt("get a registry token (ecr:GetAuthorizationToken)")
def authorization(client):
    """{"username", "password"} for the registry, valid for twelve hours."""
    token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    username, _colon, password = base64.b64decode(token).decode().partition(":")
    return {"username": username, "password": password}


@attempt("read the registry's account (ecr:DescribeRegistry)")
def registry_account(client):
    """Twelve digits."""
    return client.describe_registry()["registryId"]
