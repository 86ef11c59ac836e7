# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What to do about a request that AWS denies, by the words in which AWS says which policy denied it; pure.

AWS ends the message of most denials with the policy's type: "with an explicit deny in a TYPE policy" or "because no TYPE policy
allows the ACTION action" (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
"""

from __future__ import annotations

import re

CODES = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")

_EXPLICIT = re.compile(r"with an explicit deny in (?:a|an|the) ((?:[\w-]+ )*?(?:policy|boundary))")
_IMPLICIT = re.compile(r"because no ((?:[\w-]+ )*?(?:policy|boundary)) allows")
_IDENTITY = "identity-based policy"


def of_another_policy(words: str) -> bool:
    """Whether AWS names a policy that denies the request though the caller's own policy may allow it."""
    implicit = _IMPLICIT.search(words)
    return bool(_EXPLICIT.search(words)) or bool(implicit and implicit[1] != _IDENTITY)


def remedy(words: str, policy: str) -> str:
    """The remedy for a denial with AWS's ``words``; ``policy`` names the caller's own policy, such as ``the caller's IAM policy``."""
    explicit = _EXPLICIT.search(words)
    if explicit:
        return f"Change the Deny statement in the {explicit[1]}: no Allow outweighs it."
    if of_another_policy(words):
        return f"Allow the named action in the {_IMPLICIT.search(words)[1]}; {policy} alone is not enough."
    named = "named action on the named resource" if "to perform: " in words else "action"
    return f"Allow the {named} in {policy}."
