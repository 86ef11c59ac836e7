# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exporter of CloudWatch's metrics, against botocore's own model of the calls."""

from __future__ import annotations

import datetime

import botocore.session
import pytest
from botocore.stub import ANY, Stubber
from monitor import cloudwatch
from monitor.cloudwatch_metrics import METRICS, Metric

NOW = datetime.datetime(2026, 11, 21, 12, 0, 42, tzinfo=datetime.UTC)
ARN = "arn:aws:elasticloadbalancing:ap-northeast-2:000000000000"
BALANCER = ("LoadBalancer", "app/shop/50dc")
ZONE = "ap-northeast-2a"
TAGS = {"bluegreen:system": "shop", "bluegreen:environment": "prod"}


@pytest.fixture
def stubbed():
    """(client(service), stub(service)) of botocore's clients; what was expected and not asked for fails the test."""
    session = botocore.session.get_session()
    clients, stubs = {}, {}

    def client(service):
        if service not in clients:
            clients[service] = session.create_client(
                service, region_name="ap-northeast-2", aws_access_key_id="a", aws_secret_access_key="b"
            )
            stubs[service] = Stubber(clients[service])
            stubs[service].activate()
        return clients[service]

    def stub(service):
        client(service)
        return stubs[service]

    yield client, stub
    for entry in stubs.values():
        entry.assert_no_pending_responses()


def minute(back):
    return NOW.replace(second=0) - datetime.timedelta(minutes=back)


def group(name):
    """An Auto Scaling group with what botocore's model says is always there."""
    sizes = {"MinSize": 2, "MaxSize": 6, "DesiredCapacity": 2, "DefaultCooldown": 60}
    rest = {"AvailabilityZones": [ZONE], "HealthCheckType": "ELB", "CreatedTime": NOW}
    return {"AutoScalingGroupName": name, **sizes, **rest}


def test_resources_are_found_by_tags_with_what_belongs_to_them(stubbed):
    client, stub = stubbed
    arns = [
        f"{ARN}:loadbalancer/app/shop/50dc",
        f"{ARN}:loadbalancer/net/other/1",
        "arn:aws:rds:ap-northeast-2:000000000000:db:shop-prod",
        "arn:aws:elasticache:ap-northeast-2:000000000000:cluster:single",
        "arn:aws:elasticache:ap-northeast-2:000000000000:replicationgroup:shop",
    ]
    expected = {
        "TagFilters": [{"Key": "bluegreen:environment", "Values": ["prod"]}, {"Key": "bluegreen:system", "Values": ["shop"]}],
        "ResourceTypeFilters": ["elasticloadbalancing:loadbalancer", "rds:db", "elasticache:cluster", "elasticache:replicationgroup"],
    }
    pages = stub("resourcegroupstaggingapi")
    pages.add_response(
        "get_resources", {"ResourceTagMappingList": [{"ResourceARN": arn} for arn in arns[:2]], "PaginationToken": "x"}, expected
    )
    more = {"ResourceTagMappingList": [{"ResourceARN": arn} for arn in arns[2:]], "PaginationToken": ""}
    pages.add_response("get_resources", more, {**expected, "PaginationToken": "x"})
    groups = [
        {"TargetGroupArn": f"{ARN}:targetgroup/shop-user/73e2", "LoadBalancerArns": [arns[0]]},
        {"TargetGroupArn": f"{ARN}:targetgroup/foreign/1", "LoadBalancerArns": [f"{ARN}:loadbalancer/app/foreign/2"]},
        {"TargetGroupArn": f"{ARN}:targetgroup/idle/3", "LoadBalancerArns": []},
    ]
    stub("elbv2").add_response("describe_target_groups", {"TargetGroups": groups}, {})
    members = {"ReplicationGroups": [{"ReplicationGroupId": "shop", "MemberClusters": ["shop-001", "shop-002"]}]}
    stub("elasticache").add_response("describe_replication_groups", members, {"ReplicationGroupId": "shop"})
    of_tags = [{"Name": f"tag:{name}", "Values": [value]} for name, value in sorted(TAGS.items())]
    stub("autoscaling").add_response("describe_auto_scaling_groups", {"AutoScalingGroups": [group("shop-backend")]}, {"Filters": of_tags})
    assert cloudwatch.Source(client, TAGS).resources() == [
        cloudwatch.Resource("cache", (("CacheClusterId", "shop-001"),)),
        cloudwatch.Resource("cache", (("CacheClusterId", "shop-002"),)),
        cloudwatch.Resource("cache", (("CacheClusterId", "single"),)),
        cloudwatch.Resource("database", (("DBInstanceIdentifier", "shop-prod"),)),
        cloudwatch.Resource("group", (("AutoScalingGroupName", "shop-backend"),)),
        cloudwatch.Resource("load_balancer", (BALANCER,)),
        cloudwatch.Resource("target_group", (("TargetGroup", "targetgroup/shop-user/73e2"), BALANCER)),
    ]


def test_the_settled_minute_is_taken_and_no_datum_of_a_count_is_zero(stubbed):
    client, stub = stubbed
    resource = cloudwatch.Resource("load_balancer", (BALANCER,))
    answer = {
        "MetricDataResults": [
            # RequestCount: the newest minute has a value. 5XX: the last error was minutes ago. The others: nothing.
            {"Id": "m0", "Timestamps": [minute(2), minute(3)], "Values": [60.0, 50.0]},
            {"Id": "m1", "Timestamps": [minute(5)], "Values": [9.0]},
            {"Id": "m2", "Timestamps": [], "Values": []},
        ]
    }
    asked = {"MetricDataQueries": ANY, "StartTime": minute(11), "EndTime": minute(1), "ScanBy": "TimestampDescending"}
    stub("cloudwatch").add_response("get_metric_data", answer, asked)
    found = cloudwatch.Source(client, TAGS).values([resource], NOW)
    assert [(metric.name, value) for metric, _resource, value in found] == [
        ("RequestCount", 60.0), ("HTTPCode_ELB_5XX_Count", 0.0), ("RejectedConnectionCount", 0.0), ("ActiveConnectionCount", 0.0),
    ]  # fmt: skip


def test_a_gauge_has_its_newest_value_or_none(stubbed):
    client, stub = stubbed
    resource = cloudwatch.Resource("database", (("DBInstanceIdentifier", "shop"),))
    pages = [
        {"MetricDataResults": [{"Id": "m0", "Timestamps": [minute(6)], "Values": [40.0]}], "NextToken": "more"},
        {"MetricDataResults": [{"Id": "m0", "Timestamps": [minute(4)], "Values": [41.0]}]},
    ]
    for page in pages:
        stub("cloudwatch").add_response("get_metric_data", page)
    found = cloudwatch.Source(client, TAGS).values([resource], NOW)
    assert [(metric.series, value) for metric, _resource, value in found] == [("aws_rds_cpuutilization_average", 41.0)]


def test_a_call_takes_500_queries(stubbed):
    client, stub = stubbed
    resources = [cloudwatch.Resource("target_group", (("TargetGroup", f"targetgroup/{number}"), BALANCER)) for number in range(80)]
    sizes = []
    stub("cloudwatch")
    client("cloudwatch").meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData", lambda params, **_unused: sizes.append(len(params["MetricDataQueries"]))
    )
    for _part in range(2):
        stub("cloudwatch").add_response("get_metric_data", {"MetricDataResults": []})
    found = cloudwatch.Source(client, TAGS).values(resources, NOW)
    assert sizes == [500, 60]
    assert len(found) == 80 * sum(metric.zero for metric in METRICS["target_group"])


def test_nothing_found_asks_for_nothing(stubbed):
    client, _stub = stubbed
    assert cloudwatch.Source(client, TAGS).values([], NOW) == []


@pytest.mark.parametrize(
    ("metric", "series"),
    [
        (Metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum"), "aws_applicationelb_httpcode_target_5_xx_count_sum"),
        (Metric("AWS/ApplicationELB", "UnHealthyHostCount", "Maximum"), "aws_applicationelb_un_healthy_host_count_maximum"),
        (Metric("AWS/ApplicationELB", "TargetResponseTime", "p95"), "aws_applicationelb_target_response_time_p95"),
        (Metric("AWS/ApplicationELB", "TargetResponseTime", "p99.9"), "aws_applicationelb_target_response_time_p99_9"),
        (Metric("AWS/RDS", "CPUUtilization", "Average"), "aws_rds_cpuutilization_average"),
        (Metric("AWS/ElastiCache", "EngineCPUUtilization", "Average"), "aws_elasticache_engine_cpuutilization_average"),
        (Metric("AWS/AutoScaling", "GroupMaxSize", "Maximum"), "aws_autoscaling_group_max_size_maximum"),
    ],
)
def test_names_are_those_of_cloudwatch_exporter(metric, series):
    assert metric.series == series


def test_the_exposition_keeps_a_name_together():
    first, second = (cloudwatch.Resource("cache", (("CacheClusterId", name),)) for name in ("a", "b"))
    hits, misses = Metric("AWS/ElastiCache", "CacheHits", "Sum"), Metric("AWS/ElastiCache", "CacheMisses", "Sum")
    assert cloudwatch.render([(hits, first, 1.0), (misses, first, 2.0), (hits, second, 3.0)]) == (
        "# TYPE aws_elasticache_cache_hits_sum gauge\n"
        'aws_elasticache_cache_hits_sum{cache_cluster_id="a"} 1.0\naws_elasticache_cache_hits_sum{cache_cluster_id="b"} 3.0\n'
        '# TYPE aws_elasticache_cache_misses_sum gauge\naws_elasticache_cache_misses_sum{cache_cluster_id="a"} 2.0\n'
    )


def test_a_failed_round_is_counted_and_old_values_go(stubbed, monkeypatch, capsys):
    client, stub = stubbed
    exporter = cloudwatch.Exporter(cloudwatch.Source(client, TAGS), every=60)
    stub("resourcegroupstaggingapi").add_response("get_resources", {"ResourceTagMappingList": [{"ResourceARN": "arn:aws:rds:r:0:db:shop"}]})
    stub("cloudwatch").add_response("get_metric_data", {"MetricDataResults": [{"Id": "m0", "Timestamps": [minute(3)], "Values": [1.0]}]})
    stub("autoscaling").add_response("describe_auto_scaling_groups", {"AutoScalingGroups": []})
    exporter.round()
    assert 'aws_rds_cpuutilization_average{dbinstance_identifier="shop"} 1.0' in exporter.text()
    assert "cloudwatch_resources 1" in exporter.text()
    stub("resourcegroupstaggingapi").add_client_error("get_resources", "AccessDeniedException", "not allowed", 400)
    exporter.round()
    assert "cloudwatch_failures_total 1" in exporter.text()
    assert "aws_rds_cpuutilization_average" in exporter.text(), "one failure is no silence"
    assert "Failed to read CloudWatch: An error occurred (AccessDeniedException)" in capsys.readouterr().err
    monkeypatch.setattr(cloudwatch.time, "time", lambda: datetime.datetime.now().timestamp() + 600)
    assert "aws_rds_cpuutilization_average" not in exporter.text()
