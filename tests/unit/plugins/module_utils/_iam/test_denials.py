# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS says which policy denied a request, and the remedy names that policy."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._iam import denials

USER = "User: arn:aws:iam::123456789012:user/deployer is not authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:::service/x "

# The formats of https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
TABLE = [
    (
        USER + "because no identity-based policy allows the ecs:UpdateService action",
        False,
        "Allow the named action on the named resource in the caller's policy.",
    ),
    (USER, False, "Allow the named action on the named resource in the caller's policy."),
    ("Access Denied", False, "Allow the action in the caller's policy."),
    (
        USER + "because no service control policy allows the ecs:UpdateService action",
        True,
        "Allow the named action in the service control policy; the caller's policy alone is not enough.",
    ),
    (
        USER + "because no permissions boundary allows the ecs:UpdateService action",
        True,
        "Allow the named action in the permissions boundary; the caller's policy alone is not enough.",
    ),
    (
        USER + "because no VPC endpoint policy allows the ecs:UpdateService action",
        True,
        "Allow the named action in the VPC endpoint policy; the caller's policy alone is not enough.",
    ),
    (
        USER + "with an explicit deny in an identity-based policy",
        True,
        "Change the Deny statement in the identity-based policy: no Allow outweighs it.",
    ),
    (
        USER + "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1",
        True,
        "Change the Deny statement in the service control policy: no Allow outweighs it.",
    ),
    (
        USER + "with an explicit deny in a permissions boundary",
        True,
        "Change the Deny statement in the permissions boundary: no Allow outweighs it.",
    ),
]


@pytest.mark.case("C3")
@pytest.mark.parametrize(("words", "another", "remedy"), TABLE)
def test_the_remedy_names_the_policy_that_denied(words, another, remedy):
    assert denials.of_another_policy(words) is another
    assert denials.remedy(words, "the caller's policy") == remedy
