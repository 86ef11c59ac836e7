# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions, parameters, configuration files, changes and checks of RDS, without a server."""

from __future__ import annotations

import datetime

import pytest

from localcloud.services import rds_catalogue as catalogue
from localcloud.services import rds_changes as changes
from localcloud.services import rds_checks as checks
from localcloud.services import rds_config, rds_parameters
from localcloud.services.query_protocol import ApiError
from localcloud.services.rds_state import Instance, State
from localcloud.services.stores import ParameterGroup

NOW = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.UTC)  # a Saturday


def instance(**fields):
    known = {
        "id": "d", "resource_id": "db-X", "created": NOW, "secret": "s", "engine_version": "16.9", "instance_class": "db.t3.micro",
        "storage": 20, "storage_type": "gp2", "iops": None, "throughput": None, "master_username": "m", "password": None,
        "db_name": None, "port": 5432,
        "subnet_group": "g", "parameter_group": "default.postgres16", "security_group_ids": [], "maintenance_window": "sun:18:00-sun:18:30",
        "backup_window": "16:00-16:30", "backup_retention": 1,
    }  # fmt: skip
    return Instance(**{**known, **fields})


@pytest.mark.parametrize(
    ("asked", "version"),
    [(None, "17.6"), ("16", "16.10"), ("16.9", "16.9"), ("17.4", "17.4"), ("9.6", None), ("16.99", None), ("1", None)],
)
def test_versions(asked, version):
    assert catalogue.full_version(asked) == version


def test_upgrades_go_forward_only():
    assert catalogue.upgrade_targets("17.4") == ["17.5", "17.6"]
    assert "15.12" not in catalogue.upgrade_targets("16.8")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("gp2", 20, None, None), (None, None)),
        (("gp3", 20, None, None), (3000, 125)),
        (("gp3", 400, None, None), (12000, 500)),
        (("gp3", 400, 16000, 700), (16000, 700)),
        (("io1", 100, 1000, None), (1000, None)),
    ],
)
def test_performance_of_storage(arguments, wanted):
    assert catalogue.performance(*arguments) == wanted


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("64", 64),
        ("{DBInstanceClassMemory/9531392}", 2**30 // 9531392),
        ("LEAST({DBInstanceClassMemory/9531392},5000)", 112),
        ("GREATEST({DBInstanceClassMemory*1024/63963136},65536)", 65536),
        ("SUM({AllocatedStorage*10},-50)", 150),
    ],
)
def test_formulas(text, number):
    assert rds_parameters.evaluate(text, memory=2**30, storage=20) == number


@pytest.mark.parametrize("text", ["", "many", "{Memory/2}", "LEAST(1", "{DBInstanceClassMemory/0}"])
def test_formulas_that_are_none(text):
    with pytest.raises(ValueError):
        rds_parameters.evaluate(text, memory=2**30, storage=20)


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("max_connections", "100", True), ("max_connections", "5", False),
        ("max_connections", "LEAST({DBInstanceClassMemory/9531392},50)", True),
        ("max_connections", "many", False), ("log_statement", "ddl", True), ("log_statement", "some", False), ("rds.force_ssl", "0", True),
        ("rds.force_ssl", "off", False), ("shared_preload_libraries", "auto_explain,pg_stat_statements", True),
        ("shared_preload_libraries", "evil", False), ("random_page_cost", "1.1", True), ("random_page_cost", "-1", False),
        ("log_min_duration_statement", "-1", True), ("timezone", "Asia/Seoul", True),
    ],
)  # fmt: skip
def test_allowed_values(name, value, takes):
    assert rds_parameters.PARAMETERS[name].takes(value) is takes


def test_every_default_is_allowed_by_its_own_parameter():
    for name, parameter in rds_parameters.PARAMETERS.items():
        assert not parameter.default or parameter.takes(parameter.default), name


def test_what_the_server_is_told():
    settings = rds_parameters.server_settings("postgres16", {"work_mem": "8192", "rds.logical_replication": "1"}, memory=2**30, storage=20)
    assert settings["work_mem"] == "8192"
    assert settings["max_connections"] == "112"
    assert settings["shared_buffers"] == "32768"
    assert settings["wal_level"] == "logical"
    assert "rds.force_ssl" not in settings
    assert "lock_timeout" not in settings, "left to the engine"
    large = rds_parameters.server_settings("postgres16", {}, memory=2**35, storage=20)
    assert large["shared_buffers"] == str(rds_parameters.MOST_SHARED_BUFFERS)
    assert large["wal_level"] == "replica"


@pytest.mark.parametrize(("family", "value"), [("postgres14", "0"), ("postgres15", "1"), ("postgres17", "1")])
def test_encryption_is_forced_since_15(family, value):
    assert rds_parameters.value(family, {}, "rds.force_ssl") == value
    assert rds_parameters.value(family, {"rds.force_ssl": "0"}, "rds.force_ssl") == "0"


def test_settings_of_the_cloud_come_after_those_of_the_group():
    lines = rds_config.settings_file(port=5433, settings={"timezone": "it's", "log_statement": "all"}).splitlines()
    assert lines.index("log_statement = 'all'") < lines.index("port = '5433'")
    assert "timezone = 'it''s'" in lines
    assert lines[-1] == "include_if_exists = '/etc/database/commit.conf'"


def test_who_may_connect():
    lines = rds_config.access_file(force_ssl=True, peers=["10.0.1.5"]).splitlines()
    assert lines.index("host replication rdsadmin 10.0.1.5/32 scram-sha-256") < lines.index("hostnossl all all 0.0.0.0/0 reject")
    assert lines[-1] == "host all all 0.0.0.0/0 scram-sha-256"
    assert "reject" not in rds_config.access_file(force_ssl=False, peers=[])


@pytest.mark.parametrize(
    ("window", "moment", "inside"),
    [
        ("sat:11:30-sat:12:30", NOW, True),
        ("sat:12:00-sat:12:30", NOW, True),
        ("sat:11:30-sat:12:00", NOW, False),
        ("fri:23:00-sat:12:30", NOW, True),
        ("sun:23:30-mon:00:30", NOW.replace(day=23, hour=0, minute=10), True),
        ("sun:23:30-mon:00:30", NOW.replace(day=23, hour=0, minute=30), False),
    ],
)
def test_maintenance_window(window, moment, inside):
    assert changes.in_window(window, moment) is inside


def test_what_waits_and_what_does_not():
    found = instance()
    changes.postpone(found, changes.later(found, {"MultiAZ": True, "MasterUserPassword": "12345678"}), immediately=False)
    assert changes.due(found, NOW) == ["MasterUserPassword"]
    assert set(changes.due(found, NOW + datetime.timedelta(days=1, hours=6))) == {"MultiAZ", "MasterUserPassword"}
    changes.postpone(found, changes.later(found, {"DBInstanceClass": "db.t3.small"}), immediately=True)
    assert set(changes.due(found, NOW)) == {"MultiAZ", "MasterUserPassword", "DBInstanceClass"}, "with it, everything that waits"
    assert changes.apply(found, "MultiAZ") is True
    assert found.multi_az and "MultiAZ" not in found.pending


def test_a_change_back_ends_the_waiting():
    found = instance(multi_az=True)
    changes.postpone(found, changes.later(found, {"MultiAZ": False}), immediately=False)
    changes.withdraw(found, {"MultiAZ": True})
    assert found.pending == {}


def test_nothing_waits_that_is_so_already():
    found = instance()
    asked = {"DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, "MultiAZ": False, "EngineVersion": "16.9", "DBPortNumber": 5432}
    assert changes.later(found, asked) == {}


def test_larger_gp3_storage_has_more_of_everything():
    found = instance(storage_type="gp3", iops=3000, throughput=125)
    assert changes.later(found, {"AllocatedStorage": 500}) == {"AllocatedStorage": 500, "Iops": 12000, "StorageThroughput": 500}
    assert changes.later(found, {"AllocatedStorage": 20}) == {}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"AllocatedStorage": 19}, "Invalid storage size"),
        ({"AllocatedStorage": 21}, "by at least 10%"),
        ({"EngineVersion": "15.12", "AllowMajorVersionUpgrade": True}, "downgrades are not possible"),
        ({"EngineVersion": "17.6"}, "AllowMajorVersionUpgrade"),
        ({"DBInstanceClass": "db.x9.nano"}, "Invalid DB Instance class"),
    ],
)
def test_changes_that_cannot_be(members, words):
    with pytest.raises(ApiError, match=words):
        changes.later(instance(), members)


def test_a_larger_disk_cannot_become_smaller():
    with pytest.raises(ApiError, match="cannot be made smaller"):
        changes.later(instance(storage=40), {"AllocatedStorage": 20})


def test_parameter_group_of_another_family():
    state = State("ap-northeast-2", "1")
    for family in ("postgres16", "postgres17"):
        state.parameter_groups[f"default.{family}"] = ParameterGroup(f"default.{family}", family, "")
    assert changes.parameter_group(state, instance(), {}, "16.10").name == "default.postgres16"
    assert changes.parameter_group(state, instance(), {}, "17.6").name == "default.postgres17"
    with pytest.raises(ApiError, match="postgres16"):
        changes.parameter_group(state, instance(), {"DBParameterGroupName": "default.postgres17"}, "16.10")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1234567", "shorter than 8"), ("x" * 129, "longer than 128"), ("12345678/", "besides"), ('12345678"', "besides"),
        ("12345678@", "besides"), ("1234 5678", "besides"), ("12345678é", "besides"), ("", "must be provided"),
    ],
)  # fmt: skip
def test_passwords_that_are_refused(text, words):
    with pytest.raises(ApiError, match=words) as error:
        checks.password(text)
    assert error.value.code == "InvalidParameterValue"


def test_passwords_that_are_taken():
    for text in ("12345678", "x" * 128, "!#$%&'()*+,-.:;<=>?[]^_`{|}~"):
        assert checks.password(text) == text


@pytest.mark.parametrize("name", ["postgres-admin", "rdsadmin", "admin", "1st", "pg_me", ""])
def test_master_users_that_are_refused(name):
    with pytest.raises(ApiError):
        checks.master_username(name)


@pytest.mark.parametrize("name", ["", "1a", "a--b", "a-", "a_b", "x" * 64])
def test_identifiers_that_are_none(name):
    with pytest.raises(ApiError, match="not a valid identifier"):
        checks.identifier(name, "DBInstanceIdentifier", 63)
