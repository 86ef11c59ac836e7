# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the monitoring image's programs take from the machine."""

from __future__ import annotations

import pytest
from monitor import machine, prometheus


def test_the_machine_wide_settings_of_aws_and_the_proxy_are_taken(tmp_path):
    path = tmp_path / "environment"
    path.write_text(
        'PATH="/usr/bin"\nexport AWS_REGION=ap-northeast-2\nAWS_ENDPOINT_URL="http://10.0.0.1:4566"\n# AWS_X=1\nno_proxy=169.254.169.254\n'
    )
    assert machine.machine_wide(path) == {
        "AWS_REGION": "ap-northeast-2", "AWS_ENDPOINT_URL": "http://10.0.0.1:4566", "no_proxy": "169.254.169.254",
    }  # fmt: skip
    assert machine.machine_wide(tmp_path / "none") == {}


def test_the_containers_own_settings_win_and_a_region_has_both_names(tmp_path, monkeypatch):
    path = tmp_path / "environment"
    path.write_text("AWS_REGION=eu-west-1\nAWS_ENDPOINT_URL=http://machine\n")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "ap-northeast-2")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    machine.take_environment(path)
    assert machine.required("AWS_DEFAULT_REGION") == machine.required("AWS_REGION") == "ap-northeast-2"
    assert machine.endpoint("ec2") == "http://machine"
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://ec2")
    assert machine.endpoint("ec2") == "http://ec2"


def test_a_missing_setting_is_one_sentence(monkeypatch):
    monkeypatch.delenv("SNAPSHOT_BUCKET", raising=False)
    with pytest.raises(machine.WrongSetting, match="^Cannot start: SNAPSHOT_BUCKET is not set.$"):
        machine.required("SNAPSHOT_BUCKET")


def test_discovery_gets_the_endpoint_that_it_does_not_name_itself():
    configuration = {
        "scrape_configs": [
            {"job_name": "a", "ec2_sd_configs": [{"region": "x"}, {"region": "y", "endpoint": "http://own"}]},
            {"job_name": "b", "static_configs": []},
        ]
    }
    found = prometheus.with_endpoint(configuration, "http://endpoint")
    assert [entry["endpoint"] for entry in found["scrape_configs"][0]["ec2_sd_configs"]] == ["http://endpoint", "http://own"]
    assert prometheus.with_endpoint({"scrape_configs": [{"ec2_sd_configs": [{}]}]}, "") == {"scrape_configs": [{"ec2_sd_configs": [{}]}]}
