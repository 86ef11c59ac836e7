# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch's answers about dashboards against botocore's model, and what is still MiniStack's beside them."""

from __future__ import annotations

import typing as t
import urllib.parse
import urllib.request

import pytest

from localcloud.services.cloudwatch import OPERATIONS

from .cases import Case, check, gaps
from .cloudwatch_cases import CASES, World


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, boto: t.Callable[[str], t.Any]) -> None:
    check(case, World(boto))


def test_every_operation_has_cases() -> None:
    assert gaps(OPERATIONS, CASES) == []


def test_alarms_and_their_tags_are_still_answered(boto: t.Callable[[str], t.Any]) -> None:
    client = boto("cloudwatch")
    client.put_metric_alarm(
        AlarmName="contract", Namespace="x", MetricName="y", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold", Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    (alarm,) = client.describe_alarms(AlarmNames=["contract"])["MetricAlarms"]
    assert client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    client.delete_alarms(AlarmNames=["contract"])


def test_the_query_protocol_of_older_clients(cloud_env: dict[str, str]) -> None:
    """The AWS CLI inside an instance is older than CloudWatch's JSON protocol."""

    def ask(**form: str) -> tuple[int, str]:
        authorization = "AWS4-HMAC-SHA256 Credential=x/20261121/ap-northeast-2/monitoring/aws4_request, SignedHeaders=host, Signature=x"
        request = urllib.request.Request(
            cloud_env["AWS_ENDPOINT_URL"], data=urllib.parse.urlencode({"Version": "2010-08-01", **form}).encode(),
            headers={"Authorization": authorization},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    assert ask(Action="PutDashboard", DashboardName="query", DashboardBody='{"widgets":[]}')[0] == 200
    status, text = ask(Action="GetDashboard", DashboardName="query")
    assert (status, '{"widgets":[]}' in text) == (200, True)
    status, text = ask(Action="PutDashboard", DashboardName="query", DashboardBody="[]")
    assert (status, "<Code>InvalidParameterInput</Code>" in text) == (400, True)
    assert ask(Action="ListMetrics")[0] == 200
