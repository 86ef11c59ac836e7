# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per DynamoDB call; decides nothing."""

from __future__ import annotations

from .errors import attempt


@attempt("read the backups of table {name} (dynamodb:DescribeContinuousBackups)")
def recovery_enabled(client, name):
    """Whether point-in-time recovery is on."""
    answer = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return answer.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED"


@attempt("set point-in-time recovery of table {name} (dynamodb:UpdateContinuousBackups)")
def set_recovery(client, name, enabled):
    """Switch point-in-time recovery on or off; off forgets the backups."""
    client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled})
