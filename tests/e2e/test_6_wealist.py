# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""wealist from nothing: groups that boot by themselves, one switch for high availability, boots that fail, a monitoring that comes back."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import wealist
import world

# `make test` runs the path from nothing over a second run to nothing again; `make e2e` runs the rest too, which takes ten minutes.
thorough = pytest.mark.thorough


@pytest.fixture(scope="module")
def built():
    result = wealist.run("site", timeout=1200)
    assert result.code == 0, result.output[-6000:]
    return result


@pytest.fixture(scope="module")
def stored(built):
    """A message in the database of each service."""
    assert built
    for service in ("user", "board"):
        body = {"room": "e2e", "author": "test", "text": f"of {service}", "client_id": f"e2e-{service}"}
        assert wealist.ask(f"/{service}/api/messages", body)[0] in (200, 201)
    assert (wealist.texts("user", "e2e"), wealist.texts("board", "e2e")) == (["of user"], ["of board"])
    return ["of user"]


def test_the_summary_says_what_runs(built):
    said = built.one_line()
    assert re.search(r"wealist-prod-backend [2-6] in service \(2 to 6\), launch template version \d+", said)
    assert re.search(r"wealist-prod-monitoring 1 in service \(1 to 1\), launch template version \d+", said)


def test_a_second_site_changes_nothing(built):
    assert built
    result = wealist.run("site")
    assert (result.code, result.changed()) == (0, 0), result.output[-6000:]


@thorough
def test_check_mode_of_what_is_built_changes_nothing(built):
    assert built
    result = wealist.run("site", "--check", "--diff")
    assert (result.code, result.changed()) == (0, 0), result.output[-6000:]


def test_every_instance_and_service_is_watched(built):
    assert built

    def targets():
        found = {(item["metric"]["job"], item["metric"]["instance"]) for item in wealist.prometheus("up == 1")}
        backend, monitoring = wealist.in_service("backend"), wealist.in_service("monitoring")
        wanted = {("node", one) for one in backend + monitoring} | {("application", one) for one in backend}
        return wanted <= found

    wealist.wait_for(targets)
    assert {item["metric"]["service"] for item in wealist.prometheus("build_info")} == {"user-service", "board-service"}


@thorough
def test_high_availability_comes_and_goes_and_the_data_stays(stored):
    rds, cache = world.client("rds"), world.client("elasticache")

    def state():
        database = rds.describe_db_instances(DBInstanceIdentifier=wealist.NAME)["DBInstances"][0]
        nodes = cache.describe_replication_groups(ReplicationGroupId=wealist.NAME)["ReplicationGroups"][0]
        return database["MultiAZ"], len(nodes["MemberClusters"]), nodes["AutomaticFailover"]

    assert state() == (False, 1, "disabled")
    for switch, wanted in (("true", (True, 2, "enabled")), ("false", (False, 1, "disabled"))):
        result = wealist.run("site", "-e", f"enable_multi_az={switch}")
        assert result.code == 0, result.output[-6000:]
        assert state() == wanted
        assert wealist.texts("user", "e2e") == stored
    assert wealist.run("site").changed() == 0


@thorough
def test_a_boot_without_its_parameter_says_so_and_does_not_enter_service(stored):
    before = set(wealist.in_service("backend"))
    ssm = world.client("ssm")
    name = "/wealist/prod/db/user_db_name"
    value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    groups = world.client("autoscaling")
    ssm.delete_parameter(Name=name)
    try:
        # Not the desired capacity: the scaling policy takes an instance away that nobody needs.
        groups.update_auto_scaling_group(AutoScalingGroupName="wealist-prod-backend", MinSize=len(before) + 1)
        logs = world.client("logs")

        def said():
            events = logs.filter_log_events(logGroupName="/wealist/prod/backend/boot", filterPattern='"Parameter Store has no"')["events"]
            return [event["message"] for event in events if name in event["message"]]

        assert wealist.wait_for(said, 180)
        assert set(wealist.in_service("backend")) == before
        assert wealist.texts("user", "e2e") == stored
    finally:
        groups.update_auto_scaling_group(AutoScalingGroupName="wealist-prod-backend", MinSize=2)
        ssm.put_parameter(Name=name, Value=value, Type="String")
    assert wealist.run("site").code == 0


@thorough
def test_a_database_that_fails_over_under_load_loses_nothing(stored):
    assert wealist.run("site", "-e", "enable_multi_az=true").code == 0
    rds = world.client("rds")
    zone = rds.describe_db_instances(DBInstanceIdentifier=wealist.NAME)["DBInstances"][0]["AvailabilityZone"]

    def moved():
        found = rds.describe_db_instances(DBInstanceIdentifier=wealist.NAME)["DBInstances"][0]
        return found["AvailabilityZone"] != zone and found["DBInstanceStatus"] == "available"

    with wealist.Writer("user", "failover") as writer:
        wealist.wait_for(lambda: len(writer.confirmed) >= 20)
        rds.reboot_db_instance(DBInstanceIdentifier=wealist.NAME, ForceFailover=True)
        wealist.wait_for(moved)
        before = len(writer.confirmed)
        wealist.wait_for(lambda: len(writer.confirmed) >= before + 20)
    print(f"{len(writer.confirmed)} messages were confirmed, {writer.failed} were not")
    found = wealist.texts("user", "failover")
    assert [text for text in writer.confirmed if text not in found] == []
    assert wealist.texts("user", "e2e") == stored


@thorough
def test_a_group_at_its_maximum_is_refreshed_and_does_not_grow(stored):
    size = len(wealist.in_service("backend"))
    fixed = {"instance_type": "t3.medium", "min": size, "max": size, "cpu_percent": 60}
    arguments = ("-e", json.dumps({"wealist_backend": fixed}))
    assert wealist.run("site", *arguments).code == 0
    groups = world.client("autoscaling")
    with pytest.raises(groups.exceptions.ClientError, match="above max value"):
        groups.set_desired_capacity(AutoScalingGroupName="wealist-prod-backend", DesiredCapacity=size + 1)
    first = set(wealist.in_service("backend"))
    with wealist.Writer("user", "maximum") as writer:
        result = wealist.run("site", *arguments, WEALIST_VERSION="1.1.0")
    assert result.code == 0, result.output[-6000:]
    assert len(wealist.in_service("backend")) == size
    assert first.isdisjoint(wealist.in_service("backend"))
    assert writer.failed == 0
    assert wealist.texts("user", "maximum") == writer.confirmed
    assert wealist.texts("user", "e2e") == stored


@thorough
def test_the_monitoring_instance_comes_back_with_its_data(built):
    assert built
    first = wealist.in_service("monitoring")
    oldest = float(wealist.prometheus("min_over_time(timestamp(up{job='prometheus'})[1h:15s])")[0]["value"][1])
    # A graceful end uploads the last snapshot; a crash loses what came after the one before.
    container = wealist.container(first[0])
    for words in (["exec", container, "docker", "stop", "monitoring-snapshots-1"], ["kill", container]):
        subprocess.run(["docker", *words], check=True, capture_output=True)
    wealist.wait_for(lambda: (found := wealist.in_service("monitoring")) and found != first, 240)
    query = f"count_over_time(up{{job='prometheus'}}[1h] @ {oldest + 60:.0f})"
    assert float(wealist.wait_for(lambda: wealist.prometheus(query))[0]["value"][1]) >= 1


def test_everything_can_be_destroyed_but_the_last_snapshot(built):
    assert built
    result = wealist.run("destroy", "-e", "preflight_confirm=wealist-prod", timeout=1200)
    assert result.code == 0, result.output[-6000:]
    tagged = world.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "bluegreen:system", "Values": ["wealist"]}])
    left = [item["ResourceARN"] for item in tagged["ResourceTagMappingList"]]
    assert len(left) == 1 and ":snapshot:wealist-prod-final-" in left[0], left
