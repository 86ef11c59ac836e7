# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that makes an IAM policy; pure."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.bluegreen.aws.plugins.module_utils import _policies as policies


def iam_policy(given, region):
    """The policy document of who is given this; AnsibleFilterError when it makes none."""
    try:
        return policies.document(given, region)
    except policies.PolicyError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    def filters(self):
        return {"iam_policy": iam_policy}
