"""The process's settings, read from environment variables; opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


class SettingsError(ValueError):
    """A setting is wrong; the message is one sentence for the operator."""


@dataclass(frozen=True)
class Settings:
    """Everything the process is told. Durations are seconds; `backend` has no slash at its end."""

    port: int
    backend: str
    version: str
    colour: str
    retry_for: float
    drain_delay: float
    websocket_spread: float
    shutdown_timeout: float


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check all settings. Raises SettingsError at the first wrong one."""
    return Settings(
        port=_port(environ),
        backend=_backend(environ),
        version=environ.get("APP_VERSION") or "dev",
        colour=environ.get("COLOUR") or "none",
        retry_for=_seconds(environ, "RETRY_FOR_S", 10.0),
        drain_delay=_seconds(environ, "DRAIN_DELAY_S", 1.0),
        websocket_spread=_seconds(environ, "WEBSOCKET_SPREAD_S", 3.0),
        shutdown_timeout=_seconds(environ, "SHUTDOWN_TIMEOUT_S", 10.0),
    )


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT") or "3000"
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise SettingsError(f"Cannot start: PORT is {text!r}; it must be a port number from 1 to 65535.")
    return int(text)


def _backend(environ: Mapping[str, str]) -> str:
    text = environ.get("BACKEND_URL") or "http://backend:8080"
    problem = SettingsError(f"Cannot start: BACKEND_URL is {text!r}; it must look like http://backend:8080.")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise problem from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.username:
        raise problem
    return f"{parts.scheme}://{parts.netloc}"


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 600:
        raise SettingsError(f"Cannot start: {name} is {text!r}; it must be a number of seconds from 0 to 600.")
    return value
