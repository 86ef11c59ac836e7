# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation of ECR answers, good and bad: the table of cases, run by test_ecr_contract."""

from __future__ import annotations

import json
import typing as t

import botocore
from ecr_registry_client import DOCKER_MANIFEST, RegistryClient, digest_of

from .cases import Case

LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "keep ten releases",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"},
        }
    ]
}
POLICY = {"Version": "2008-10-17", "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}]}
SCAN = {"scanOnPush": True}
ABSENT = digest_of(b"nothing has this digest")


class World:
    """What a case acts on: a client, a repository of its own, and a way to push into it."""

    def __init__(self, running: t.Any, name: str) -> None:
        self.running = running
        self.client = running.client()
        self.name = name
        self.registry = RegistryClient.of(running)

    def elsewhere(self) -> t.Any:
        """A client of a region in which this cloud has no registry."""
        return self.running.client("us-east-1")

    def call(self, operation: str, **members: t.Any) -> t.Any:
        """Call an operation by its API name."""
        return getattr(self.client, botocore.xform_name(operation))(**members)

    def repository(self, **settings: t.Any) -> str:
        """Create the case's repository; returns its ARN."""
        return self.client.create_repository(repositoryName=self.name, **settings)["repository"]["repositoryArn"]

    def pushed(self, tag: str = "v1", content: str = "") -> str:
        """Push an image, into a repository made now if there is none; returns the digest."""
        if not any(found["repositoryName"] == self.name for found in self.client.describe_repositories()["repositories"]):
            self.repository()
        return self.registry.push(self.name, tag, content)

    def manifest(self, content: str = "x") -> str:
        """Create the repository and upload an image's blobs; returns the manifest that is to be put."""
        self.repository()
        return self.registry.image(self.name, content).decode()

    def index_of_nothing(self) -> str:
        """An index whose only image was never pushed."""
        return self.registry.index([json.dumps({"mediaType": DOCKER_MANIFEST}).encode()]).decode()


def _immutable(w: World) -> None:
    w.repository(imageTagMutability="IMMUTABLE")
    w.registry.push(w.name, "v1", "one")
    w.client.put_image(repositoryName=w.name, imageManifest=w.registry.image(w.name, "two").decode(), imageTag="v1")


def _referenced(w: World) -> t.Any:
    w.repository()
    raw = w.registry.image(w.name, "child")
    assert w.registry.put_manifest(w.name, digest_of(raw), raw, DOCKER_MANIFEST).status_code == 201
    index = w.registry.index([raw])
    w.registry.put_manifest(w.name, "all", index, json.loads(index)["mediaType"])
    return w.client.batch_delete_image(repositoryName=w.name, imageIds=[{"imageDigest": digest_of(raw)}])["failures"][0]["failureCode"]


def _twice(w: World) -> None:
    manifest = w.manifest()
    for _ in range(2):
        w.client.put_image(repositoryName=w.name, imageManifest=manifest, imageTag="v1")


def _too_many_tags(w: World) -> None:
    w.repository(tags=[{"Key": f"key{number}", "Value": "x"} for number in range(51)])


def _missing(operation: str, **members: t.Any) -> Case:
    """The case that every operation on a repository has: there is no such repository."""
    return Case(operation, "no repository", lambda w: w.call(operation, repositoryName=w.name, **members), "RepositoryNotFoundException")


def _on_arn(operation: str, **members: t.Any) -> list[Case]:
    arn = "arn:aws:ecr:ap-northeast-2:123456789012:repository/there-is-none"
    return [
        Case(operation, "no repository", lambda w: w.call(operation, resourceArn=arn, **members), "RepositoryNotFoundException"),
        Case(operation, "no ARN", lambda w: w.call(operation, resourceArn="nonsense", **members), "InvalidParameterException"),
    ]


def _named(method: str, *, before: t.Callable[[World], t.Any] | None = None, **members: t.Any) -> t.Callable[[World], t.Any]:
    def run(w: World) -> t.Any:
        (before or World.repository)(w)
        return getattr(w.client, method)(repositoryName=w.name, **members)

    return run


def _with_policy(w: World) -> None:
    w.repository()
    w.client.set_repository_policy(repositoryName=w.name, policyText=json.dumps(POLICY))


def _with_lifecycle(w: World) -> None:
    w.repository()
    w.client.put_lifecycle_policy(repositoryName=w.name, lifecyclePolicyText=json.dumps(LIFECYCLE))


def _codes(answer: t.Any) -> list[str]:
    return [failure["failureCode"] for failure in answer["failures"]]


def _failing_identifiers(w: World, method: str) -> list[str]:
    digest = w.pushed()
    return _codes(
        getattr(w.client, method)(
            repositoryName=w.name,
            imageIds=[
                {"imageTag": "none"},
                {},
                {"imageDigest": "sha256:short"},
                {"imageDigest": digest, "imageTag": "other"},
            ],
        )
    )


FAILURES = ["ImageNotFound", "MissingDigestAndTag", "InvalidImageDigest", "ImageTagDoesNotMatchDigest"]

CASES: list[Case] = [
    Case("CreateRepository", "defaults", lambda w: w.repository()),
    Case("CreateRepository", "KMS", lambda w: w.repository(encryptionConfiguration={"encryptionType": "KMS"})),
    Case("CreateRepository", "tags", lambda w: w.repository(tags=[{"Key": "bluegreen:system", "Value": "popcon"}])),
    Case(
        "CreateRepository",
        "immutable but",
        lambda w: w.repository(
            imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev*"}]
        ),
    ),
    Case("CreateRepository", "twice", lambda w: [w.repository(), w.repository()], "RepositoryAlreadyExistsException"),
    Case("CreateRepository", "capital letters", lambda w: w.client.create_repository(repositoryName="Popcon"), "InvalidParameterException"),
    Case("CreateRepository", "reserved tag", lambda w: w.repository(tags=[{"Key": "aws:x", "Value": "y"}]), "InvalidTagParameterException"),
    Case("CreateRepository", "too many tags", _too_many_tags, "TooManyTagsException"),
    Case(
        "CreateRepository",
        "another region",
        lambda w: w.elsewhere().create_repository(repositoryName=w.name),
        "LimitExceededException",
    ),
    Case("DescribeRepositories", "all", lambda w: [w.repository(), w.client.describe_repositories()]),
    Case("DescribeRepositories", "named", lambda w: [w.repository(), w.client.describe_repositories(repositoryNames=[w.name])]),
    Case("DescribeRepositories", "pages", lambda w: [w.repository(), w.client.describe_repositories(maxResults=1)]),
    Case("DescribeRepositories", "another region", lambda w: w.elsewhere().describe_repositories()["repositories"], None, []),
    Case(
        "DescribeRepositories", "absent", lambda w: w.client.describe_repositories(repositoryNames=[w.name]), "RepositoryNotFoundException"
    ),
    Case("DescribeRepositories", "bad token", lambda w: w.client.describe_repositories(nextToken="nonsense"), "InvalidParameterException"),
    Case(
        "DescribeRepositories",
        "another account",
        lambda w: w.client.describe_repositories(registryId="210987654321"),
        "RepositoryNotFoundException",
    ),
    Case("DeleteRepository", "empty", _named("delete_repository")),
    Case("DeleteRepository", "forced", _named("delete_repository", before=World.pushed, force=True)),
    Case("DeleteRepository", "with images", _named("delete_repository", before=World.pushed), "RepositoryNotEmptyException"),
    _missing("DeleteRepository"),
    Case("PutImageTagMutability", "immutable", _named("put_image_tag_mutability", imageTagMutability="IMMUTABLE")),
    Case(
        "PutImageTagMutability",
        "filters without need",
        _named(
            "put_image_tag_mutability",
            imageTagMutability="IMMUTABLE",
            imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev*"}],
        ),
        "InvalidParameterException",
    ),
    _missing("PutImageTagMutability", imageTagMutability="IMMUTABLE"),
    Case("PutImageScanningConfiguration", "on", _named("put_image_scanning_configuration", imageScanningConfiguration=SCAN)),
    _missing("PutImageScanningConfiguration", imageScanningConfiguration=SCAN),
    Case("SetRepositoryPolicy", "set", _named("set_repository_policy", policyText=json.dumps(POLICY))),
    Case("SetRepositoryPolicy", "no policy", _named("set_repository_policy", policyText="[]"), "InvalidParameterException"),
    _missing("SetRepositoryPolicy", policyText=json.dumps(POLICY)),
    Case("GetRepositoryPolicy", "set", _named("get_repository_policy", before=_with_policy)),
    Case("GetRepositoryPolicy", "unset", _named("get_repository_policy"), "RepositoryPolicyNotFoundException"),
    _missing("GetRepositoryPolicy"),
    Case("DeleteRepositoryPolicy", "set", _named("delete_repository_policy", before=_with_policy)),
    Case("DeleteRepositoryPolicy", "unset", _named("delete_repository_policy"), "RepositoryPolicyNotFoundException"),
    _missing("DeleteRepositoryPolicy"),
    Case("PutLifecyclePolicy", "set", _named("put_lifecycle_policy", lifecyclePolicyText=json.dumps(LIFECYCLE))),
    Case(
        "PutLifecyclePolicy",
        "no action",
        _named("put_lifecycle_policy", lifecyclePolicyText=json.dumps({"rules": [{"rulePriority": 1, "description": "x" * 100}]})),
        "InvalidParameterException",
    ),
    _missing("PutLifecyclePolicy", lifecyclePolicyText=json.dumps(LIFECYCLE)),
    Case("GetLifecyclePolicy", "set", _named("get_lifecycle_policy", before=_with_lifecycle)),
    Case("GetLifecyclePolicy", "unset", _named("get_lifecycle_policy"), "LifecyclePolicyNotFoundException"),
    _missing("GetLifecyclePolicy"),
    Case("DeleteLifecyclePolicy", "set", _named("delete_lifecycle_policy", before=_with_lifecycle)),
    Case("DeleteLifecyclePolicy", "unset", _named("delete_lifecycle_policy"), "LifecyclePolicyNotFoundException"),
    _missing("DeleteLifecyclePolicy"),
    Case("ListTagsForResource", "none", lambda w: w.client.list_tags_for_resource(resourceArn=w.repository())["tags"], None, []),
    *_on_arn("ListTagsForResource"),
    Case("TagResource", "one", lambda w: w.client.tag_resource(resourceArn=w.repository(), tags=[{"Key": "a", "Value": "b"}])),
    Case(
        "TagResource",
        "reserved",
        lambda w: w.client.tag_resource(resourceArn=w.repository(), tags=[{"Key": "aws:a", "Value": "b"}]),
        "InvalidTagParameterException",
    ),
    *_on_arn("TagResource", tags=[{"Key": "a", "Value": "b"}]),
    Case("UntagResource", "one", lambda w: w.client.untag_resource(resourceArn=w.repository(), tagKeys=["a"])),
    *_on_arn("UntagResource", tagKeys=["a"]),
    Case("GetAuthorizationToken", "one", lambda w: w.client.get_authorization_token()),
    Case(
        "GetAuthorizationToken",
        "another region",
        lambda w: w.elsewhere().get_authorization_token(),
        "InvalidParameterException",
    ),
    Case("DescribeRegistry", "own", lambda w: w.client.describe_registry()["registryId"], None, "123456789012"),
    Case("DescribeImages", "all", _named("describe_images", before=World.pushed)),
    Case("DescribeImages", "named", _named("describe_images", before=World.pushed, imageIds=[{"imageTag": "v1"}])),
    Case("DescribeImages", "absent", _named("describe_images", imageIds=[{"imageDigest": ABSENT}]), "ImageNotFoundException"),
    _missing("DescribeImages"),
    Case("ListImages", "all", _named("list_images", before=World.pushed)),
    Case("ListImages", "filtered", _named("list_images", before=World.pushed, filter={"tagStatus": "UNTAGGED"})),
    _missing("ListImages"),
    Case("BatchGetImage", "found", _named("batch_get_image", before=World.pushed, imageIds=[{"imageTag": "v1"}])),
    Case("BatchGetImage", "failures", lambda w: _failing_identifiers(w, "batch_get_image"), None, FAILURES),
    _missing("BatchGetImage", imageIds=[{"imageTag": "v1"}]),
    Case("BatchDeleteImage", "found", _named("batch_delete_image", before=World.pushed, imageIds=[{"imageTag": "v1"}])),
    Case("BatchDeleteImage", "failures", lambda w: _failing_identifiers(w, "batch_delete_image"), None, FAILURES),
    Case("BatchDeleteImage", "listed by an index", _referenced, None, "ImageReferencedByManifestList"),
    _missing("BatchDeleteImage", imageIds=[{"imageTag": "v1"}]),
    Case("PutImage", "new", lambda w: w.client.put_image(imageManifest=w.manifest(), imageTag="v1", repositoryName=w.name)),
    Case("PutImage", "immutable tag", _immutable, "ImageTagAlreadyExistsException"),
    Case("PutImage", "the same again", _twice, "ImageAlreadyExistsException"),
    Case(
        "PutImage",
        "another digest",
        lambda w: w.client.put_image(imageManifest=w.manifest(), imageDigest=ABSENT, repositoryName=w.name),
        "ImageDigestDoesNotMatchException",
    ),
    Case(
        "PutImage",
        "layers missing",
        lambda w: w.client.put_image(imageManifest=w.manifest().replace(digest_of(b"layer x"), ABSENT), repositoryName=w.name),
        "LayersNotFoundException",
    ),
    Case(
        "PutImage",
        "images missing",
        lambda w: [w.repository(), w.client.put_image(imageManifest=w.index_of_nothing(), repositoryName=w.name)],
        "ReferencedImagesNotFoundException",
    ),
    Case("PutImage", "no manifest", _named("put_image", imageManifest="nonsense"), "InvalidParameterException"),
    _missing("PutImage", imageManifest="{}"),
    Case(
        "BatchCheckLayerAvailability",
        "there",
        _named("batch_check_layer_availability", before=World.pushed, layerDigests=[digest_of(b"layer v1"), ABSENT]),
    ),
    Case(
        "BatchCheckLayerAvailability",
        "no digest",
        lambda w: [w.repository(), _codes(w.client.batch_check_layer_availability(repositoryName=w.name, layerDigests=["nonsense"]))][1],
        None,
        ["InvalidLayerDigest"],
    ),
    _missing("BatchCheckLayerAvailability", layerDigests=[ABSENT]),
]
