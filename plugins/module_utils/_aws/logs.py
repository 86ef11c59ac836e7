# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Lines of a log group, one function per call of CloudWatch Logs; decides nothing."""

from __future__ import annotations

from .errors import attempt


@attempt("read log group {group} (logs:FilterLogEvents)")
def lines(client, group, term, since_ms):
    """Events with the term (a filter pattern) since then, in milliseconds since the epoch, of all streams."""
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=term, startTime=since_ms)
    return [event for page in pages for event in page["events"]]
