# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""A call of EC2's API that goes nowhere: all that botocore does with one but the network, for what a process does the first time."""

from __future__ import annotations

import typing as t

_NOTHING = b'<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><vpcSet/></DescribeVpcsResponse>'


class _Body:
    """What botocore reads an answer from."""

    def stream(self) -> list[bytes]:
        return [_NOTHING]


def call(client) -> list[t.Any]:
    """No VPCs, from a client of EC2 that then answers itself."""
    from botocore.awsrequest import AWSResponse

    client.meta.events.register("before-send", lambda request, **_more: AWSResponse(request.url, 200, {}, _Body()))
    return client.get_paginator("describe_vpcs").paginate().build_full_result()["Vpcs"]
