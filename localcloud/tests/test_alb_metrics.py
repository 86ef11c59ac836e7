# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real load balancer leaves in CloudWatch and in its access log, for traffic that the test knows."""

from __future__ import annotations

import datetime
import gzip
import json
import re
import shlex
import time
import typing as t
import urllib.request

import pytest
from alb_world import PORTS, Balancer, Targets, WebSocket, forward, running_targets
from conftest import wait_for

GOOD, SLOW, BAD = 40, 4, 6
NAMESPACE = "AWS/ApplicationELB"
BUCKET = "alb-logs-of-a-test"


@pytest.fixture(scope="module")
def balancer(boto, vpc) -> t.Iterator[Balancer]:
    made = Balancer(boto("elbv2"), vpc, "metrics", Scheme="internal").activate(boto("ec2"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def targets(engine, cloud_name, vpc, balancer) -> t.Iterator[Targets]:
    with running_targets(engine, cloud_name, vpc) as made:
        yield made


class Traffic(t.NamedTuple):
    """What was there, and since when."""

    blue: str
    green: str
    listener: str
    begin: datetime.datetime


def flush(cloud_env: dict[str, str]) -> None:
    url = f"{cloud_env['AWS_ENDPOINT_URL']}/_localcloud/elasticloadbalancing/flush"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST")) as answer:
        assert answer.status == 200


@pytest.fixture(scope="module")
def traffic(balancer, targets, boto, cloud_env) -> Traffic:
    """One minute's traffic: good, slow and bad answers, a redirect, a fixed response, a target that does not listen, a WebSocket."""
    s3 = boto("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/logs/AWSLogs/123456789012/*",
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    wanted = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": BUCKET, "access_logs.s3.prefix": "logs"}
    balancer.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.arn, Attributes=[{"Key": key, "Value": value} for key, value in wanted.items()]
    )
    blue, green = balancer.group("blue", (targets.address, PORTS[0])), balancer.group("green", (targets.address, PORTS[1]))
    listener = balancer.listener(80, forward((blue, 1), (green, 0)))
    path = {"Field": "path-pattern", "Values": ["/green/*"]}
    balancer.rule(listener, 5, [path], forward((green, 1)))
    redirect = {"Type": "redirect", "RedirectConfig": {"Path": "/to", "StatusCode": "HTTP_302"}}
    balancer.rule(listener, 6, [{"Field": "path-pattern", "Values": ["/from"]}], redirect)
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "MessageBody": "no"}}
    balancer.rule(listener, 7, [{"Field": "path-pattern", "Values": ["/none"]}], fixed)
    balancer.wait_healthy(blue, green)
    begin = datetime.datetime.now(datetime.UTC).replace(second=0, microsecond=0)
    balancer.ports(GOOD)
    for _ in range(SLOW):
        assert balancer.get("/slow?ms=150").status == 200
    for _ in range(BAD):
        assert balancer.get("/status/503").status == 503
    assert balancer.get("/green/x", headers={"User-Agent": 'a "quoted" agent'}).status == 200
    assert balancer.get("/from").status == 302
    assert balancer.get("/none").status == 404
    assert balancer.get("/cut").status == 502
    WebSocket(balancer.addresses[0]).close()
    time.sleep(1.5)  # the lines are on their way, and a look at the health of both
    flush(cloud_env)
    return Traffic(blue, green, listener, begin)


def _dimensions(balancer: Balancer, group: str | None = None, zone: str | None = None) -> list[dict[str, str]]:
    found = [{"Name": "LoadBalancer", "Value": balancer.arn.partition(":loadbalancer/")[2]}]
    if group:
        found.append({"Name": "TargetGroup", "Value": group.rpartition(":")[2]})
    if zone:
        found.append({"Name": "AvailabilityZone", "Value": zone})
    return found


def _sum(boto: t.Any, traffic: Traffic, metric: str, dimensions: list[dict[str, str]], statistic: str = "Sum") -> float:
    """Over all minutes since the traffic began."""
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)
    found = boto("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=dimensions,
        StartTime=traffic.begin,
        EndTime=until,
        Period=60,
        Statistics=[statistic],
    )
    assert all(point["Timestamp"].second == 0 for point in found["Datapoints"])
    return sum(point[statistic] for point in found["Datapoints"])


def test_requests_are_counted_by_load_balancer_and_target_group(boto, balancer, traffic):
    whole, blue, green = _dimensions(balancer), _dimensions(balancer, traffic.blue), _dimensions(balancer, traffic.green)
    # the WebSocket and the request that the target cut are requests to a target; redirect and fixed response are not
    assert _sum(boto, traffic, "RequestCount", whole) == GOOD + SLOW + BAD + 3
    assert _sum(boto, traffic, "RequestCount", blue) == GOOD + SLOW + BAD + 2
    assert _sum(boto, traffic, "RequestCount", green) == 1
    assert _sum(boto, traffic, "RequestCount", _dimensions(balancer, traffic.green, "ap-northeast-2a")) == 1
    assert _sum(boto, traffic, "HTTPCode_Target_2XX_Count", blue) == GOOD + SLOW
    assert _sum(boto, traffic, "HTTPCode_Target_2XX_Count", whole) == GOOD + SLOW + 1
    assert _sum(boto, traffic, "HTTPCode_Target_5XX_Count", blue) == BAD
    assert _sum(boto, traffic, "HTTPCode_Target_5XX_Count", green) == 0
    assert _sum(boto, traffic, "HTTPCode_ELB_5XX_Count", whole) == 1
    assert _sum(boto, traffic, "HTTPCode_ELB_502_Count", whole) == 1
    assert _sum(boto, traffic, "HTTP_Redirect_Count", whole) == 1
    assert _sum(boto, traffic, "HTTP_Fixed_Response_Count", whole) == 1


def test_response_times_have_percentiles(boto, balancer, traffic):
    cloudwatch, until = boto("cloudwatch"), datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)
    metric = {"Namespace": NAMESPACE, "MetricName": "TargetResponseTime", "Dimensions": _dimensions(balancer, traffic.blue)}
    found = cloudwatch.get_metric_statistics(
        **metric, StartTime=traffic.begin, EndTime=until, Period=300, ExtendedStatistics=["p50", "p95", "p99"]
    )["Datapoints"]
    values = found[0]["ExtendedStatistics"]
    # 4 of some 50 answers took 150 ms: more than a twentieth, and fewer than half
    assert values["p50"] < 0.1 < 0.15 <= values["p95"] <= values["p99"] < 1
    queries = [{"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 300, "Stat": f"p{number}"}} for number in (50, 95, 99)]
    answers = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=traffic.begin, EndTime=until)["MetricDataResults"]
    assert {answer["Id"]: answer["Values"][0] for answer in answers} == {"q50": values["p50"], "q95": values["p95"], "q99": values["p99"]}


def test_hosts_and_connections_are_counted(boto, balancer, traffic):
    for dimensions in (_dimensions(balancer, traffic.blue), _dimensions(balancer, traffic.blue, "ap-northeast-2a")):
        assert _sum(boto, traffic, "HealthyHostCount", dimensions, "Maximum") >= 1
        assert _sum(boto, traffic, "UnHealthyHostCount", dimensions, "Minimum") == 0
    assert _sum(boto, traffic, "NewConnectionCount", _dimensions(balancer)) >= SLOW + BAD + 4


def _objects(boto: t.Any) -> dict[str, bytes]:
    s3 = boto("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def test_the_access_log_is_in_the_format_of_aws(boto, balancer, traffic, targets):
    objects = wait_for(lambda: len(found := _objects(boto)) > 1 and found, 5)
    assert any(key == "logs/AWSLogs/123456789012/ELBAccessLogTestFile" for key in objects)
    suffix = balancer.arn.partition(":loadbalancer/")[2]
    pattern = (
        r"logs/AWSLogs/123456789012/elasticloadbalancing/ap-northeast-2/\d{4}/\d\d/\d\d/123456789012_elasticloadbalancing_ap-northeast-2_"
        + re.escape(suffix.replace("/", "."))
        + r"_\d{8}T\d{4}Z_[\d.]+_[0-9a-f]{8}\.log\.gz"
    )
    logs = {key: gzip.decompress(body).decode() for key, body in objects.items() if key.endswith(".gz")}
    assert logs and all(re.fullmatch(pattern, key) for key in logs)
    lines = [shlex.split(line.replace("\\x22", "''")) for text in logs.values() for line in text.splitlines()]
    assert {len(fields) for fields in lines} == {30}
    by_request = {fields[12].split()[1].partition("/")[2].partition("/")[2].partition("/")[2]: fields for fields in lines}
    green = by_request["green/x"]
    assert green[0] == "http"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", green[1])
    assert (green[2], green[4]) == (suffix, f"{targets.address}:{PORTS[1]}")
    assert all(re.fullmatch(r"\d+\.\d{3}", value) for value in green[5:8])
    assert green[8:10] == ["200", "200"]
    assert green[12] == f"GET http://{balancer.dns_name}:80/green/x HTTP/1.1"
    assert green[13] == "a ''quoted'' agent"
    assert green[16] == traffic.green
    assert green[17].startswith("Root=1-")
    assert green[20] == "5"
    assert green[22] == "forward"
    assert by_request["from"][22:24] == ["redirect", f"http://{balancer.dns_name}:80/to"]
    assert (by_request["none"][8], by_request["none"][9], by_request["none"][22]) == ("404", "-", "fixed-response")
    assert (by_request["cut"][8], by_request["cut"][9]) == ("502", "-")
    assert by_request["ws"][0] == "ws"
    assert float(by_request["slow?ms=150"][6]) >= 0.15
