# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of a family, their allowed values, and what they mean to the server; pure.

A choice of those that AWS lists; a parameter outside of it is refused by name. With `reboot` a change counts after a reboot.
"""

from __future__ import annotations

import dataclasses
import re

from . import elasticache_catalogue as catalogue


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter: `allowed` as AWS writes it (a range `0-10`, or words with commas); `served` when the server knows it."""

    default: str
    kind: str
    allowed: str
    description: str
    reboot: bool = False
    served: bool = True
    modifiable: bool = True

    def takes(self, value: str) -> bool:
        """Whether this value is allowed."""
        if self.kind == "integer":
            low, _, high = self.allowed.rpartition("-")
            return bool(re.fullmatch(r"-?\d+", value)) and int(low) <= int(value) <= int(high)
        return not self.allowed or value in self.allowed.split(",")


_YES_NO = "yes,no"
_EVICTION = "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction"
_LARGE = "0-9223372036854775807"

PARAMETERS: dict[str, Parameter] = {
    "activedefrag": Parameter("no", "string", _YES_NO, "Enabled active memory defragmentation"),
    "activerehashing": Parameter("yes", "string", _YES_NO, "Apply rehashing or not.", reboot=True),
    "client-query-buffer-limit": Parameter("1073741824", "integer", "1048576-1073741824", "Max size of a single client query buffer"),
    "close-on-replica-write": Parameter("yes", "string", _YES_NO, "Close a client's connection when it writes to a replica", served=False),
    "cluster-enabled": Parameter("no", "string", _YES_NO, "Enable cluster mode", reboot=True, served=False, modifiable=False),
    "databases": Parameter("16", "integer", "1-1200000", "Number of databases", reboot=True),
    "hash-max-listpack-entries": Parameter("512", "integer", _LARGE, "Hashes of up to this many entries are packed"),
    "hash-max-listpack-value": Parameter("64", "integer", _LARGE, "Hashes with values of up to this many bytes are packed"),
    "lazyfree-lazy-eviction": Parameter("no", "string", _YES_NO, "Evict in the background"),
    "lazyfree-lazy-expire": Parameter("no", "string", _YES_NO, "Expire in the background"),
    "lfu-decay-time": Parameter("1", "integer", "0-65535", "Minutes after which a key's counter is halved"),
    "list-max-listpack-size": Parameter("-2", "integer", "-5-9223372036854775807", "Size of packed lists"),
    "maxmemory-policy": Parameter("volatile-lru", "string", _EVICTION, "What to remove when memory is full"),
    "maxmemory-samples": Parameter("3", "integer", "1-9223372036854775807", "Keys that the eviction looks at"),
    "min-replicas-max-lag": Parameter("10", "integer", _LARGE, "Seconds of lag up to which a replica counts"),
    "min-replicas-to-write": Parameter("0", "integer", _LARGE, "Replicas without which the primary takes no writes"),
    "notify-keyspace-events": Parameter("", "string", "", "Keyspace events that are published"),
    "reserved-memory-percent": Parameter("25", "integer", "0-100", "Part of memory that data may not take", served=False),
    "set-max-intset-entries": Parameter("512", "integer", _LARGE, "Sets of up to this many integers are packed"),
    "slowlog-log-slower-than": Parameter("10000", "integer", "-1-9223372036854775807", "Microseconds from which a command is logged"),
    "slowlog-max-len": Parameter("128", "integer", _LARGE, "Entries of the slow log"),
    "tcp-keepalive": Parameter("300", "integer", "0-2147483647", "Seconds between keep-alives; 0 for none"),
    "timeout": Parameter("0", "integer", "0-2147483647", "Seconds after which an idle connection is closed; 0 for never"),
    "tracking-table-max-keys": Parameter("1000000", "integer", "1-100000000", "Keys of client-side caching"),
    "zset-max-listpack-entries": Parameter("128", "integer", _LARGE, "Sorted sets of up to this many entries are packed"),
    "zset-max-listpack-value": Parameter("64", "integer", _LARGE, "Sorted sets with values of up to this many bytes are packed"),
}

_OLD_NAMES = re.compile("listpack")


def of_family(family: str) -> dict[str, Parameter]:
    """The parameters by the names that this family uses: before version 7 a listpack was a ziplist."""
    if family in ("redis5.0", "redis6.x"):
        return {_OLD_NAMES.sub("ziplist", name): parameter for name, parameter in PARAMETERS.items()}
    return PARAMETERS


def server_settings(family: str, values: dict[str, str], node_type: str) -> dict[str, str]:
    """What the server is told: every parameter that it knows, by its own name, and the memory that data may take."""
    everything = {name: values.get(name, parameter.default) for name, parameter in of_family(family).items()}
    settings = {name.replace("ziplist", "listpack"): everything[name] for name, parameter in of_family(family).items() if parameter.served}
    memory = catalogue.NODE_MEMORY[node_type]
    settings["maxmemory"] = str(memory * (100 - int(everything["reserved-memory-percent"])) // 100)
    return settings


def needs_reboot(family: str, names: list[str]) -> bool:
    """Whether a change of these counts only after a reboot."""
    return any(of_family(family)[name].reboot for name in names)
