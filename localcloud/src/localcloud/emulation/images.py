# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public machine images of the cloud and the public parameters that name them: data only; all of them are the same Debian."""

from __future__ import annotations

import hashlib
import typing as t

DOCKER_IMAGE = "localcloud/instance:latest"

AMAZON = "137112412989"
DEBIAN = "136693071363"
CANONICAL = "099720109477"

_PUBLIC: list[tuple[str, str, str, list[str]]] = [
    # owner, name, description, public parameters
    (
        AMAZON,
        "al2023-ami-2023.9.20251117.1-kernel-6.1-x86_64",
        "Amazon Linux 2023 AMI (here: Debian 13 with Docker)",
        [
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64",
            "/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-x86_64",
        ],
    ),
    (
        AMAZON,
        "amzn2-ami-hvm-2.0.20251110.1-x86_64-gp2",
        "Amazon Linux 2 AMI (here: Debian 13 with Docker)",
        ["/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2"],
    ),
    (
        AMAZON,
        "al2023-ami-ecs-hvm-2023.0.20251112-kernel-6.1-x86_64",
        "Amazon ECS optimized AMI (here: Debian 13 with Docker)",
        ["/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"],
    ),
    (
        DEBIAN,
        "debian-13-amd64-20251117-2299",
        "Debian 13 (with Docker)",
        ["/aws/service/debian/release/13/latest/amd64"],
    ),
    (
        DEBIAN,
        "debian-12-amd64-20251112-2294",
        "Debian 12 (here: Debian 13 with Docker)",
        ["/aws/service/debian/release/12/latest/amd64"],
    ),
    (
        CANONICAL,
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20251022",
        "Canonical, Ubuntu, 24.04, amd64 noble image (here: Debian 13 with Docker)",
        ["/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"],
    ),
]


def _ami_id(name: str) -> str:
    return "ami-0" + hashlib.sha256(name.encode()).hexdigest()[:16]


def amis() -> list[dict[str, t.Any]]:
    """The images in the form of moto's file of machine images."""
    return [
        {
            "ami_id": _ami_id(name),
            "name": name,
            "description": description,
            "owner_id": owner,
            "image_location": DOCKER_IMAGE,
            "image_type": "machine",
            "public": True,
            "state": "available",
            "architecture": "x86_64",
            "virtualization_type": "hvm",
            "hypervisor": "xen",
            "root_device_type": "ebs",
            "root_device_name": "/dev/xvda",
            "sriov": "simple",
            "platform": None,
            "creation_date": "2025-11-17T00:00:00.000Z",
        }
        for owner, name, description, _ in _PUBLIC
    ]


def public_parameters() -> dict[str, str]:
    """Name of a public parameter → image id."""
    return {parameter: _ami_id(name) for _, name, _, parameters in _PUBLIC for parameter in parameters}
