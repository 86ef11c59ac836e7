# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the configuration file of one cache node; pure.

Clients are the user `default`, who may not use the commands that ElastiCache keeps for itself; the cloud and the replicas are another one.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/RestrictedCommands.html
"""

from __future__ import annotations

MANAGER = "localcloud-manager"
DIRECTORY = "/etc/cache"
DATA = "/data/dump.rdb"

_RESTRICTED = [
    "acl", "bgrewriteaof", "bgsave", "config", "debug", "failover", "migrate", "module", "psync", "replicaof", "save", "shutdown",
    "slaveof", "sync",
]  # fmt: skip
_HARMLESS = ["acl|cat", "acl|getuser", "acl|list", "acl|users", "acl|whoami"]


def client_rules(tokens: list[str]) -> list[str]:
    """The rules of the user `default` (ACL SETUSER), which any of these tokens opens; no token is needed when there is none."""
    passwords = [f">{token}" for token in tokens] or ["nopass"]
    return [
        "reset", "on", *passwords, "~*", "&*", "+@all",
        *(f"-{command}" for command in _RESTRICTED), *(f"+{command}" for command in _HARMLESS),
    ]  # fmt: skip


def render(*, port: int, secret: str, tokens: list[str], settings: dict[str, str], transit: bool, primary: tuple[str, int] | None) -> str:
    """The text of the file. `primary` is where a replica gets its data; `secret` is the manager's password."""
    lines = [
        "bind 0.0.0.0",
        "protected-mode no",
        "dir /data",
        'save ""',
        "repl-diskless-sync-delay 0",  # a replica that is added need not wait for others
        f"user default {' '.join(client_rules(tokens))}",
        f"user {MANAGER} on >{secret} ~* &* +@all",
        f"masteruser {MANAGER}",
        f"masterauth {secret}",
    ]
    if transit:
        lines += [
            "port 0",
            f"tls-port {port}",
            f"tls-cert-file {DIRECTORY}/tls.crt",
            f"tls-key-file {DIRECTORY}/tls.key",
            f"tls-ca-cert-file {DIRECTORY}/ca.crt",
            "tls-auth-clients no",
            "tls-replication yes",
        ]
    else:
        lines.append(f"port {port}")
    lines += [f'{name} "{value}"' for name, value in sorted(settings.items())]
    if primary is not None:
        lines.append(f"replicaof {primary[0]} {primary[1]}")
    return "\n".join(lines) + "\n"
