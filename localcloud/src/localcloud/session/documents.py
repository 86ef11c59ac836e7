# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Session documents: the AWS-owned ones this cloud honours, and what a StartSession call becomes under one of them; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

PREFERENCES = "SSM-SessionManagerRunShell"

_INPUTS = {
    "s3BucketName": "",
    "s3KeyPrefix": "",
    "s3EncryptionEnabled": True,
    "cloudWatchLogGroupName": "",
    "cloudWatchEncryptionEnabled": True,
    "cloudWatchStreamingEnabled": False,
    "idleSessionTimeout": "20",
    "maxSessionDuration": "",
    "kmsKeyId": "",
    "runAsEnabled": False,
    "runAsDefaultUser": "",
    "shellProfile": {"windows": "", "linux": ""},
}

_PORT = {
    "type": "String",
    "allowedPattern": "^([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$",
}
_LOCAL_PORT = {"type": "String", "description": "Port number on the client", "allowedPattern": "^([0-9]{1,5})$", "default": "0"}
_SWITCH = {"type": "String", "allowedPattern": "^(true|false)$", "default": "false"}
_SEPARATOR = {"type": "String", "allowedPattern": "^[0-9a-zA-Z\\r\\n_:-]{0,30}$", "default": ""}
_COMMAND = {"type": "String", "description": "The command to run on the instance"}


def _port_document(description: str, extra: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    parameters = {"portNumber": {"description": "Port number on the instance", **_PORT}, **extra}
    return {
        "schemaVersion": "1.0",
        "description": description,
        "sessionType": "Port",
        "parameters": parameters,
        "properties": {"portNumber": "{{ portNumber }}", **properties},
    }


SESSION_DOCUMENTS: dict[str, dict[str, Any]] = {
    "AWS-StartInteractiveCommand": {
        "schemaVersion": "1.0",
        "description": "Document to run single interactive command on instance",
        "sessionType": "InteractiveCommands",
        "parameters": {"command": _COMMAND},
        "properties": {"linux": {"commands": "{{ command }}", "runAsElevated": False}},
    },
    "AWS-StartNonInteractiveCommand": {
        "schemaVersion": "1.0",
        "description": "Document to run single non-interactive command on instance",
        "sessionType": "NonInteractiveCommands",
        "parameters": {
            "command": _COMMAND,
            "separateOutputStream": _SWITCH,
            "stdoutSeparatorPrefix": _SEPARATOR,
            "stderrSeparatorPrefix": _SEPARATOR,
        },
        "properties": {
            "linux": {
                "commands": "{{ command }}",
                "runAsElevated": False,
                "separateOutputStream": "{{ separateOutputStream }}",
                "stdoutSeparatorPrefix": "{{ stdoutSeparatorPrefix }}",
                "stderrSeparatorPrefix": "{{ stderrSeparatorPrefix }}",
            }
        },
    },
    "AWS-StartSSHSession": _port_document(
        "Document to start ssh session with given instance", {"portNumber": {**_PORT, "default": "22"}}, {}
    ),
}


class DocumentError(Exception):
    """A call that a session document does not allow; `code` is the API's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Plan:
    """What the agent is to do in a session, and how long it may last (seconds, None for no limit)."""

    document_name: str
    content: dict[str, Any]
    parameters: dict[str, list[str]]
    idle_seconds: float
    duration_seconds: float | None


def default_preferences() -> dict[str, Any]:
    """The preferences of an account that has set none."""
    return {
        "schemaVersion": "1.0",
        "description": "Document to hold regional settings for Session Manager",
        "sessionType": "Standard_Stream",
        "inputs": {},
    }


def plan(name: str, document: dict[str, Any], preferences: dict[str, Any], parameters: dict[str, list[str]]) -> Plan:
    """Put parameters into a document; limits, key and user come from the document's own inputs or else the account's preferences.

    Raises DocumentError.
    """
    session_type = document.get("sessionType")
    if session_type not in ("Standard_Stream", "InteractiveCommands", "NonInteractiveCommands", "Port"):
        raise DocumentError("InvalidDocument", f"Document type of {name} is not supported for sessions.")
    values = _values(name, document.get("parameters") or {}, parameters)
    inputs = _INPUTS | (preferences.get("inputs") or {}) | (document.get("inputs") or {})
    content = {
        "schemaVersion": "1.0",
        "sessionType": session_type,
        "inputs": inputs,
        "parameters": document.get("parameters"),
        "properties": _fill(document.get("properties"), values),
    }
    duration = _minutes(inputs.get("maxSessionDuration"))
    return Plan(name, content, parameters, _minutes(inputs.get("idleSessionTimeout")) or 1200.0, duration)


def _values(name: str, declared: dict[str, Any], given: dict[str, list[str]]) -> dict[str, str]:
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise DocumentError("ValidationException", f"Parameters [{', '.join(unknown)}] are not defined in document {name}.")
    values = {}
    for key, definition in declared.items():
        if key in given:
            values[key] = " ".join(given[key])
        elif "default" in definition:
            values[key] = str(definition["default"])
        else:
            raise DocumentError("ValidationException", f"Parameter {key} is required by document {name}.")
        pattern = definition.get("allowedPattern")
        if pattern and not re.search(pattern, values[key]):
            raise DocumentError("ValidationException", f"Parameter {key} of document {name} must match {pattern}.")
    return values


def _fill(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if isinstance(value, str):
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: values.get(match[1], match[0]), value)
    return value


def _minutes(value: Any) -> float | None:
    text = str(value or "").strip()
    return float(text) * 60 if text.isdigit() and int(text) > 0 else None
