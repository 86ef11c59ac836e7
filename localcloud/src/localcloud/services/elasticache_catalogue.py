# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node types, engine versions and families that AWS offers; data only.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html (maxmemory of each node type)
"""

from __future__ import annotations

NODE_MEMORY = {
    "cache.t2.micro": 581_959_680, "cache.t2.small": 1_665_138_688, "cache.t2.medium": 3_461_349_376,
    "cache.t3.micro": 536_870_912, "cache.t3.small": 1_471_026_299, "cache.t3.medium": 3_317_862_236,
    "cache.t4g.micro": 536_870_912, "cache.t4g.small": 1_471_026_299, "cache.t4g.medium": 3_317_862_236,
    "cache.m5.large": 6_854_542_746, "cache.m5.xlarge": 13_891_921_715, "cache.m5.2xlarge": 27_966_669_210,
    "cache.m6g.large": 6_854_542_746, "cache.m6g.xlarge": 13_891_921_715, "cache.m6g.2xlarge": 27_966_669_210,
    "cache.m7g.large": 6_854_542_746, "cache.m7g.xlarge": 13_891_921_715, "cache.m7g.2xlarge": 27_966_669_210,
    "cache.r5.large": 14_037_181_030, "cache.r5.xlarge": 28_261_849_702, "cache.r5.2xlarge": 56_711_183_565,
    "cache.r6g.large": 14_037_181_030, "cache.r6g.xlarge": 28_261_849_702, "cache.r6g.2xlarge": 56_711_183_565,
    "cache.r7g.large": 14_037_181_030, "cache.r7g.xlarge": 28_261_849_702, "cache.r7g.2xlarge": 56_711_183_565,
}  # fmt: skip
"""Node type -> bytes of memory for data and overhead."""

VERSIONS = {
    "redis": {"5.0.6": "redis5.0", "6.0.5": "redis6.x", "6.2.6": "redis6.x", "7.0.7": "redis7", "7.1.0": "redis7"},
    "valkey": {"7.2.6": "valkey7", "8.0.1": "valkey8", "8.1.0": "valkey8"},
}
"""Engine -> version -> parameter family; the last one is the default."""

FAMILIES = ["redis5.0", "redis6.x", "redis7", "valkey7", "valkey8"]


def full_version(engine: str, asked: str | None) -> str | None:
    """The version that a request means: `7.1` and `7.1.0` are the same, `6.x` and `7` the newest; None when AWS has none such."""
    versions = list(VERSIONS[engine])
    if not asked:
        return versions[-1]
    prefix = asked.removesuffix(".x").split(".")
    found = [version for version in versions if version.split(".")[: len(prefix)] == prefix]
    return found[-1] if found else None


def family_of(engine: str, version: str) -> str:
    """The parameter family of a full version."""
    return VERSIONS[engine][version]


def engine_of(family: str) -> str:
    """The engine of a family."""
    return "valkey" if family.startswith("valkey") else "redis"


def default_group(family: str) -> str:
    """The name of a family's default parameter group without cluster mode."""
    return f"default.{family}"
