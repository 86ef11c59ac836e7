# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ecr_image: a tag becomes a digest, and what is missing becomes a sentence."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleLookupError
from botocore.exceptions import ClientError

from ansible_collections.bluegreen.aws.plugins.lookup.ecr_image import reference

URI, DIGEST = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/chat", "sha256:" + "a" * 64


class ECR:
    meta = types.SimpleNamespace(region_name="ap-northeast-2")

    def __init__(self, tags=None):
        self._tags = tags

    def describe_repositories(self, repositoryNames):
        if self._tags is None:
            raise ClientError({"Error": {"Code": "RepositoryNotFoundException", "Message": "no such repository"}}, "DescribeRepositories")
        return {"repositories": [{"repositoryUri": URI}]}

    def describe_images(self, repositoryName, imageIds):
        tag = imageIds[0]["imageTag"]
        if tag not in self._tags:
            raise ClientError({"Error": {"Code": "ImageNotFoundException", "Message": "no such image"}}, "DescribeImages")
        return {"imageDetails": [{"imageDigest": self._tags[tag]}]}


def test_a_tag_becomes_a_digest():
    assert reference(ECR({"backend-1.2.0": DIGEST}), "chat:backend-1.2.0", predict=False) == f"{URI}@{DIGEST}"


@pytest.mark.parametrize(
    ("ecr", "term", "said"),
    [
        (
            ECR({}),
            "chat:9.9",
            "There is no image chat:9.9 in ap-northeast-2; push it, or let the image role build it (image_builds). Nothing was changed.",
        ),
        (ECR(), "chat:9.9", "Repository chat does not exist in ap-northeast-2; run the registry role first. Nothing was changed."),
        (ECR({}), "chat", "'chat' is no image of ECR; give REPOSITORY:TAG."),
    ],
)
def test_what_is_missing_is_one_sentence(ecr, term, said):
    with pytest.raises(AnsibleLookupError) as caught:
        reference(ecr, term, predict=False)
    assert str(caught.value) == said


def test_check_mode_predicts():
    assert reference(ECR({}), "chat:9.9", predict=True) == f"{URI}:9.9"
    assert reference(ECR(), "chat:9.9", predict=True) == "chat:9.9"
