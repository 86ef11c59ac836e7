"""The process's settings, read from environment variables; reads no file and opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .faults import Faults, parse_faults

STORES = ("mysql", "postgresql", "dynamodb", "memory")
CACHES = ("redis", "valkey", "none")
_DEFAULT_DB_PORT = {"mysql": 3306, "postgresql": 5432}


class SettingsError(ValueError):
    """A setting is missing or wrong; the message is one sentence for the operator and holds no secret."""


@dataclass(frozen=True)
class Database:
    """Where a relational store is, and the account to use there."""

    host: str
    port: int
    name: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Tables:
    """DynamoDB tables: their names, and whether this process may create them (for a try-out; an environment owns its tables)."""

    messages: str
    user_counter: str
    create: bool


@dataclass(frozen=True)
class Cache:
    """Where Redis or Valkey is."""

    host: str
    port: int


@dataclass(frozen=True)
class Settings:
    """Everything the process is told. Durations are seconds."""

    port: int
    store: str
    database: Database | None
    tables: Tables | None
    cache: Cache | None
    version: str
    colour: str
    profile: str
    faults: Faults
    drain_delay: float
    websocket_max_age: float
    websocket_spread: float
    shutdown_timeout: float
    log_level: str


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check all settings. Raises SettingsError at the first wrong one, before anything is opened."""
    store = _choice(environ, "STORE", "mysql", STORES)
    cache = _choice(environ, "CACHE", "redis", CACHES)
    try:
        faults = parse_faults(environ.get("FAULTS", ""))
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return Settings(
        port=_port(environ, "PORT", 8080),
        store=store,
        database=_database(environ, store) if store in _DEFAULT_DB_PORT else None,
        tables=_tables(environ) if store == "dynamodb" else None,
        cache=None if cache == "none" else Cache(_needed(environ, "REDIS_HOST", f"CACHE={cache}"), _port(environ, "REDIS_PORT", 6379)),
        version=environ.get("APP_VERSION") or "dev",
        colour=environ.get("COLOUR") or "none",
        profile=environ.get("SPRING_PROFILES_ACTIVE") or "default",
        faults=faults,
        drain_delay=_seconds(environ, "DRAIN_DELAY_S", 1.0),
        websocket_max_age=_seconds(environ, "WEBSOCKET_MAX_AGE_S", 0.0, at_most=86400),
        websocket_spread=_seconds(environ, "WEBSOCKET_SPREAD_S", 3.0),
        shutdown_timeout=_seconds(environ, "SHUTDOWN_TIMEOUT_S", 10.0),
        log_level=_choice(environ, "LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
    )


def _database(environ: Mapping[str, str], store: str) -> Database:
    because = f"STORE={store}"
    return Database(
        host=_needed(environ, "DB_HOST", because),
        port=_port(environ, "DB_PORT", _DEFAULT_DB_PORT[store]),
        name=_needed(environ, "DB_NAME", because),
        username=_needed(environ, "DB_USERNAME", because),
        password=_needed(environ, "DB_PASSWORD", because),
    )


def _tables(environ: Mapping[str, str]) -> Tables:
    return Tables(
        messages=environ.get("TABLE_MESSAGES") or "messages",
        user_counter=environ.get("TABLE_USER_COUNTER") or "user-counter",
        create=_choice(environ, "CREATE_TABLES", "false", ("true", "false")) == "true",
    )


def _needed(environ: Mapping[str, str], name: str, because: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingsError(f"Cannot start: {name} is not set, and {because} needs it; set {name} in the environment.")
    return value


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = (environ.get(name) or default).lower()
    if value not in allowed:
        raise SettingsError(f"Cannot start: {name} is {value!r}; it must be one of {', '.join(allowed)}.")
    return value


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise SettingsError(f"Cannot start: {name} is {text!r}; it must be a port number from 1 to 65535.")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str, default: float, at_most: int = 600) -> float:
    text = environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= at_most:
        raise SettingsError(f"Cannot start: {name} is {text!r}; it must be a number of seconds from 0 to {at_most}.")
    return value
