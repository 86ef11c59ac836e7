# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation of Systems Manager that is ours answers, good and bad: the table of cases, run by test_ssm_contract."""

from __future__ import annotations

import json
import time
import typing as t

import botocore

from .cases import Case

NOWHERE = "i-00000000000000000"
SESSION = {"schemaVersion": "1.0", "description": "x", "sessionType": "Standard_Stream", "inputs": {}}
COMMAND = {"schemaVersion": "2.2", "description": "x", "mainSteps": [{"action": "aws:runShellScript", "name": "a", "inputs": {}}]}
PATH_LEVELS = "/".join(["", *("abcdefghijklmnop")])


class World:
    """What a case acts on: a client, a node whose agent is connected, and a name that no other case uses."""

    def __init__(self, ssm: t.Any, node: str, name: str) -> None:
        self.ssm = ssm
        self.node = node
        self.name = name

    def call(self, operation: str, **members: t.Any) -> t.Any:
        """Call an operation by its API name."""
        return getattr(self.ssm, botocore.xform_name(operation))(**members)

    def parameter(self, **members: t.Any) -> str:
        """Put the case's parameter; returns its name."""
        self.ssm.put_parameter(**{"Name": f"/{self.name}/a", "Type": "String", "Value": "1", **members})
        return members.get("Name", f"/{self.name}/a")

    def document(self, content: dict[str, t.Any] = SESSION, kind: str = "Session") -> str:
        """Create the case's document; returns its name."""
        self.ssm.create_document(Name=self.name, DocumentType=kind, DocumentFormat="JSON", Content=json.dumps(content))
        return self.name

    def session(self) -> str:
        """Start a session; returns its id."""
        return self.ssm.start_session(Target=self.node)["SessionId"]

    def command(self, script: str = "echo out; echo err >&2; exit 3") -> str:
        """Send a command to the node; returns its id."""
        answer = self.ssm.send_command(DocumentName="AWS-RunShellScript", InstanceIds=[self.node], Parameters={"commands": [script]})
        return answer["Command"]["CommandId"]

    def ended_command(self) -> str:
        """Send a command and wait for its end, looking at every state that it passes through; returns its id."""
        command_id = self.command()
        deadline = time.monotonic() + 20
        while self.ssm.get_command_invocation(CommandId=command_id, InstanceId=self.node)["Status"] != "Failed":
            assert time.monotonic() < deadline, "the command did not end"
            time.sleep(0.05)
        return command_id


def _case(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    """A case that is one call with fixed members."""
    return Case(operation, name, lambda w: w.call(operation, **members), error)


def _put(name: str, error: str | None = None, **members: t.Any) -> Case:
    return Case("PutParameter", name, lambda w: w.parameter(**members), error)


def _tags(operation: str, **members: t.Any) -> list[Case]:
    return [
        Case(operation, "parameter", lambda w: w.call(operation, ResourceType="Parameter", ResourceId=w.parameter(), **members)),
        _case(operation, "absent", "InvalidResourceId", ResourceType="Parameter", ResourceId="/there/is/none", **members),
    ]


def _create_document(name: str, content: t.Any, error: str | None = None, kind: str = "Session") -> Case:
    text = content if isinstance(content, str) else json.dumps(content)
    return Case(
        "CreateDocument",
        name,
        lambda w: w.ssm.create_document(Name=w.name, DocumentType=kind, DocumentFormat="JSON", Content=text),
        error,
    )


def _update_document(name: str, content: t.Any, error: str | None = None) -> Case:
    return Case(
        "UpdateDocument",
        name,
        lambda w: w.ssm.update_document(Name=w.document(), Content=json.dumps(content), DocumentVersion="$LATEST"),
        error,
    )


PARAMETERS: list[Case] = [
    _put("new"),
    _put("secret", Type="SecureString"),
    _put("tags", Tags=[{"Key": "bluegreen:system", "Value": "x"}]),
    Case("PutParameter", "overwritten", lambda w: [w.parameter(), w.parameter(Overwrite=True, Value="2")]),
    Case("PutParameter", "twice", lambda w: [w.parameter(), w.parameter()], "ParameterAlreadyExists"),
    Case(
        "PutParameter",
        "another type",
        lambda w: [w.parameter(), w.parameter(Overwrite=True, Type="SecureString")],
        "HierarchyTypeMismatchException",
    ),
    _put("pattern", "ParameterPatternMismatchException", AllowedPattern="^[a-z]+$"),
    _put("too long", "ValidationException", Value="x" * 4097),
    _put("key absent", "InvalidKeyId", Type="SecureString", KeyId="alias/there-is-none"),
    _put("too deep", "HierarchyLevelLimitExceededException", Name=PATH_LEVELS),
    Case("GetParameter", "plain", lambda w: w.ssm.get_parameter(Name=w.parameter())),
    Case("GetParameter", "secret", lambda w: w.ssm.get_parameter(Name=w.parameter(Type="SecureString"), WithDecryption=True)),
    _case("GetParameter", "public", Name="/aws/service/debian/release/13/latest/amd64"),
    _case("GetParameter", "absent", "ParameterNotFound", Name="/there/is/none"),
    Case("GetParameters", "some", lambda w: w.ssm.get_parameters(Names=[w.parameter(), "/no"])["InvalidParameters"], None, ["/no"]),
    _case("GetParameters", "too many", "ValidationException", Names=[f"/x/{number}" for number in range(11)]),
    Case("GetParametersByPath", "some", lambda w: [w.parameter(), w.ssm.get_parameters_by_path(Path=f"/{w.name}", Recursive=True)]),
    _case("GetParametersByPath", "no path", "ValidationException", Path="relative"),
    _case("GetParametersByPath", "bad token", "InvalidNextToken", Path="/x", NextToken="nonsense"),
    Case("GetParameterHistory", "two", lambda w: [w.parameter(), w.ssm.get_parameter_history(Name=w.parameter(Overwrite=True))]),
    _case("GetParameterHistory", "absent", "ParameterNotFound", Name="/there/is/none"),
    Case("DeleteParameter", "one", lambda w: w.ssm.delete_parameter(Name=w.parameter())),
    _case("DeleteParameter", "absent", "ParameterNotFound", Name="/there/is/none"),
    Case("DeleteParameters", "some", lambda w: w.ssm.delete_parameters(Names=[w.parameter(), "/there/is/none"])),
    _case("DeleteParameters", "too many", "ValidationException", Names=[f"/x/{number}" for number in range(11)]),
    Case(
        "DescribeParameters",
        "some",
        lambda w: [
            w.parameter(Type="SecureString", Description="d"),
            w.ssm.describe_parameters(ParameterFilters=[{"Key": "Path", "Values": [f"/{w.name}"]}]),
        ],
    ),
    _case("DescribeParameters", "bad filter", "InvalidFilterKey", ParameterFilters=[{"Key": "Colour", "Values": ["red"]}]),
    *_tags("AddTagsToResource", Tags=[{"Key": "a", "Value": "b"}]),
    *_tags("RemoveTagsFromResource", TagKeys=["a"]),
    *_tags("ListTagsForResource"),
]

DOCUMENTS: list[Case] = [
    _create_document("session", SESSION),
    _create_document("command", COMMAND, kind="Command"),
    _create_document("no JSON", "nonsense", "InvalidDocumentContent"),
    _create_document("another schema", {"schemaVersion": "9"}, "InvalidDocumentSchemaVersion"),
    _create_document("too large", {**SESSION, "description": "x" * 65536}, "MaxDocumentSizeExceeded"),
    Case("CreateDocument", "twice", lambda w: [w.document(), w.document()], "DocumentAlreadyExists"),
    _case("ListDocuments", "all"),
    _case("ListDocuments", "filtered", Filters=[{"Key": "Owner", "Values": ["Amazon"]}]),
    _case("ListDocuments", "bad filter", "InvalidFilterKey", Filters=[{"Key": "Colour", "Values": ["red"]}]),
    _case("DescribeDocument", "AWS's", Name="AWS-RunShellScript"),
    _case("DescribeDocument", "absent", "InvalidDocument", Name="there-is-none"),
    _case("DescribeDocument", "version absent", "InvalidDocumentVersion", Name="AWS-RunShellScript", DocumentVersion="77"),
    Case("GetDocument", "own", lambda w: w.ssm.get_document(Name=w.document())),
    _case("GetDocument", "absent", "InvalidDocument", Name="there-is-none"),
    _update_document("new", {**SESSION, "description": "y"}),
    _update_document("the same", SESSION, "DuplicateDocumentContent"),
    _update_document("another schema", {"schemaVersion": "9"}, "InvalidDocumentSchemaVersion"),
    Case("UpdateDocumentDefaultVersion", "first", lambda w: w.ssm.update_document_default_version(Name=w.document(), DocumentVersion="1")),
    _case("UpdateDocumentDefaultVersion", "absent", "InvalidDocument", Name="there-is-none", DocumentVersion="1"),
    Case("DeleteDocument", "own", lambda w: w.ssm.delete_document(Name=w.document())),
    _case("DeleteDocument", "absent", "InvalidDocument", Name="there-is-none"),
    _case("DeleteDocument", "AWS's", "InvalidDocumentOperation", Name="AWS-RunShellScript"),
]

COMMANDS: list[Case] = [
    _case("DescribeInstanceInformation", "all"),
    _case("DescribeInstanceInformation", "bad filter", "InvalidFilterKey", Filters=[{"Key": "Colour", "Values": ["red"]}]),
    Case("SendCommand", "one", World.command),
    _case(
        "SendCommand",
        "no node",
        "InvalidInstanceId",
        DocumentName="AWS-RunShellScript",
        InstanceIds=[NOWHERE],
        Parameters={"commands": ["true"]},
    ),
    Case(
        "SendCommand",
        "no document",
        lambda w: w.ssm.send_command(DocumentName="AWS-There-Is-None", InstanceIds=[w.node]),
        "InvalidDocument",
    ),
    Case(
        "SendCommand",
        "no commands",
        lambda w: w.ssm.send_command(DocumentName="AWS-RunShellScript", InstanceIds=[w.node], Parameters={"colour": ["red"]}),
        "InvalidParameters",
    ),
    Case("GetCommandInvocation", "ended", World.ended_command),
    Case(
        "GetCommandInvocation",
        "absent",
        lambda w: w.ssm.get_command_invocation(CommandId="00000000-0000-0000-0000-000000000000", InstanceId=w.node),
        "InvocationDoesNotExist",
    ),
    Case("ListCommands", "one", lambda w: w.ssm.list_commands(CommandId=w.ended_command())),
    _case("ListCommands", "bad token", "InvalidNextToken", NextToken="nonsense"),
    Case("ListCommandInvocations", "one", lambda w: w.ssm.list_command_invocations(CommandId=w.ended_command(), Details=True)),
    _case("ListCommandInvocations", "bad token", "InvalidNextToken", NextToken="nonsense"),
    Case("CancelCommand", "running", lambda w: w.ssm.cancel_command(CommandId=w.command("sleep 30"))),
    _case("CancelCommand", "absent", "InvalidCommandId", CommandId="00000000-0000-0000-0000-000000000000"),
]

SESSIONS: list[Case] = [
    Case("StartSession", "shell", World.session),
    _case("StartSession", "no node", "TargetNotConnected", Target=NOWHERE),
    Case("StartSession", "no document", lambda w: w.ssm.start_session(Target=w.node, DocumentName="there-is-none"), "InvalidDocument"),
    Case("ResumeSession", "open", lambda w: w.ssm.resume_session(SessionId=w.session())),
    _case("ResumeSession", "absent", "DoesNotExistException", SessionId="nobody-0123456789abcdef0"),
    Case("TerminateSession", "open", lambda w: w.ssm.terminate_session(SessionId=w.session())),
    Case("DescribeSessions", "active", lambda w: [w.session(), w.ssm.describe_sessions(State="Active")]),
    Case(
        "DescribeSessions",
        "history",
        lambda w: [w.ssm.terminate_session(SessionId=w.session()), w.ssm.describe_sessions(State="History")],
    ),
    _case("DescribeSessions", "bad token", "InvalidNextToken", State="Active", NextToken="nonsense"),
    Case("GetConnectionStatus", "connected", lambda w: w.ssm.get_connection_status(Target=w.node)["Status"], None, "connected"),
    Case("GetConnectionStatus", "not", lambda w: w.ssm.get_connection_status(Target=NOWHERE)["Status"], None, "notconnected"),
]

CASES: list[Case] = [*PARAMETERS, *DOCUMENTS, *COMMANDS, *SESSIONS]
CANNOT_FAIL = frozenset({"TerminateSession", "GetConnectionStatus"})
"""A session that does not exist has ended, and a target that does not exist is not connected."""
