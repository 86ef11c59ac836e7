# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that nobody provides are refused with an error that clients understand, and at no lasting cost."""

from __future__ import annotations

import pathlib

import pytest
from botocore.exceptions import ClientError


def resident_mb(state_root, cloud_name):
    pid = (state_root / cloud_name / "server.pid").read_text().strip()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "name"),
    [
        ("service-quotas", "list_services", {}, "ListServices"),  # JSON
        ("redshift", "describe_clusters", {}, "DescribeClusters"),  # query
        ("amp", "list_workspaces", {}, "GET /workspaces"),  # REST
    ],
)
def test_refused_with_a_sentence(boto, state_root, cloud_name, service, operation, arguments, name):
    before = resident_mb(state_root, cloud_name)
    with pytest.raises(ClientError) as caught:
        getattr(boto(service), operation)(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == "UnknownOperationException"
    assert error["Message"].startswith("The local cloud does not provide the service ")
    assert error["Message"].endswith(f": {name} was not done.")
    assert resident_mb(state_root, cloud_name) - before < 40
