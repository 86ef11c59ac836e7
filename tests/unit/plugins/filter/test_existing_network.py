# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VPC and subnets are found by tags when they are ours, by ids when they are somebody else's."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bluegreen.aws.plugins.filter.network import full_names, subnet_filters, subnet_ids, vpc_filters

TAGS = {"bluegreen:system": "shop"}
THEIRS = {"vpc": "vpc-1", "subnets": {"private-a": "subnet-a", "private-c": "subnet-c"}}


def test_ours():
    assert vpc_filters({}, TAGS, "shop-dev") == {"tag:bluegreen:system": "shop", "tag:Name": "shop-dev"}
    assert subnet_filters({}, TAGS, "shop-dev", ["private-a"]) == {"tag:bluegreen:system": "shop", "tag:Name": ["shop-dev-private-a"]}
    assert subnet_ids([{"id": "subnet-1", "tags": {"Name": "shop-dev-private-a"}}], {}) == {"shop-dev-private-a": "subnet-1"}
    assert full_names(["private-a"], {}, "shop-dev") == ["shop-dev-private-a"]


def test_somebody_elses():
    assert vpc_filters(THEIRS, TAGS, "shop-dev") == {"vpc-id": "vpc-1"}
    assert subnet_filters(THEIRS, TAGS, "shop-dev", ["private-c"]) == {"vpc-id": "vpc-1", "subnet-id": ["subnet-c"]}
    assert subnet_ids([{"id": "subnet-c", "tags": {}}], THEIRS) == {"private-c": "subnet-c"}
    assert full_names(["private-a"], THEIRS, "shop-dev") == ["private-a"]


@pytest.mark.parametrize("existing", [{"vpc": "vpc-1"}, {"subnets": {}}, {"vpc": "vpc-1", "subnets": ["subnet-a"]}, "vpc-1"])
def test_what_is_no_network(existing):
    with pytest.raises(AnsibleFilterError, match="network_existing needs the id of the VPC and those of its subnets"):
        vpc_filters(existing, TAGS, "shop-dev")


def test_a_subnet_without_an_id():
    with pytest.raises(AnsibleFilterError, match=r"network_existing.subnets has no public-a; it has private-a, private-c\. Add its id\."):
        subnet_filters(THEIRS, TAGS, "shop-dev", ["public-a"])
