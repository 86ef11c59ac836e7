# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of a family, their allowed values, RDS's formulas, and what they mean to the server; pure.

A choice of those that AWS lists; a parameter outside of it is refused by name. A `static` one counts from the next reboot on.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ParamValuesRef.html (formulas)
"""

from __future__ import annotations

import dataclasses
import re

from . import rds_catalogue as catalogue

MOST_SHARED_BUFFERS = 2**15
"""What servers here get at most, in pages of 8 KiB: a class of 32 GiB must not take a quarter of that from this machine."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter: `default` as AWS writes it, perhaps a formula, empty for the engine's own; `allowed` a range `0-10`, or words with
    commas, or empty for any text. `served`: the server knows it by this name."""

    default: str
    kind: str
    allowed: str
    description: str
    static: bool = False
    served: bool = True

    def takes(self, value: str) -> bool:
        """Whether this value, or formula, is allowed."""
        if self.kind == "boolean":
            return value in ("0", "1")
        if self.kind in ("integer", "float"):
            try:
                number = float(value) if self.kind == "float" else float(evaluate(value, memory=2**30, storage=20))
            except ValueError:
                return False
            low, _, high = self.allowed.rpartition("-")
            return float(low) <= number <= float(high)
        words = value.split(",") if self.kind == "list" else [value]
        return not self.allowed or all(word in self.allowed.split(",") for word in words)


_LEVELS = "debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic"
_ISOLATION = "serializable,repeatable read,read committed,read uncommitted"
_INT = "0-2147483647"

PARAMETERS: dict[str, Parameter] = {
    "autovacuum": Parameter("1", "boolean", "0,1", "Starts the autovacuum subprocess."),
    "autovacuum_naptime": Parameter("15", "integer", "1-2147483", "(s) Time to sleep between autovacuum runs."),
    "autovacuum_max_workers": Parameter(
        "GREATEST({DBInstanceClassMemory/64371566592},3)", "integer", "1-262143", "Sets the maximum number of autovacuum workers.",
        static=True,
    ),
    "checkpoint_timeout": Parameter("", "integer", "30-3600", "(s) Sets the maximum time between automatic WAL checkpoints."),
    "deadlock_timeout": Parameter("", "integer", "1-2147483647", "(ms) Sets the time to wait on a lock before checking for deadlock."),
    "default_transaction_isolation": Parameter("", "string", _ISOLATION, "Sets the transaction isolation level of each new transaction."),
    "effective_cache_size": Parameter(
        "{DBInstanceClassMemory/16384}", "integer", "1-2147483647", "(8kB) Sets the planner's assumption about the size of the disk cache."
    ),
    "idle_in_transaction_session_timeout": Parameter(
        "86400000", "integer", _INT, "(ms) Sets the maximum allowed idle time of a transaction."
    ),
    "lock_timeout": Parameter("", "integer", _INT, "(ms) Sets the maximum allowed duration of any wait for a lock."),
    "log_connections": Parameter("", "boolean", "0,1", "Logs each successful connection."),
    "log_disconnections": Parameter("", "boolean", "0,1", "Logs end of a session, including duration."),
    "log_lock_waits": Parameter("", "boolean", "0,1", "Logs long lock waits."),
    "log_min_duration_statement": Parameter("", "integer", "-1-2147483647", "(ms) Minimum execution time of statements that are logged."),
    "log_min_messages": Parameter("", "string", _LEVELS, "Sets the message levels that are logged."),
    "log_statement": Parameter("", "string", "none,ddl,mod,all", "Sets the type of statements logged."),
    "maintenance_work_mem": Parameter(
        "GREATEST({DBInstanceClassMemory*1024/63963136},65536)", "integer", "1024-2147483647", "(kB) Memory for maintenance operations."
    ),
    "max_connections": Parameter(
        "LEAST({DBInstanceClassMemory/9531392},5000)", "integer", "6-262143", "Sets the maximum number of concurrent connections.",
        static=True,
    ),
    "max_locks_per_transaction": Parameter("64", "integer", "10-2147483647", "Maximum number of locks per transaction.", static=True),
    "max_replication_slots": Parameter("20", "integer", "5-262143", "Maximum number of replication slots.", static=True),
    "max_wal_senders": Parameter("20", "integer", "5-262143", "Maximum number of WAL sender processes.", static=True),
    "max_wal_size": Parameter("2048", "integer", "128-201326592", "(MB) Sets the WAL size that triggers a checkpoint."),
    "random_page_cost": Parameter("", "float", "0-1.79769e+308", "The planner's estimate of the cost of a nonsequential page."),
    "rds.force_ssl": Parameter("1", "boolean", "0,1", "Force SSL connections.", served=False),
    "rds.logical_replication": Parameter("0", "boolean", "0,1", "Enables logical decoding.", static=True, served=False),
    "shared_buffers": Parameter(
        "{DBInstanceClassMemory/32768}", "integer", "16-1073741823", "(8kB) Sets the number of shared memory buffers.", static=True
    ),
    "shared_preload_libraries": Parameter(
        "pg_stat_statements", "list", "auto_explain,pg_stat_statements,pg_prewarm", "Libraries to preload into the server.", static=True
    ),
    "statement_timeout": Parameter("", "integer", _INT, "(ms) Sets the maximum allowed duration of any statement."),
    "tcp_keepalives_idle": Parameter("300", "integer", _INT, "(s) Time between issuing TCP keepalives."),
    "timezone": Parameter("UTC", "string", "", "Sets the time zone for displaying and interpreting time stamps."),
    "track_activity_query_size": Parameter("4096", "integer", "100-1048576", "(B) Size reserved for pg_stat_activity.query.", static=True),
    "track_io_timing": Parameter("1", "boolean", "0,1", "Collects timing statistics on database IO activity."),
    "wal_buffers": Parameter("", "integer", "-1-262143", "(8kB) Disk-page buffers in shared memory for WAL.", static=True),
    "work_mem": Parameter("", "integer", "64-2147483647", "(kB) Sets the maximum memory to be used for query workspaces."),
}  # fmt: skip

_CALL = re.compile(r"(LEAST|GREATEST|SUM)\((.*)\)")
_VARIABLE = re.compile(r"\{(DBInstanceClassMemory|AllocatedStorage)((?:[*/]\d+)*)\}")


def evaluate(text: str, *, memory: int, storage: int) -> int:
    """The whole number that a value or formula stands for, with bytes of memory and GiB of storage. Raises ValueError for another text."""
    text = text.strip()
    if call := _CALL.fullmatch(text):
        numbers = [evaluate(part, memory=memory, storage=storage) for part in call[2].split(",")]
        return {"LEAST": min, "GREATEST": max, "SUM": sum}[call[1]](numbers)
    if variable := _VARIABLE.fullmatch(text):
        number = memory if variable[1] == "DBInstanceClassMemory" else storage
        for sign, factor in re.findall(r"([*/])(\d+)", variable[2]):
            if sign == "/" and int(factor) == 0:
                raise ValueError("division by zero")
            number = number * int(factor) if sign == "*" else number // int(factor)
        return number
    return int(text)


def defaults(family: str) -> dict[str, Parameter]:
    """The parameters of a family. Since version 15, connections must be encrypted unless the group says otherwise."""
    if int(family.removeprefix(catalogue.ENGINE)) >= 15:
        return PARAMETERS
    return {**PARAMETERS, "rds.force_ssl": dataclasses.replace(PARAMETERS["rds.force_ssl"], default="0")}


def value(family: str, values: dict[str, str], name: str) -> str:
    """The value of a parameter in a group of this family that has `values`."""
    return values.get(name, defaults(family)[name].default)


def server_settings(family: str, values: dict[str, str], *, memory: int, storage: int) -> dict[str, str]:
    """What the server is told, by its own names; without those that are left to the engine."""
    settings = {}
    for name, parameter in defaults(family).items():
        text = values.get(name, parameter.default)
        if not parameter.served or not text:
            continue
        settings[name] = str(evaluate(text, memory=memory, storage=storage)) if parameter.kind == "integer" else text
    settings["shared_buffers"] = str(min(int(settings["shared_buffers"]), MOST_SHARED_BUFFERS))
    settings["wal_level"] = "logical" if value(family, values, "rds.logical_replication") == "1" else "replica"
    return settings
