# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a resource is: each verdict from its tags, each sentence word for word."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils import _ownership as ownership
from ansible_collections.bluegreen.aws.plugins.module_utils._ownership import Asked, Owner, Verdict

pytestmark = pytest.mark.case("A1")

DEV = Owner("popcon", "dev")
REPOSITORY = Asked("ecr_repository", "Repository", "popcon", variable="registry_repositories")


def tags(system="popcon", environment="dev", **more):
    named = {"bluegreen:system": system, "bluegreen:environment": environment, **more}
    return {key: value for key, value in named.items() if value is not None}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([], Verdict.ABSENT),
        ([tags()], Verdict.OURS),
        ([tags(Name="popcon", other="x")], Verdict.OURS),
        ([tags(environment="prod")], Verdict.OTHER_ENVIRONMENT),
        ([tags(environment="de")], Verdict.OTHER_ENVIRONMENT),
        ([tags(environment="dev2")], Verdict.OTHER_ENVIRONMENT),
        ([tags(system="chat")], Verdict.OTHER_SYSTEM),
        ([tags(system="chat", environment="prod")], Verdict.OTHER_SYSTEM),
        ([{}], Verdict.UNTAGGED),
        ([{"Name": "popcon"}], Verdict.UNTAGGED),
        ([tags(environment=None)], Verdict.UNTAGGED),
        ([tags(system=None)], Verdict.UNTAGGED),
        ([tags(environment="")], Verdict.UNTAGGED),
        ([None], Verdict.UNREADABLE),
        # Of several with the name one that is not ours is enough.
        ([tags(), tags()], Verdict.OURS),
        ([tags(), {}], Verdict.UNTAGGED),
        ([tags(environment="prod"), tags()], Verdict.OTHER_ENVIRONMENT),
        ([tags(), None, {}], Verdict.UNREADABLE),
        ([tags(system="chat"), tags(environment="prod"), tags()], Verdict.OTHER_SYSTEM),
    ],
)
def test_the_verdict(found, verdict):
    answer = ownership.answer(REPOSITORY, found, DEV)
    assert answer.verdict is verdict
    assert (answer.sentence == "") is (verdict in (Verdict.ABSENT, Verdict.OURS))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            tags(environment="prod"),
            "Repository popcon belongs to popcon-prod and this run is for popcon-dev, so it is left as it is; choose another name in "
            "registry_repositories, or use it as it is with registry_existing: [ecr_repository/popcon].",
        ),
        (
            tags(system="chat", environment="prod"),
            "Repository popcon belongs to chat-prod and this run is for popcon-dev, so it is left as it is; choose another name in "
            "registry_repositories, or use it as it is with registry_existing: [ecr_repository/popcon].",
        ),
        (
            {},
            "Repository popcon has no tags bluegreen:system and bluegreen:environment, so it is not known to be popcon-dev's and is left "
            "as it is; choose another name in registry_repositories, or use it as it is with registry_existing: "
            "[ecr_repository/popcon]. If it is popcon-dev's (an earlier run may have ended before it could tag it), run once with "
            """-e '{"bluegreen_adopt": ["ecr_repository/popcon"]}', or tag it bluegreen:system=popcon and bluegreen:environment=dev.""",
        ),
        (
            None,
            "Repository popcon exists and AWS does not let this session read its tags: it belongs to another account, or the session's IAM "
            "policy lacks the permission. It is not known to be popcon-dev's, so it is left as it is; choose another name in "
            "registry_repositories, or use it as it is with registry_existing: [ecr_repository/popcon].",
        ),
    ],
)
def test_what_is_said(found, sentence):
    assert ownership.answer(REPOSITORY, [found], DEV, existing_variable="registry_existing").sentence == sentence


def test_without_variables_the_sentence_has_no_remedy_that_does_not_exist():
    asked = Asked("vpc", "VPC", "popcon-dev")
    assert ownership.answer(asked, [tags(environment="prod")], DEV).sentence == (
        "VPC popcon-dev belongs to popcon-prod and this run is for popcon-dev, so it is left as it is; choose another name."
    )


def test_what_is_declared_as_existing_must_exist_whosever_it_is():
    asked = Asked("ecr_repository", "Repository", "popcon", existing=True)
    assert [ownership.answer(asked, [found], DEV).sentence for found in (tags(), tags(environment="prod"), {}, None)] == [""] * 4
    assert ownership.answer(asked, [], DEV, existing_variable="registry_existing").sentence == (
        "Repository popcon is declared in registry_existing and does not exist; correct the name, or let the role make it."
    )


def test_only_what_has_no_owner_can_be_adopted():
    def verdict(found, *adopted):
        answer = ownership.answer(REPOSITORY, found, DEV, adopted=adopted)
        return answer.verdict, str(answer.owner or "")

    assert verdict([{}], "ecr_repository/popcon") == (Verdict.OURS, "popcon-dev")
    assert verdict([{}], "popcon", "ecr_repository/popcon-dev") == (Verdict.UNTAGGED, "")
    assert verdict([tags(environment="prod")], "ecr_repository/popcon") == (Verdict.OTHER_ENVIRONMENT, "popcon-prod")
    assert verdict([None], "ecr_repository/popcon") == (Verdict.UNREADABLE, "")
    assert verdict([{}, tags(environment="prod")], "ecr_repository/popcon") == (Verdict.OTHER_ENVIRONMENT, "popcon-prod")


@pytest.mark.parametrize("missing", [tags(system=None), tags(environment=None), tags(environment=""), {}, None])
def test_an_environment_without_both_tags_is_refused(missing):
    with pytest.raises(ownership.OwnershipError) as caught:
        ownership.wanted_owner(missing)
    assert str(caught.value) == (
        "The tags have no bluegreen:system or no bluegreen:environment, so nothing can be known as this environment's; give both. "
        "Nothing was changed."
    )


@pytest.mark.parametrize(
    ("declared", "existing"),
    [
        (False, False),
        (None, False),
        ([], False),
        ("", False),
        (True, True),
        (["iam_role"], True),
        (["popcon"], True),
        (["iam_role/popcon"], True),
        ("iam_role", True),
        (["iam_instance_profile", "iam_role/other", "popcon-dev", "iam"], False),
    ],
)
def test_a_type_a_name_or_both_declare_something_as_existing(declared, existing):
    assert ownership.is_existing(declared, "iam_role", "popcon") is existing
