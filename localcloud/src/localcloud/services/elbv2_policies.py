# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security policies of HTTPS listeners: protocols and ciphers of each; pure."""

from __future__ import annotations

import dataclasses
import typing as t

DEFAULT = "ELBSecurityPolicy-2016-08"
"""What CreateListener takes when the request names none; the console proposes a newer one."""

_TLS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_FORWARD_GCM = (
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
)  # fmt: skip
_FORWARD_SHA2 = ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384")
_FORWARD_SHA = ("ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA")
_RSA = ("AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256")
_RSA_SHA = ("AES128-SHA", "AES256-SHA")


@dataclasses.dataclass(frozen=True)
class Policy:
    """One policy; protocols by their names in the API, oldest first; ciphers by OpenSSL's names."""

    protocols: tuple[str, ...]
    ciphers: tuple[str, ...]

    def shown(self, name: str) -> dict[str, t.Any]:
        """The policy as the API shows it."""
        return {
            "Name": name,
            "SslProtocols": list(self.protocols),
            "Ciphers": [{"Name": cipher, "Priority": number} for number, cipher in enumerate(self.ciphers, 1)],
            "SupportedLoadBalancerTypes": ["application"],
        }

    @property
    def oldest(self) -> str:
        """The oldest protocol of TLS that is accepted, as HAProxy names it."""
        return {"TLSv1": "TLSv1.0"}.get(self.protocols[0], self.protocols[0])

    @property
    def newest(self) -> str:
        """The newest one."""
        return {"TLSv1": "TLSv1.0"}.get(self.protocols[-1], self.protocols[-1])


_OLD = ("TLSv1", "TLSv1.1", "TLSv1.2")

POLICIES: dict[str, Policy] = {
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
    "ELBSecurityPolicy-2016-08": Policy(_OLD, _FORWARD_GCM + _FORWARD_SHA2 + _FORWARD_SHA + _RSA + _RSA_SHA),
    "ELBSecurityPolicy-TLS13-1-2-2021-06": Policy(("TLSv1.2", "TLSv1.3"), _TLS13 + _FORWARD_GCM + _FORWARD_SHA2),
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06": Policy(("TLSv1.2", "TLSv1.3"), _TLS13 + _FORWARD_GCM),
    "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06": Policy(("TLSv1.2", "TLSv1.3"), _TLS13 + _FORWARD_GCM + _FORWARD_SHA2 + _RSA),
    "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06": Policy(
        ("TLSv1.2", "TLSv1.3"), _TLS13 + _FORWARD_GCM + _FORWARD_SHA2 + _FORWARD_SHA + _RSA + _RSA_SHA
    ),
    "ELBSecurityPolicy-TLS13-1-3-2021-06": Policy(("TLSv1.3",), _TLS13),
    "ELBSecurityPolicy-TLS-1-2-2017-01": Policy(("TLSv1.2",), _FORWARD_GCM + _FORWARD_SHA2 + _RSA),
    "ELBSecurityPolicy-TLS-1-2-Ext-2018-06": Policy(("TLSv1.2",), _FORWARD_GCM + _FORWARD_SHA2 + _FORWARD_SHA + _RSA + _RSA_SHA),
    "ELBSecurityPolicy-FS-1-2-2019-08": Policy(("TLSv1.2",), _FORWARD_GCM + _FORWARD_SHA2 + _FORWARD_SHA),
    "ELBSecurityPolicy-FS-1-2-Res-2019-08": Policy(("TLSv1.2",), _FORWARD_GCM + _FORWARD_SHA2),
    "ELBSecurityPolicy-FS-1-2-Res-2020-10": Policy(("TLSv1.2",), _FORWARD_GCM),
}
