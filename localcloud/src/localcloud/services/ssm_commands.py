# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Command: commands and their invocations as records with states; how an order reaches an agent is handed in, the clock too."""

from __future__ import annotations

import datetime
import typing as t
import uuid
from dataclasses import dataclass, field

from ..session.answers import ApiError, paginate
from .ssm_documents import RUN_SHELL_SCRIPT

PLUGIN = "aws:runShellScript"
STDOUT_LIMIT = 24_000
STDERR_LIMIT = 8_000
DETAILS_LIMIT = 2_500
DELIVERY_SECONDS = 3600
EXECUTION_SECONDS = 3600
LOST_GRACE_SECONDS = 60
_LONGEST_EXECUTION = 172_800
_KEPT = 1000

Dict = dict[str, t.Any]
Send = t.Callable[[str, str, Dict], bool]
"""`(instance id, job id, content)` → whether the agent is connected and the order on its way."""

ENDED = frozenset({"Success", "Failed", "Cancelled", "TimedOut"})


@dataclass
class Invocation:
    """One command on one instance. Dates are UTC, `code` is -1 until the script has ended."""

    job_id: str
    instance_id: str
    instance_name: str
    requested: datetime.datetime
    ordered: bool = False
    status: str = "Pending"
    details: str = "Pending"
    code: int = -1
    out: str = ""
    err: str = ""
    started: datetime.datetime | None = None
    ended: datetime.datetime | None = None
    elapsed: float = 0.0

    def end(self, status: str, details: str, now: datetime.datetime) -> None:
        """Reach a final state."""
        self.status, self.details, self.ended = status, details, now


@dataclass
class Command:
    """One command; `delivery` and `execution` in seconds. At most `concurrency` invocations at a time, none after more than `errors`."""

    id: str
    body: Dict
    parameters: dict[str, list[str]]
    requested: datetime.datetime
    delivery: int
    execution: int
    concurrency: int
    errors: int
    invocations: list[Invocation] = field(default_factory=list)

    @property
    def status(self) -> tuple[str, str]:
        """The state of the whole, and its details."""
        states = [item.status for item in self.invocations]
        if not states:
            return "Failed", "NoInstancesInTag"
        if all(state == "Pending" for state in states):
            return "Pending", "Pending"
        if any(state == "Cancelling" for state in states):
            return "Cancelling", "Cancelling"
        if not ENDED.issuperset(states):
            return "InProgress", "InProgress"
        for worst in ("Failed", "TimedOut", "Cancelled"):
            found = next((item for item in self.invocations if item.status == worst), None)
            if found is not None:
                return worst, found.details
        return "Success", "Success"


class Commands:
    """All commands of one cloud. Raises ApiError for what the API refuses."""

    def __init__(self, send: Send, now: t.Callable[[], datetime.datetime]) -> None:
        self._send = send
        self._now = now
        self._commands: dict[str, Command] = {}
        self._jobs: dict[str, tuple[Command, Invocation]] = {}

    # -- operations

    def send(self, body: Dict, targets: list[tuple[str, str]]) -> Dict:
        """SendCommand to `(instance id, name)` pairs that the caller has resolved."""
        name = str(body.get("DocumentName") or "").rpartition("/")[2]
        if name != RUN_SHELL_SCRIPT:
            raise ApiError("InvalidDocument", f"Document {name} does not exist or cannot be run here; {RUN_SHELL_SCRIPT} can.")
        if body.get("DocumentVersion") not in (None, "", "1", "$DEFAULT", "$LATEST"):
            raise ApiError("InvalidDocumentVersion", f"Document version {body['DocumentVersion']} is not valid for document {name}.")
        parameters = body.get("Parameters") or {}
        execution = _check_parameters(parameters)
        requested = self._now()
        delivery = int(body.get("TimeoutSeconds") or DELIVERY_SECONDS)
        concurrency = _share(body.get("MaxConcurrency") or "50", len(targets))
        errors = _share(body.get("MaxErrors") or "0", len(targets))
        command = Command(
            str(uuid.uuid4()), body | {"DocumentName": name}, parameters, requested, delivery, execution, max(1, concurrency), errors
        )
        self._commands[command.id] = command
        while len(self._commands) > _KEPT:
            self._forget(next(iter(self._commands)))
        for instance_id, instance_name in targets:
            invocation = Invocation(str(uuid.uuid4()), instance_id, instance_name, requested)
            command.invocations.append(invocation)
            self._jobs[invocation.job_id] = (command, invocation)
        answer = {"Command": self._describe(command)}
        self._advance(command)
        return answer

    def list(self, body: Dict) -> Dict:
        """ListCommands."""
        chosen = [item for item in self._commands.values() if body.get("CommandId") in (None, item.id)]
        if body.get("InstanceId"):
            chosen = [item for item in chosen if any(one.instance_id == body["InstanceId"] for one in item.invocations)]
        chosen = [item for item in chosen if _passes(body, item, item.status[0])]
        chosen.sort(key=lambda item: item.requested, reverse=True)
        page, token = paginate(chosen, body, 50)
        return {"Commands": [self._describe(item) for item in page], **token}

    def list_invocations(self, body: Dict) -> Dict:
        """ListCommandInvocations."""
        pairs = [(command, one) for command in self._commands.values() for one in command.invocations]
        pairs = [(command, one) for command, one in pairs if body.get("CommandId") in (None, command.id)]
        pairs = [(command, one) for command, one in pairs if body.get("InstanceId") in (None, one.instance_id)]
        pairs = [(command, one) for command, one in pairs if _passes(body, command, one.status)]
        pairs.sort(key=lambda pair: pair[0].requested, reverse=True)
        page, token = paginate(pairs, body, 50)
        return {"CommandInvocations": [self._describe_invocation(*pair, details=bool(body.get("Details"))) for pair in page], **token}

    def get_invocation(self, body: Dict) -> Dict:
        """GetCommandInvocation."""
        command = self._commands.get(str(body.get("CommandId")))
        found = next((one for one in command.invocations if one.instance_id == body.get("InstanceId")), None) if command else None
        if command is None or found is None:
            raise ApiError("InvocationDoesNotExist", "The command ID and managed node ID you specified didn't match any invocations.")
        if body.get("PluginName") not in (None, PLUGIN):
            raise ApiError("InvalidPluginName", "The plugin name isn't valid.")
        return {
            "CommandId": command.id,
            "InstanceId": found.instance_id,
            "Comment": str(command.body.get("Comment") or ""),
            "DocumentName": command.body["DocumentName"],
            "DocumentVersion": str(command.body.get("DocumentVersion") or "$DEFAULT"),
            "PluginName": PLUGIN,
            "ResponseCode": found.code,
            "ExecutionStartDateTime": _text(found.started),
            "ExecutionElapsedTime": f"PT{found.elapsed:g}S" if found.started else "",
            "ExecutionEndDateTime": _text(found.ended) if found.started else "",
            "Status": found.status,
            "StatusDetails": found.details,
            "StandardOutputContent": found.out[:STDOUT_LIMIT],
            "StandardOutputUrl": "",
            "StandardErrorContent": found.err[:STDERR_LIMIT],
            "StandardErrorUrl": "",
            "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
        }

    def cancel(self, body: Dict) -> Dict:
        """CancelCommand: what has not begun never will; what runs is asked to end."""
        command = self._commands.get(str(body.get("CommandId")))
        if command is None:
            raise ApiError("InvalidCommandId", "The specified command ID isn't valid. Verify the ID and try again.")
        only = body.get("InstanceIds") or []
        if len(set(only)) != len(only):
            raise ApiError("DuplicateInstanceId", "You can't specify a managed node ID in more than one association.")
        for invocation in command.invocations:
            if (only and invocation.instance_id not in only) or invocation.status in ENDED:
                continue
            if invocation.status == "Pending":
                invocation.end("Cancelled", "Cancelled", self._now())
            else:
                invocation.status = invocation.details = "Cancelling"
            self._send(invocation.instance_id, invocation.job_id, {"Cancel": True})
        self._advance(command)
        return {}

    # -- what agents say

    def acknowledged(self, job_id: str) -> None:
        """The agent has begun."""
        _, invocation = self._jobs.get(job_id, (None, None))
        if invocation is not None and invocation.status == "Pending":
            invocation.status = invocation.details = "InProgress"
            invocation.started = self._now()

    def replied(self, job_id: str, result: Dict) -> None:
        """The script has ended."""
        command, invocation = self._jobs.get(job_id, (None, None))
        if command is None or invocation is None or invocation.status in ENDED:
            return
        invocation.code = int(result.get("ResponseCode", -1))
        invocation.out = str(result.get("StandardOutput") or "")
        invocation.err = str(result.get("StandardError") or "")
        invocation.elapsed = float(result.get("ExecutionElapsedSeconds") or 0.0)
        invocation.started = datetime.datetime.fromisoformat(result["ExecutionStartDateTime"])
        status = str(result.get("Status"))
        details = {"TimedOut": "ExecutionTimedOut"}.get(status, status)
        invocation.end(status if status in ENDED else "Failed", details, datetime.datetime.fromisoformat(result["ExecutionEndDateTime"]))
        self._advance(command)

    def connected(self, instance_id: str) -> None:
        """An agent is back: give it what waits for it."""
        for command, invocation in list(self._jobs.values()):
            if invocation.instance_id == instance_id and invocation.status == "Pending" and invocation.ordered:
                self._order(command, invocation)

    def tick(self) -> None:
        """End what was not delivered in time, and what an agent that went away will never report."""
        now = self._now()
        for command, invocation in list(self._jobs.values()):
            if invocation.status == "Pending" and (now - invocation.requested).total_seconds() > command.delivery:
                invocation.end("TimedOut", "DeliveryTimedOut", now)
                self._advance(command)
            elif invocation.status in ("InProgress", "Cancelling") and _lasts(invocation, now) > command.execution + LOST_GRACE_SECONDS:
                invocation.end("TimedOut", "ExecutionTimedOut", now)
                self._advance(command)

    def instance_gone(self, instance_id: str) -> None:
        """A terminated instance gets nothing any more."""
        for command, invocation in list(self._jobs.values()):
            if invocation.instance_id == instance_id and invocation.status not in ENDED:
                invocation.end("Failed", "Undeliverable" if invocation.status == "Pending" else "Terminated", self._now())
                self._advance(command)

    def waiting(self) -> set[str]:
        """Instances that have an invocation without an end."""
        return {one.instance_id for _, one in self._jobs.values() if one.status not in ENDED}

    # -- shapes

    def _advance(self, command: Command) -> None:
        """Give orders to as many instances as may run at a time; to no further ones once there were too many errors."""
        failed = sum(item.status in ("Failed", "TimedOut") for item in command.invocations)
        waiting = [item for item in command.invocations if item.status == "Pending" and not item.ordered]
        if failed > command.errors:
            for invocation in waiting:
                invocation.end("Cancelled", "Terminated", self._now())
            return
        running = sum(item.ordered and item.status not in ENDED for item in command.invocations)
        for invocation in waiting[: command.concurrency - running]:
            invocation.ordered = True
            self._order(command, invocation)

    def _order(self, command: Command, invocation: Invocation) -> None:
        content = {
            "CommandId": command.id,
            "Commands": command.parameters["commands"],
            "WorkingDirectory": _first(command.parameters, "workingDirectory"),
            "ExecutionTimeout": command.execution,
        }
        self._send(invocation.instance_id, invocation.job_id, content)

    def _forget(self, command_id: str) -> None:
        for invocation in self._commands.pop(command_id).invocations:
            self._jobs.pop(invocation.job_id, None)

    def _describe(self, command: Command) -> Dict:
        status, details = command.status
        body = command.body
        ended = [item for item in command.invocations if item.status in ENDED]
        return {
            "CommandId": command.id,
            "DocumentName": body["DocumentName"],
            "DocumentVersion": str(body.get("DocumentVersion") or "$DEFAULT"),
            "Comment": str(body.get("Comment") or ""),
            "ExpiresAfter": (command.requested + datetime.timedelta(seconds=command.delivery + command.execution)).timestamp(),
            "Parameters": command.parameters,
            "InstanceIds": body.get("InstanceIds") or [],
            "Targets": body.get("Targets") or [],
            "RequestedDateTime": command.requested.timestamp(),
            "Status": status,
            "StatusDetails": details,
            "OutputS3BucketName": "",
            "OutputS3KeyPrefix": "",
            "MaxConcurrency": str(body.get("MaxConcurrency") or "50"),
            "MaxErrors": str(body.get("MaxErrors") or "0"),
            "TargetCount": len(command.invocations),
            "CompletedCount": len(ended),
            "ErrorCount": sum(item.status in ("Failed", "TimedOut") for item in ended),
            "DeliveryTimedOutCount": sum(item.details == "DeliveryTimedOut" for item in ended),
            "ServiceRole": str(body.get("ServiceRoleArn") or ""),
            "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
            "TimeoutSeconds": command.delivery,
        }

    @staticmethod
    def _describe_invocation(command: Command, invocation: Invocation, *, details: bool) -> Dict:
        answer: Dict = {
            "CommandId": command.id,
            "InstanceId": invocation.instance_id,
            "InstanceName": invocation.instance_name,
            "Comment": str(command.body.get("Comment") or ""),
            "DocumentName": command.body["DocumentName"],
            "DocumentVersion": str(command.body.get("DocumentVersion") or "$DEFAULT"),
            "RequestedDateTime": command.requested.timestamp(),
            "Status": invocation.status,
            "StatusDetails": invocation.details,
            "StandardOutputUrl": "",
            "StandardErrorUrl": "",
            "CommandPlugins": [],
            "ServiceRole": str(command.body.get("ServiceRoleArn") or ""),
            "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
        }
        if details and invocation.started is not None:
            output = invocation.out + (f"\n----------ERROR-------\n{invocation.err}" if invocation.err else "")
            plugin: Dict = {
                "Name": PLUGIN,
                "Status": {"Cancelling": "InProgress"}.get(invocation.status, invocation.status),
                "StatusDetails": invocation.details,
                "ResponseCode": invocation.code,
                "ResponseStartDateTime": invocation.started.timestamp(),
                "Output": output[:DETAILS_LIMIT],
                "StandardOutputUrl": "",
                "StandardErrorUrl": "",
                "OutputS3BucketName": "",
                "OutputS3KeyPrefix": "",
            }
            if invocation.ended is not None:
                plugin["ResponseFinishDateTime"] = invocation.ended.timestamp()
            answer["CommandPlugins"] = [plugin]
        return answer


def _lasts(invocation: Invocation, now: datetime.datetime) -> float:
    return (now - (invocation.started or invocation.requested)).total_seconds()


def _check_parameters(parameters: dict[str, list[str]]) -> int:
    unknown = sorted(set(parameters) - {"commands", "workingDirectory", "executionTimeout"})
    if unknown:
        raise ApiError("InvalidParameters", f"Parameters [{', '.join(unknown)}] are not defined in document {RUN_SHELL_SCRIPT}.")
    if not parameters.get("commands"):
        raise ApiError("InvalidParameters", f"Parameter commands is required by document {RUN_SHELL_SCRIPT}.")
    timeout = _first(parameters, "executionTimeout") or str(EXECUTION_SECONDS)
    if not timeout.isdigit() or not 1 <= int(timeout) <= _LONGEST_EXECUTION:
        raise ApiError("InvalidParameters", f"Parameter executionTimeout must be a number of seconds from 1 to {_LONGEST_EXECUTION}.")
    return int(timeout)


def _share(value: t.Any, count: int) -> int:
    """A number, or a percentage of the targets rounded up."""
    text = str(value)
    return -(-count * int(text[:-1]) // 100) if text.endswith("%") else int(text)


def _first(parameters: dict[str, list[str]], name: str) -> str:
    return str((parameters.get(name) or [""])[0])


def _passes(body: Dict, command: Command, status: str) -> bool:
    for item in body.get("Filters") or []:
        key, value = item["key"], item["value"]
        if key == "Status":
            passes = status == value
        elif key == "DocumentName":
            passes = command.body["DocumentName"] == value
        elif key == "ExecutionStage":
            passes = (command.status[0] in ENDED) == (value == "Complete")
        elif key in ("InvokedAfter", "InvokedBefore"):
            moment = _moment(key, value)
            passes = command.requested >= moment if key == "InvokedAfter" else command.requested <= moment
        else:
            raise ApiError("InvalidFilterKey", f"The specified key isn't valid: {key}.")
        if not passes:
            return False
    return True


def _moment(key: str, value: str) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise ApiError("ValidationException", f"The value {value} of the filter {key} is not a date.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _text(moment: datetime.datetime | None) -> str:
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else ""
