# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What an origin access control of CloudFront is to be; no I/O."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Control:
    """An origin access control; `id` is empty while there is none."""

    id: str
    name: str
    description: str
    origin_type: str
    signing_behavior: str
    signing_protocol: str = "sigv4"


def from_api(control_id, config):
    """A Control from an OriginAccessControlConfig."""
    return Control(
        id=control_id,
        name=config["Name"],
        description=config.get("Description", ""),
        origin_type=config["OriginAccessControlOriginType"],
        signing_behavior=config["SigningBehavior"],
        signing_protocol=config.get("SigningProtocol", "sigv4"),
    )


def to_api(control):
    """An OriginAccessControlConfig without its name."""
    return {
        "Description": control.description,
        "OriginAccessControlOriginType": control.origin_type,
        "SigningBehavior": control.signing_behavior,
        "SigningProtocol": control.signing_protocol,
    }


def decide(before, wanted):
    """The control afterwards, None when there is to be none; a description that is not given stays as it is."""
    if wanted is None:
        return None
    kept = before.description if before is not None else ""
    description = kept if wanted["description"] is None else wanted["description"]
    return Control(**{**wanted, "description": description, "id": before.id if before is not None else ""})


def identified(control, control_id):
    """The same control with its id; None stays None."""
    return None if control is None else dataclasses.replace(control, id=control_id)


def shown(control):
    """The control as a dictionary; empty when there is none."""
    return {} if control is None else dataclasses.asdict(control)
