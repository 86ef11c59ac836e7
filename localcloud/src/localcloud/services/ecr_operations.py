# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR's API: one method per operation, from members to members; no HTTP, no registry protocol, no validation of types."""

from __future__ import annotations

import re
import time
import typing as t

from . import ecr_manifest, ecr_policies, ecr_tokens
from .ecr_errors import ApiError, immutable_tag, invalid_parameter, no_repository
from .ecr_images import Images, ManifestRefused, RepositoryGone, TagTaken
from .ecr_requests import (
    checked_tags,
    exclusion_filters,
    failure_of,
    find_image,
    has_status,
    image_id_of,
    mutability_of,
    names_of,
    one_page,
)
from .ecr_state import ImageRecord, Repository, State

Members = dict[str, t.Any]


class Settings(t.NamedTuple):
    """What the answers say about where the registry is."""

    account_id: str
    region: str
    port: int

    @property
    def host(self) -> str:
        """Registry part of every repository's URI."""
        return f"127.0.0.1:{self.port}"


class Operations:
    """The operations; `handle` is the only entry. Coroutines where the registry must be asked."""

    def __init__(self, settings: Settings, state: State, images: Images, clock: t.Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._state = state
        self._images = images
        self._clock = clock

    async def handle(self, operation: str, members: Members) -> Members:
        """Answer one operation. Raises ApiError."""
        registry_id = members.get("registryId") or self._settings.account_id
        if registry_id != self._settings.account_id:
            name = members.get("repositoryName") or next(iter(members.get("repositoryNames") or []), "*")
            raise ApiError("RepositoryNotFoundException", no_repository(name, registry_id))
        return await OPERATIONS[operation](self, members)

    # -- repositories

    async def create_repository(self, members: Members) -> Members:
        name = members["repositoryName"]
        if name in self._state.repositories:
            where = f"in the registry with id '{self._settings.account_id}'"
            raise ApiError("RepositoryAlreadyExistsException", f"The repository with name '{name}' already exists {where}")
        mutability, exclusions = mutability_of(members)
        repository = Repository(
            name=name,
            created_at=self._clock(),
            mutability=mutability,
            exclusions=exclusions,
            scan_on_push=members.get("imageScanningConfiguration", {}).get("scanOnPush", False),
            encryption=self._encryption(members.get("encryptionConfiguration")),
            tags=checked_tags(members.get("tags", [])),
        )
        self._state.repositories[name] = repository
        self._state.save()
        return {"repository": self._repository_shape(repository)}

    async def describe_repositories(self, members: Members) -> Members:
        names = members.get("repositoryNames")
        if names:
            if "maxResults" in members or "nextToken" in members:
                raise invalid_parameter("repositoryNames", "cannot be used together with maxResults or nextToken")
            return {"repositories": [self._repository_shape(self._repository(name)) for name in names]}
        ordered = sorted(self._state.repositories)
        page, token = one_page(ordered, members, default=100)
        return {"repositories": [self._repository_shape(self._state.repositories[name]) for name in page], **token}

    async def delete_repository(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        if repository.images and not members.get("force", False):
            raise ApiError(
                "RepositoryNotEmptyException",
                f"The repository with name '{repository.name}' in registry with id '{self._settings.account_id}' "
                "cannot be deleted because it still contains images",
            )
        del self._state.repositories[repository.name]
        self._state.save()
        await self._images.forget(repository.name)
        return {"repository": self._repository_shape(repository)}

    async def put_image_tag_mutability(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        repository.mutability, repository.exclusions = mutability_of(members)
        self._state.save()
        return self._named(repository, imageTagMutability=repository.mutability, **exclusion_filters(repository))

    async def put_image_scanning_configuration(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        repository.scan_on_push = members["imageScanningConfiguration"].get("scanOnPush", False)
        self._state.save()
        return self._named(repository, imageScanningConfiguration={"scanOnPush": repository.scan_on_push})

    # -- policies

    async def set_repository_policy(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        ecr_policies.check_repository_policy(members["policyText"])
        repository.policy = members["policyText"]
        self._state.save()
        return self._named(repository, policyText=repository.policy)

    async def get_repository_policy(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        if repository.policy is None:
            raise self._no_policy("RepositoryPolicyNotFoundException", "Repository policy", repository)
        return self._named(repository, policyText=repository.policy)

    async def delete_repository_policy(self, members: Members) -> Members:
        answer = await self.get_repository_policy(members)
        self._repository(members["repositoryName"]).policy = None
        self._state.save()
        return answer

    async def put_lifecycle_policy(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        ecr_policies.check_lifecycle_policy(members["lifecyclePolicyText"])
        repository.lifecycle_policy = members["lifecyclePolicyText"]
        self._state.save()
        return self._named(repository, lifecyclePolicyText=repository.lifecycle_policy)

    async def get_lifecycle_policy(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        if repository.lifecycle_policy is None:
            raise self._no_policy("LifecyclePolicyNotFoundException", "Lifecycle policy", repository)
        # AWS gives the beginning of time for a policy that was never evaluated, and none is evaluated here.
        return self._named(repository, lifecyclePolicyText=repository.lifecycle_policy, lastEvaluatedAt=0)

    async def delete_lifecycle_policy(self, members: Members) -> Members:
        answer = await self.get_lifecycle_policy(members)
        self._repository(members["repositoryName"]).lifecycle_policy = None
        self._state.save()
        return answer

    # -- tags

    async def list_tags_for_resource(self, members: Members) -> Members:
        tags = self._by_arn(members["resourceArn"]).tags
        return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    async def tag_resource(self, members: Members) -> Members:
        repository = self._by_arn(members["resourceArn"])
        repository.tags = checked_tags(members["tags"], repository.tags)
        self._state.save()
        return {}

    async def untag_resource(self, members: Members) -> Members:
        repository = self._by_arn(members["resourceArn"])
        repository.tags = {key: value for key, value in repository.tags.items() if key not in members["tagKeys"]}
        self._state.save()
        return {}

    # -- the registry

    async def get_authorization_token(self, members: Members) -> Members:
        token, expires = ecr_tokens.issue(self._state.token_key, self._clock())
        data = {"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": f"http://{self._settings.host}"}
        return {"authorizationData": [data for _ in members.get("registryIds") or [None]]}

    async def describe_registry(self, members: Members) -> Members:
        return {"registryId": self._settings.account_id, "replicationConfiguration": {"rules": []}}

    # -- images

    async def describe_images(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        if "imageIds" in members:
            if "maxResults" in members or "nextToken" in members:
                raise invalid_parameter("imageIds", "cannot be used together with maxResults or nextToken")
            found = [self._required_image(repository, image_id) for image_id in members["imageIds"]]
            return {"imageDetails": [self._detail(repository, image) for image in found]}
        chosen = [digest for digest, image in repository.images.items() if has_status(image, members)]
        page, token = one_page(chosen, members, default=100)
        return {"imageDetails": [self._detail(repository, repository.images[digest]) for digest in page], **token}

    async def list_images(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        chosen = [image_id_of(image, tag) for image in repository.images.values() if has_status(image, members) for tag in names_of(image)]
        keyed = {f"{image_id['imageDigest']}@{image_id.get('imageTag', '')}": image_id for image_id in chosen}
        page, token = one_page(list(keyed), members, default=100)
        return {"imageIds": [keyed[key] for key in page], **token}

    async def batch_get_image(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        images, failures = [], []
        for image_id in members["imageIds"]:
            image, failure = find_image(repository, image_id)
            raw = await self._images.manifest(repository.name, image.digest) if image else None
            if image is None or raw is None:
                failures.append(failure or failure_of(image_id, "ImageNotFound", "Requested image not found"))
                continue
            images.append(
                self._named(
                    repository,
                    imageId=image_id_of(image, image_id.get("imageTag")),
                    imageManifest=raw.decode(),
                    imageManifestMediaType=image.media_type,
                )
            )
        return {"images": images, "failures": failures}

    async def batch_delete_image(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        deleted: list[Members] = []
        failures: list[Members] = []
        for image_id in members["imageIds"]:
            image, failure = find_image(repository, image_id)
            if image is None:
                failures.append(failure or {})
                continue
            tag = image_id.get("imageTag")
            gone = [tag] if tag else list(image.tags)
            if set(gone) == set(image.tags):
                referrers = repository.referrers(image.digest)
                if referrers:
                    reason = f"Requested image referenced by manifest list: [{', '.join(referrers)}]"
                    failures.append(failure_of(image_id, "ImageReferencedByManifestList", reason))
                    continue
                await self._images.delete(repository, image)
            else:
                image.tags = [kept for kept in image.tags if kept not in gone]
            self._state.save()
            deleted.extend(image_id_of(image, name) for name in gone or (None,))
        return {"imageIds": deleted, "failures": failures}

    async def put_image(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        raw, tag = members["imageManifest"].encode(), members.get("imageTag")
        try:
            manifest = ecr_manifest.parse(raw, members.get("imageManifestMediaType"))
        except ecr_manifest.BadManifest as error:
            raise invalid_parameter("imageManifest", str(error)) from error
        given = members.get("imageDigest", manifest.digest)
        if given != manifest.digest:
            message = f"Image digest '{given}' does not match the digest of the image manifest '{manifest.digest}'"
            raise ApiError("ImageDigestDoesNotMatchException", message)
        known = repository.images.get(manifest.digest)
        if known is not None and (tag is None or tag in known.tags):
            label = f" and tag '{tag}'" if tag else ""
            where = f"in the repository with name '{repository.name}' in registry with id '{self._settings.account_id}'"
            raise ApiError("ImageAlreadyExistsException", f"Image with digest '{manifest.digest}'{label} already exists {where}")
        try:
            await self._images.put(repository, manifest, raw, tag)
        except TagTaken as error:
            raise ApiError("ImageTagAlreadyExistsException", immutable_tag(repository.name, str(tag))) from error
        except RepositoryGone as error:
            raise ApiError("RepositoryNotFoundException", no_repository(repository.name, self._settings.account_id)) from error
        except ManifestRefused as error:
            raise self._refused(manifest, error) from error
        image_id = {"imageDigest": manifest.digest, **({"imageTag": tag} if tag else {})}
        image = self._named(repository, imageId=image_id, imageManifest=raw.decode(), imageManifestMediaType=manifest.media_type)
        return {"image": image}

    async def batch_check_layer_availability(self, members: Members) -> Members:
        repository = self._repository(members["repositoryName"])
        types = {digest: kind for image in repository.images.values() for digest, kind in image.layers.items()}
        layers, failures = [], []
        for digest in members["layerDigests"]:
            if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
                reason = "Invalid layer digest"
                failures.append({"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason})
                continue
            size = await self._images.layer_size(repository.name, digest)
            found: Members = {"layerAvailability": "UNAVAILABLE"} if size is None else {"layerAvailability": "AVAILABLE", "layerSize": size}
            kind = {"mediaType": types[digest]} if size is not None and digest in types else {}
            layers.append({"layerDigest": digest, **found, **kind})
        return {"layers": layers, "failures": failures}

    # -- shapes

    def _repository(self, name: str) -> Repository:
        repository = self._state.repositories.get(name)
        if repository is None:
            raise ApiError("RepositoryNotFoundException", no_repository(name, self._settings.account_id))
        return repository

    def _by_arn(self, arn: str) -> Repository:
        prefix = f"arn:aws:ecr:{self._settings.region}:{self._settings.account_id}:repository/"
        if not arn.startswith("arn:aws:ecr:") or ":repository/" not in arn:
            raise invalid_parameter("resourceArn", "Invalid ARN")
        name = arn.partition(":repository/")[2]
        if not arn.startswith(prefix):
            raise ApiError("RepositoryNotFoundException", no_repository(name, arn.split(":")[4]))
        return self._repository(name)

    def _no_policy(self, code: str, what: str, repository: Repository) -> ApiError:
        where = f"the repository with name '{repository.name}' in the registry with id '{self._settings.account_id}'"
        return ApiError(code, f"{what} does not exist for {where}")

    def _refused(self, manifest: ecr_manifest.Manifest, error: ManifestRefused) -> ApiError:
        if error.code not in ("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"):
            return invalid_parameter("imageManifest", str(error))
        if manifest.children:
            return ApiError("ReferencedImagesNotFoundException", f"Images that the manifest lists do not exist: {error}")
        return ApiError("LayersNotFoundException", f"Layers that the manifest names do not exist: {error}")

    def _named(self, repository: Repository, **members: t.Any) -> Members:
        return {"registryId": self._settings.account_id, "repositoryName": repository.name, **members}

    def _encryption(self, given: Members | None) -> dict[str, str]:
        encryption = dict(given or {"encryptionType": "AES256"})
        if encryption["encryptionType"] != "AES256" and "kmsKey" not in encryption:
            encryption["kmsKey"] = f"arn:aws:kms:{self._settings.region}:{self._settings.account_id}:alias/aws/ecr"
        return encryption

    def _repository_shape(self, repository: Repository) -> Members:
        arn = f"arn:aws:ecr:{self._settings.region}:{self._settings.account_id}:repository/{repository.name}"
        return self._named(
            repository,
            repositoryArn=arn,
            repositoryUri=f"{self._settings.host}/{repository.name}",
            createdAt=repository.created_at,
            imageTagMutability=repository.mutability,
            imageScanningConfiguration={"scanOnPush": repository.scan_on_push},
            encryptionConfiguration=repository.encryption,
            **exclusion_filters(repository),
        )

    def _required_image(self, repository: Repository, image_id: Members) -> ImageRecord:
        image, _ = find_image(repository, image_id)
        if image is None:
            wanted = f"{{imageDigest:'{image_id.get('imageDigest', 'null')}', imageTag:'{image_id.get('imageTag', 'null')}'}}"
            where = f"the repository with name '{repository.name}' in the registry with id '{self._settings.account_id}'"
            raise ApiError("ImageNotFoundException", f"The image with imageId {wanted} does not exist within {where}")
        return image

    def _detail(self, repository: Repository, image: ImageRecord) -> Members:
        optional = {
            "imageTags": image.tags or None,
            "artifactMediaType": image.artifact_media_type,
            "lastRecordedPullTime": image.pulled_at,
            "subjectManifestDigest": image.subject,
        }
        return self._named(
            repository,
            imageDigest=image.digest,
            imageSizeInBytes=image.size,
            imagePushedAt=image.pushed_at,
            imageManifestMediaType=image.media_type,
            imageStatus="ACTIVE",
            **{name: value for name, value in optional.items() if value is not None},
        )


OPERATIONS: dict[str, t.Callable[[Operations, Members], t.Awaitable[Members]]] = {
    "BatchCheckLayerAvailability": Operations.batch_check_layer_availability,
    "BatchDeleteImage": Operations.batch_delete_image,
    "BatchGetImage": Operations.batch_get_image,
    "CreateRepository": Operations.create_repository,
    "DeleteLifecyclePolicy": Operations.delete_lifecycle_policy,
    "DeleteRepository": Operations.delete_repository,
    "DeleteRepositoryPolicy": Operations.delete_repository_policy,
    "DescribeImages": Operations.describe_images,
    "DescribeRegistry": Operations.describe_registry,
    "DescribeRepositories": Operations.describe_repositories,
    "GetAuthorizationToken": Operations.get_authorization_token,
    "GetLifecyclePolicy": Operations.get_lifecycle_policy,
    "GetRepositoryPolicy": Operations.get_repository_policy,
    "ListImages": Operations.list_images,
    "ListTagsForResource": Operations.list_tags_for_resource,
    "PutImage": Operations.put_image,
    "PutImageScanningConfiguration": Operations.put_image_scanning_configuration,
    "PutImageTagMutability": Operations.put_image_tag_mutability,
    "PutLifecyclePolicy": Operations.put_lifecycle_policy,
    "SetRepositoryPolicy": Operations.set_repository_policy,
    "TagResource": Operations.tag_resource,
    "UntagResource": Operations.untag_resource,
}
