"""The backend's settings: what is read, and the one sentence for everything that is wrong."""

from __future__ import annotations

import pytest
from chat_backend.faults import Faults, parse_faults
from chat_backend.settings import SettingsError, load_settings

DATABASE = {"DB_HOST": "mysql", "DB_PORT": "3306", "DB_NAME": "popcon", "DB_USERNAME": "app", "DB_PASSWORD": "s3cret-value"}
POPCON = {
    **DATABASE,
    "SPRING_PROFILES_ACTIVE": "prod",
    "JAVA_OPTS": "-Xmx512m",
    "REDIS_HOST": "redis",
    "REDIS_PORT": "6379",
}


def test_the_team_s_variables_are_enough():
    settings = load_settings(POPCON)
    assert (settings.store, settings.database.host, settings.database.port) == ("mysql", "mysql", 3306)
    assert (settings.cache.host, settings.cache.port) == ("redis", 6379)
    assert (settings.profile, settings.version, settings.colour, settings.port) == ("prod", "dev", "none", 8080)
    assert settings.faults == Faults()


def test_the_password_is_in_no_representation():
    assert "s3cret-value" not in repr(load_settings(POPCON))


@pytest.mark.parametrize("store, port", [("mysql", 3306), ("postgresql", 5432)])
def test_a_store_has_its_port(store, port):
    given = {**DATABASE, "STORE": store, "CACHE": "none", "DB_PORT": ""}
    assert load_settings(given).database.port == port


def test_a_store_that_is_not_relational_needs_no_database():
    settings = load_settings({"STORE": "dynamodb", "CACHE": "valkey", "REDIS_HOST": "cache", "TABLE_MESSAGES": "chat-messages"})
    assert settings.database is None
    assert (settings.tables.messages, settings.tables.user_counter, settings.tables.create) == ("chat-messages", "user-counter", False)
    assert load_settings({"STORE": "memory", "CACHE": "none"}).cache is None


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"DB_HOST": ""}, "Cannot start: DB_HOST is not set, and STORE=mysql needs it; set DB_HOST in the environment."),
        ({"DB_PASSWORD": ""}, "Cannot start: DB_PASSWORD is not set, and STORE=mysql needs it; set DB_PASSWORD in the environment."),
        ({"REDIS_HOST": ""}, "Cannot start: REDIS_HOST is not set, and CACHE=redis needs it; set REDIS_HOST in the environment."),
        ({"DB_PORT": "abc"}, "Cannot start: DB_PORT is 'abc'; it must be a port number from 1 to 65535."),
        ({"REDIS_PORT": "70000"}, "Cannot start: REDIS_PORT is '70000'; it must be a port number from 1 to 65535."),
        ({"PORT": "²"}, "Cannot start: PORT is '²'; it must be a port number from 1 to 65535."),
        ({"STORE": "oracle"}, "Cannot start: STORE is 'oracle'; it must be one of mysql, postgresql, dynamodb, memory."),
        ({"CACHE": "memcached"}, "Cannot start: CACHE is 'memcached'; it must be one of redis, valkey, none."),
        ({"DRAIN_DELAY_S": "nan"}, "Cannot start: DRAIN_DELAY_S is 'nan'; it must be a number of seconds from 0 to 600."),
        ({"WEBSOCKET_MAX_AGE_S": "90000"}, "Cannot start: WEBSOCKET_MAX_AGE_S is '90000'; it must be a number of seconds from 0 to 86400."),
        (
            {"FAULTS": "slow"},
            "Cannot start: FAULTS names 'slow', which is unknown; known are error_rate, latency_ms, crash_after_s, never_healthy.",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence(change, sentence):
    with pytest.raises(SettingsError) as caught:
        load_settings({**POPCON, **change})
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "text, faults",
    [
        ("", Faults()),
        ("never_healthy", Faults(never_healthy=True)),
        (" error_rate=0.05 , latency_ms=200,", Faults(error_rate=0.05, latency_ms=200)),
        ("error_rate=1,latency_ms=0,never_healthy,crash_after_s=30", Faults(1, 0, True, 30)),
    ],
)
def test_faults(text, faults):
    assert parse_faults(text) == faults


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("error_rate=1.5", "Cannot start: FAULTS has error_rate=1.5; it must be a number from 0 to 1."),
        ("error_rate", "Cannot start: FAULTS has error_rate=; it must be a number from 0 to 1."),
        ("latency_ms=nan", "Cannot start: FAULTS has latency_ms=nan; it must be a number from 0 to 60000."),
        ("never_healthy=yes", "Cannot start: FAULTS has a value for never_healthy; it takes none."),
        ("latency_ms=1,latency_ms=2", "Cannot start: FAULTS names latency_ms twice; name it once."),
    ],
)
def test_wrong_faults(text, sentence):
    with pytest.raises(ValueError) as caught:
        parse_faults(text)
    assert str(caught.value) == sentence


def test_the_error_rate_is_a_share():
    faults = Faults(error_rate=0.25)
    assert sum(faults.fails(draw / 1000) for draw in range(1000)) == 250
    assert not any(Faults().fails(draw / 10) for draw in range(10))
    assert all(Faults(error_rate=1).fails(draw / 10) for draw in range(10))
