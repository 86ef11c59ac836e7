# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Systems Manager documents: the AWS-owned ones this cloud honours, and those that the account creates; kept in memory."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import typing as t
from dataclasses import dataclass, field

from ..session.answers import ApiError, paginate
from ..session.documents import SESSION_DOCUMENTS

RUN_SHELL_SCRIPT = "AWS-RunShellScript"

_RUN_SHELL_SCRIPT = {
    "schemaVersion": "1.2",
    "description": "Run a shell script or specify the commands to run.",
    "parameters": {
        "commands": {"type": "StringList", "description": "(Required) Specify a shell script or a command to run.", "minItems": 1},
        "workingDirectory": {
            "type": "String",
            "default": "",
            "description": "(Optional) The path to the working directory on your instance.",
        },
        "executionTimeout": {
            "type": "String",
            "default": "3600",
            "description": "(Optional) The time in seconds for a command to complete before it is considered to have failed.",
        },
    },
    "runtimeConfig": {"aws:runShellScript": {"properties": [{"id": "0.aws:runShellScript", "runCommand": "{{ commands }}"}]}},
}

_NAME = re.compile(r"[a-zA-Z0-9_\-.]{3,128}")
_LARGEST = 64 * 1024
_VERSIONS = 1000


@dataclass
class _Version:
    content: str
    created: float
    name: str = ""

    @property
    def body(self) -> dict[str, t.Any]:
        return json.loads(self.content)


@dataclass
class _Document:
    name: str
    type: str
    owner: str
    versions: list[_Version] = field(default_factory=list)
    default: int = 1
    tags: list[dict[str, str]] = field(default_factory=list)


class Documents:
    """All documents of one cloud's account."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        created = datetime.datetime(2018, 3, 1, tzinfo=datetime.UTC).timestamp()
        self._documents: dict[str, _Document] = {}
        for name, body in [*SESSION_DOCUMENTS.items(), (RUN_SHELL_SCRIPT, _RUN_SHELL_SCRIPT)]:
            kind = "Session" if name in SESSION_DOCUMENTS else "Command"
            self._documents[name] = _Document(name, kind, "Amazon", [_Version(json.dumps(body, indent=2), created)])
        self.operations: dict[str, t.Callable[[dict[str, t.Any]], dict[str, t.Any]]] = {
            "ListDocuments": self.list,
            "DescribeDocument": self.describe,
            "GetDocument": self.get,
            "CreateDocument": self.create,
            "UpdateDocument": self.update,
            "UpdateDocumentDefaultVersion": self.update_default,
            "DeleteDocument": self.delete,
        }

    def session_content(self, name: str) -> dict[str, t.Any] | None:
        """The default version of a session document, or None."""
        document = self._documents.get(name)
        return document.versions[document.default - 1].body if document is not None and document.type == "Session" else None

    def list(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """ListDocuments."""
        filters = [(item["Key"], item.get("Values") or []) for item in body.get("Filters") or []]
        filters += [(item["key"], [item["value"]]) for item in body.get("DocumentFilterList") or []]
        chosen = [item for item in self._documents.values() if all(self._matches(item, key, values) for key, values in filters)]
        chosen.sort(key=lambda item: item.name)
        page, token = paginate(chosen, body, 50)
        return {"DocumentIdentifiers": [self._identifier(item) for item in page], **token}

    def describe(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """DescribeDocument."""
        document, number = self._find(body)
        return {"Document": self._description(document, number)}

    def get(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """GetDocument."""
        if body.get("DocumentFormat", "JSON") != "JSON":
            raise ApiError("InvalidDocument", "Only the format JSON is served here.")
        document, number = self._find(body)
        version = document.versions[number - 1]
        answer = {
            "Name": document.name,
            "CreatedDate": version.created,
            "DocumentVersion": str(number),
            "Status": "Active",
            "Content": version.content,
            "DocumentType": document.type,
            "DocumentFormat": "JSON",
        }
        return answer | ({"VersionName": version.name} if version.name else {})

    def create(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """CreateDocument, for session and command documents in JSON."""
        name = str(body.get("Name") or "")
        if not _NAME.fullmatch(name):
            raise ApiError(
                "ValidationException", f"Value '{name}' at 'name' failed to satisfy constraint: pattern ^[a-zA-Z0-9_\\-.]{{3,128}}$"
            )
        if re.match(r"(?i)aws-|amazon", name):
            raise ApiError("ValidationException", "Document names can't start with a reserved prefix: aws-, amazon.")
        if name in self._documents:
            raise ApiError("DocumentAlreadyExists", "The specified document already exists.")
        kind = str(body.get("DocumentType") or "Command")
        content = self._checked(body, kind)
        document = _Document(name, kind, self._account_id, [_Version(content, _now(), str(body.get("VersionName") or ""))])
        document.tags = list(body.get("Tags") or [])
        self._documents[name] = document
        return {"DocumentDescription": self._description(document, 1)}

    def update(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """UpdateDocument: a new version, which does not become the default one."""
        wanted = str(body.get("DocumentVersion") or "$LATEST")
        document, number = self._find({"Name": body.get("Name"), "DocumentVersion": wanted})
        self._check_own(document)
        if number != len(document.versions):
            raise ApiError(
                "InvalidDocumentVersion", "The document version isn't valid or doesn't exist: only the latest one can be updated."
            )
        content = self._checked(body, document.type)
        if any(json.loads(content) == version.body for version in document.versions):
            raise ApiError("DuplicateDocumentContent", "The content of the association document matches another document.")
        if len(document.versions) >= _VERSIONS:
            raise ApiError(
                "DocumentVersionLimitExceeded", "The document has too many versions. Delete one or more document versions and try again."
            )
        document.versions.append(_Version(content, _now(), str(body.get("VersionName") or "")))
        return {"DocumentDescription": self._description(document, len(document.versions))}

    def update_default(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """UpdateDocumentDefaultVersion."""
        document, number = self._find(body)
        self._check_own(document)
        document.default = number
        return {"Description": {"Name": document.name, "DefaultVersion": str(number)}}

    def delete(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """DeleteDocument."""
        document, _ = self._find({"Name": body.get("Name")})
        self._check_own(document)
        del self._documents[document.name]
        return {}

    def _find(self, body: dict[str, t.Any]) -> tuple[_Document, int]:
        name = str(body.get("Name") or "").rpartition("/")[2]
        document = self._documents.get(name)
        if document is None:
            raise ApiError("InvalidDocument", f"Document with name {name} does not exist.")
        wanted = str(body.get("DocumentVersion") or "$DEFAULT")
        number = {"$DEFAULT": document.default, "$LATEST": len(document.versions)}.get(wanted, int(wanted) if wanted.isdigit() else 0)
        if not 1 <= number <= len(document.versions):
            raise ApiError("InvalidDocumentVersion", f"Document version {wanted} is not valid for document {name}.")
        return document, number

    @staticmethod
    def _check_own(document: _Document) -> None:
        if document.owner == "Amazon":
            raise ApiError("InvalidDocumentOperation", f"You attempted to change {document.name}, which Amazon owns.")

    @staticmethod
    def _checked(body: dict[str, t.Any], kind: str) -> str:
        content = str(body.get("Content") or "")
        if len(content.encode()) > _LARGEST:
            raise ApiError("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
        if body.get("DocumentFormat", "JSON") != "JSON":
            raise ApiError("InvalidDocumentContent", "Only documents in JSON are accepted here.")
        try:
            parsed = json.loads(content)
        except ValueError as error:
            raise ApiError("InvalidDocumentContent", f"The content for the document isn't valid: {error}") from None
        if not isinstance(parsed, dict):
            raise ApiError("InvalidDocumentContent", "The content for the document isn't valid: it is not an object.")
        versions = {"Session": ("1.0",), "Command": ("1.2", "2.0", "2.2")}.get(kind)
        if versions is None:
            raise ApiError("InvalidDocumentContent", f"Documents of type {kind} are not accepted here, only Session and Command.")
        if parsed.get("schemaVersion") not in versions:
            raise ApiError(
                "InvalidDocumentSchemaVersion", f"The version of the document schema isn't supported: {parsed.get('schemaVersion')}."
            )
        if kind == "Session" and parsed.get("sessionType") not in (
            "Standard_Stream",
            "InteractiveCommands",
            "NonInteractiveCommands",
            "Port",
        ):
            raise ApiError("InvalidDocumentContent", "The content for the document isn't valid: sessionType is missing or unknown.")
        return content

    def _matches(self, document: _Document, key: str, values: t.Iterable[str]) -> bool:
        values = list(values)
        if key == "Owner":
            owners = {"Amazon": "Amazon", "Self": self._account_id, "All": document.owner, "Private": self._account_id}
            return any(owners.get(value, value) == document.owner for value in values)
        if key == "Name":
            return any(document.name.startswith(value) for value in values)
        if key == "DocumentType":
            return document.type in values
        if key == "PlatformTypes":
            return "Linux" in values
        if key.startswith("tag:"):
            return any(tag["Key"] == key[4:] and tag["Value"] in values for tag in document.tags)
        raise ApiError("InvalidFilterKey", f"The specified filter key isn't valid: {key}.")

    @staticmethod
    def _identifier(document: _Document) -> dict[str, t.Any]:
        version = document.versions[document.default - 1]
        return {
            "Name": document.name,
            "CreatedDate": version.created,
            "Owner": document.owner,
            "PlatformTypes": ["Linux"],
            "DocumentVersion": str(document.default),
            "DocumentType": document.type,
            "SchemaVersion": version.body["schemaVersion"],
            "DocumentFormat": "JSON",
            "Tags": document.tags,
        }

    @staticmethod
    def _description(document: _Document, number: int) -> dict[str, t.Any]:
        version = document.versions[number - 1]
        parameters = [
            {"Name": name, "Type": definition.get("type", "String")}
            | ({"Description": definition["description"]} if definition.get("description") else {})
            | ({"DefaultValue": str(definition["default"])} if "default" in definition else {})
            for name, definition in (version.body.get("parameters") or {}).items()
        ]
        return {
            "Hash": hashlib.sha256(version.content.encode()).hexdigest(),
            "HashType": "Sha256",
            "Name": document.name,
            "Owner": document.owner,
            "CreatedDate": version.created,
            "Status": "Active",
            "DocumentVersion": str(number),
            "Description": str(version.body.get("description") or ""),
            "Parameters": parameters,
            "PlatformTypes": ["Linux"],
            "DocumentType": document.type,
            "SchemaVersion": version.body["schemaVersion"],
            "LatestVersion": str(len(document.versions)),
            "DefaultVersion": str(document.default),
            "DocumentFormat": "JSON",
            "Tags": document.tags,
        }


def _now() -> float:
    return datetime.datetime.now(datetime.UTC).timestamp()
