# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters, configuration files and checks of ElastiCache, without a server."""

from __future__ import annotations

import pytest

from localcloud.services import elasticache_catalogue as catalogue
from localcloud.services import elasticache_checks as checks
from localcloud.services import elasticache_config, elasticache_parameters
from localcloud.services.query_protocol import ApiError


@pytest.mark.parametrize(
    ("engine", "asked", "version"),
    [
        ("redis", None, "7.1.0"), ("redis", "7.1", "7.1.0"), ("redis", "7", "7.1.0"), ("redis", "6.x", "6.2.6"), ("redis", "6.0", "6.0.5"),
        ("redis", "9.9", None), ("redis", "7.10", None), ("valkey", "8.0", "8.0.1"), ("valkey", "", "8.1.0"),
    ],
)  # fmt: skip
def test_versions(engine, asked, version):
    assert catalogue.full_version(engine, asked) == version


def test_memory_for_data_leaves_the_reserved_part():
    settings = elasticache_parameters.server_settings("redis7", {"maxmemory-policy": "allkeys-lru"}, "cache.t4g.micro")
    assert settings["maxmemory"] == str(536870912 * 75 // 100)
    assert settings["maxmemory-policy"] == "allkeys-lru"
    assert "reserved-memory-percent" not in settings
    assert "cluster-enabled" not in settings
    assert elasticache_parameters.server_settings("redis7", {"reserved-memory-percent": "0"}, "cache.t4g.micro")["maxmemory"] == "536870912"


def test_old_families_have_old_names_and_the_server_its_own():
    assert "hash-max-ziplist-entries" in elasticache_parameters.of_family("redis6.x")
    settings = elasticache_parameters.server_settings("redis6.x", {"hash-max-ziplist-entries": "7"}, "cache.t3.micro")
    assert settings["hash-max-listpack-entries"] == "7"


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("maxmemory-policy", "noeviction", True), ("maxmemory-policy", "none", False), ("timeout", "20", True), ("timeout", "-1", False),
        ("timeout", "x", False), ("list-max-listpack-size", "-5", True), ("list-max-listpack-size", "-6", False),
        ("notify-keyspace-events", "AKE", True), ("slowlog-log-slower-than", "-1", True),
    ],
)  # fmt: skip
def test_allowed_values(name, value, takes):
    assert elasticache_parameters.PARAMETERS[name].takes(value) is takes


def test_configuration_of_a_replica():
    text = elasticache_config.render(
        port=6379, secret="s3cret", tokens=[], settings={"timeout": "5"}, transit=False, primary=("10.0.1.4", 6379)
    )
    assert "user default reset on nopass ~* &* +@all -acl " in text
    assert "user localcloud-manager on >s3cret ~* &* +@all" in text
    assert text.splitlines()[-3:] == ["port 6379", 'timeout "5"', "replicaof 10.0.1.4 6379"]


def test_configuration_with_encryption_and_tokens():
    text = elasticache_config.render(port=6380, secret="s", tokens=["a" * 16, "b" * 16], settings={}, transit=True, primary=None)
    assert "port 0\ntls-port 6380\n" in text
    assert f"on >{'a' * 16} >{'b' * 16} ~*" in text
    assert "nopass" not in text
    assert "replicaof" not in text.replace("-replicaof", "")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: checks.identifier("1chat", "X", 40), "InvalidParameterValue"),
        (lambda: checks.identifier("a--b", "X", 40), "InvalidParameterValue"),
        (lambda: checks.identifier("a" * 41, "X", 40), "InvalidParameterValue"),
        (lambda: checks.failover(automatic=True, multi_az=False, nodes=1), "InvalidParameterCombination"),
        (lambda: checks.failover(automatic=False, multi_az=True, nodes=2), "InvalidParameterCombination"),
        (lambda: checks.number_of_nodes({"NumNodeGroups": 2}), "InvalidParameterValue"),
        (lambda: checks.number_of_nodes({"NumCacheClusters": 7}), "InvalidParameterValue"),
        (lambda: checks.number_of_nodes({"NumCacheClusters": 2, "ReplicasPerNodeGroup": 1}), "InvalidParameterCombination"),
        (lambda: checks.auth_token("a" * 16, transit=False), "InvalidParameterCombination"),
        (lambda: checks.auth_token("a" * 15, transit=True), "InvalidParameterValue"),
        (lambda: checks.auth_token("a" * 16 + "@", transit=True), "InvalidParameterValue"),
        (lambda: checks.windows({"PreferredMaintenanceWindow": "sunday"}), "InvalidParameterValue"),
        (lambda: checks.windows({"SnapshotRetentionLimit": 36}), "InvalidParameterValue"),
        (lambda: checks.tags_of({"Tags": [{"Key": "aws:x", "Value": ""}]}), "InvalidParameterValue"),
    ],
)
def test_refusals(call, code):
    with pytest.raises(ApiError) as caught:
        call()
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("members", "number"),
    [({}, 1), ({"NumCacheClusters": 3}, 3), ({"ReplicasPerNodeGroup": 1}, 2), ({"PreferredCacheClusterAZs": ["a", "b"]}, 2)],
)
def test_numbers_of_nodes(members, number):
    assert checks.number_of_nodes(members) == number
