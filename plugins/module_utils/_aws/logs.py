# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Lines of a log group, and waiting for what they say of open connections; ../_connections.py decides."""

from __future__ import annotations

import time

from .. import _connections as connections
from .errors import attempt


@attempt("read log group {group} (logs:FilterLogEvents)")
def lines(client, group, term, since_ms):
    """Events with the term (a filter pattern) since then, in milliseconds since the epoch, of all streams."""
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=term, startTime=since_ms)
    return [event for page in pages for event in page["events"]]


def open_connections(client, params, *, check=False, clock=time.time, sleep=time.sleep):
    """What modules/open_connections_info.py returns, for its options; looks once with ``check``. ``clock``: epoch seconds."""
    began = clock()
    wait = connections.Wait(0 if check else params["wait_timeout"])
    while True:
        now = clock()
        since = int((now - params["max_age"]) * 1000)
        events = lines(client, params["log_group"], params["event"], since)
        found = connections.count(events, params["event"], params["field"], since)
        wait.on_count(now - began, found)
        if wait.outcome:
            break
        sleep(params["interval"])
    return {
        "outcome": wait.outcome,
        "first": wait.first,
        "left": wait.last,
        "seconds": round(clock() - began, 1),
        "tasks": found.tasks,
        "counts": [list(one) for one in wait.counts],
    }
