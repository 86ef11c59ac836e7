# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a proxy's log as requests, metrics and lines of an access log; the lines were written by HAProxy 3.0.11 under test traffic."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import json
import shlex
import types
import typing as t

import pytest

from localcloud.balancer import access_log
from localcloud.balancer.metrics import Minute, Place, rounded
from localcloud.balancer.requests import parse

LINE: dict[str, t.Any] = {
    "lb": "0123456789abcdef", "front": "f1", "group": "g1", "target": "10.0.1.5:8001", "status": 200, "term": "--", "received": 310,
    "sent": 420, "ip": "10.0.0.1", "port": 40310, "method": "GET", "uri": "/a?b=c", "version": "HTTP/1.1", "cipher": None, "tls": None,
    "rule": "r1", "host": "www.example.com", "agent": "curl/8", "arrived": 1795262400000100, "forwarded": 1795262400000400,
    "answered": 1795262400012345, "ended": 1795262400012900, "target_status": 200, "trace": "Root=1-67891233-abc", "redirect": None,
    "sni": None,
}  # fmt: skip
PLACE = Place("app/x/0123456789abcdef", "targetgroup/blue/g1", "ap-northeast-2a")


def request(**changes: t.Any) -> t.Any:
    return parse(json.dumps({**LINE, **changes}).encode() + b"\n")


def counted(*requests: t.Any, place: Place = PLACE) -> dict[tuple[str, tuple[str, ...]], t.Any]:
    """(metric, names of its dimensions) -> the sum, or the values by their number."""
    minute = Minute()
    for found in requests:
        minute.count(found, place if found.target else Place(place.balancer))
    data = minute.data(1795262400)
    assert {datum["Timestamp"] for datum in data} == {1795262400}
    return {
        (datum["MetricName"], tuple(dimension["Name"] for dimension in datum["Dimensions"])): datum.get("Value")
        or dict(zip(datum["Values"], datum["Counts"], strict=True))
        for datum in data
    }


WHOLE, GROUP = ("LoadBalancer",), ("LoadBalancer", "TargetGroup")
ZONED = ("AvailabilityZone", "LoadBalancer", "TargetGroup")


def test_a_request_to_a_target_counts_under_four_sets_of_dimensions():
    found = counted(request(), request(), request(status=404, target_status=404))
    for dimensions in (WHOLE, GROUP, ZONED, ("AvailabilityZone", "LoadBalancer")):
        assert found["RequestCount", dimensions] == 3
        assert found["HTTPCode_Target_2XX_Count", dimensions] == 2
        assert found["HTTPCode_Target_4XX_Count", dimensions] == 1
        assert found["TargetResponseTime", dimensions] == {0.0119: 3.0}
    assert found["RequestCountPerTarget", ("TargetGroup",)] == 3
    assert not [name for name, _ in found if name.startswith("HTTPCode_ELB")]


def test_requests_per_target_are_divided_by_the_healthy_targets():
    minute = Minute()
    for _ in range(12):
        minute.count(request(), PLACE)
    for healthy in (3, 5):  # four on average
        minute.hosts(Place(PLACE.balancer, PLACE.group), healthy, 0)
        minute.hosts(PLACE, 1, 0)
    found = [datum["Value"] for datum in minute.data(1795262400) if datum["MetricName"] == "RequestCountPerTarget"]
    assert found == [3.0, 3.0]


def test_a_target_that_cannot_be_reached_is_an_error_of_the_load_balancer():
    found = counted(request(status=502, target_status=None, answered=None, term="SC"))
    assert found["HTTPCode_ELB_5XX_Count", WHOLE] == found["HTTPCode_ELB_502_Count", WHOLE] == 1
    assert found["TargetConnectionErrorCount", GROUP] == 1
    assert ("HTTPCode_ELB_5XX_Count", GROUP) not in found
    assert not [name for name, _ in found if name in ("TargetResponseTime", "HTTPCode_Target_5XX_Count")]


def test_a_503_of_the_target_is_the_targets():
    found = counted(request(status=503, target_status=503))
    assert found["HTTPCode_Target_5XX_Count", GROUP] == 1
    assert not [name for name, _ in found if name.startswith("HTTPCode_ELB")]


def test_what_needs_no_target_is_no_request_to_one():
    nobody = {"group": "f1", "target": "<NOSRV>", "target_status": None, "forwarded": None, "answered": None, "term": "LR"}
    found = counted(
        request(**nobody, status=301, redirect="https://x/"), *(request(**nobody, status=status) for status in (200, 404, 503)),
    )  # fmt: skip
    assert found["HTTP_Redirect_Count", WHOLE] == 1
    assert found["HTTP_Fixed_Response_Count", WHOLE] == 2
    assert found["HTTPCode_ELB_503_Count", WHOLE] == 1
    assert not [name for name, _ in found if name == "RequestCount"]


def test_the_twin_of_a_server_is_the_same_target():
    assert request(target="open_10.0.1.5:8001").target == "10.0.1.5:8001"


@pytest.mark.parametrize(("seconds", "value"), [(0, 0.0), (0.0119449, 0.0119), (1.23456, 1.23), (0.000123456, 0.000123), (59.99, 60.0)])
def test_values_keep_three_significant_digits(seconds, value):
    assert rounded(seconds) == value


def test_hosts_are_recorded_in_all_and_by_zone():
    minute = Minute()
    minute.hosts(Place(PLACE.balancer, PLACE.group), 3, 1)
    minute.hosts(PLACE, 1, 0)
    found = {(datum["MetricName"], len(datum["Dimensions"])): datum["Values"] for datum in minute.data(0)}
    assert found == {
        ("HealthyHostCount", 2): [3.0],
        ("UnHealthyHostCount", 2): [1.0],
        ("HealthyHostCount", 3): [1.0],
        ("UnHealthyHostCount", 3): [0.0],
    }


def line(found: t.Any, **changes: t.Any) -> list[str]:
    settings = {"balancer": PLACE.balancer, "port": 80, "secure": False, "group_arn": "arn:tg", "priority": "default", "certificate": ""}
    return shlex.split(access_log.line(found, **{**settings, **changes}).replace("\\x22", "''"))


def test_an_access_log_line_has_the_fields_of_aws_in_their_order():
    assert line(request(agent='a "b"\n'))[:-1] == [
        "http", "2026-11-21T12:00:00.012900Z", PLACE.balancer, "10.0.0.1:40310", "10.0.1.5:8001", "0.000", "0.012", "0.001", "200", "200",
        "310", "420", "GET http://www.example.com:80/a?b=c HTTP/1.1", "a ''b''\\x0a", "-", "-", "arn:tg", "Root=1-67891233-abc", "-", "-",
        "default", "2026-11-21T12:00:00.000100Z", "forward", "-", "-", "10.0.1.5:8001", "200", "-", "-",
    ]  # fmt: skip


def test_kinds_of_lines():
    assert line(request(status=101, target_status=101))[0] == "ws"
    assert line(request(status=101, target_status=101), secure=True)[0] == "wss"
    assert line(request(version="HTTP/2.0"), secure=True)[0] == "h2"
    secure = line(
        request(cipher="TLS_AES_128_GCM_SHA256", tls="TLSv1.3", sni="www.example.com"), secure=True, certificate="arn:c", port=443
    )
    assert [secure[0], *secure[14:16], *secure[18:20]] == ["https", "TLS_AES_128_GCM_SHA256", "TLSv1.3", "www.example.com", "arn:c"]


def test_the_name_of_a_file():
    end = datetime.datetime(2026, 11, 21, 12, 5, tzinfo=datetime.UTC)
    made = access_log.key(prefix="p", account="1", region="r", balancer="app/x/y", address="127.0.0.2", end=end, mark="abcd")
    assert made == "p/AWSLogs/1/elasticloadbalancing/r/2026/11/21/1_elasticloadbalancing_r_app.x.y_20261121T1205Z_127.0.0.2_abcd.log.gz"


class Delivered:
    """Remembers what would be delivered."""

    def __init__(self) -> None:
        self.data: list[dict[str, t.Any]] = []
        self.objects: dict[str, bytes] = {}

    async def metrics(self, namespace: str, data: list[dict[str, t.Any]]) -> None:
        assert namespace == "AWS/ApplicationELB"
        self.data += data

    async def object(self, bucket: str, key: str, body: bytes) -> None:
        self.objects[f"{bucket}/{key}"] = body


def test_a_minute_is_published_once_it_is_over_and_a_late_line_after_it(monkeypatch):
    from localcloud.services import elbv2_recorder as module

    delivered = Delivered()
    cloud: t.Any = types.SimpleNamespace(account_id="1", region="r")
    nothing: t.Any = None
    recorder = module.Recorder(cloud, nothing, nothing, t.cast("t.Any", delivered))
    view = module.View(PLACE.balancer, ("b", ""), "127.0.0.2", {"f1": (80, False, "")}, {"r1": "default"}, {}, 0.0)
    monkeypatch.setattr(recorder, "_view", lambda key: view)

    def requests() -> float:
        return sum(datum["Value"] for datum in delivered.data if datum["MetricName"] == "RequestCount")

    recorder.take(json.dumps(LINE).encode())
    minute = LINE["ended"] // 60_000_000 * 60
    for seconds, published in [(10, 0), (60.5, 0), (61.1, 1)]:
        asyncio.run(recorder.flush(now=minute + seconds, logs=False))
        assert requests() == published
    recorder.take(json.dumps(LINE).encode())
    asyncio.run(recorder.flush(now=minute + 62))
    assert requests() == 2
    assert {datum["Timestamp"] for datum in delivered.data} == {minute}
    (body,) = delivered.objects.values()
    assert len(gzip.decompress(body).decode().splitlines()) == 2
