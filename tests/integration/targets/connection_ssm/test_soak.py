# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fifty hosts, twenty tasks each, on a bad network and a throttled API: every result exact, every command once, no session left."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import urllib.request
from functools import partial

import run

from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.clock import Clock
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.host import Host
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.link import Link

HOSTS, TASKS, AT_ONCE = 50, 20, 25
BAD = {"loss": 0.01, "duplicate": 0.03, "reorder": 0.03, "drop_after": 25}
FAULTS = {
    "agent": {"first_output_delay": 0.2},
    "to_client": BAD,
    "to_agent": BAD,
    "api": {"StartSession": {"error": "ThrottlingException", "count": 15}},
}
SCRIPT = 'echo "$1" >>"$2"; cat; echo "$1" >&2; exit $(($1 % 7))'


def host_of(facts, number, log):
    account = {"region": facts["region"], "access_key_id": "t", "secret_access_key": "t", "endpoint_url": facts["endpoint_url"]}
    account["attempts"] = 10
    session = {"target": facts["instance_ids"][number], "connect_timeout": 120.0}
    new_link = partial(Link, {"account": account, "session": session}, log.append, connect_timeout=120.0)
    return Host(session["target"], new_link, Clock(), side_above=None)


def one_task(facts, number, task, folder, log):
    """What an Ansible worker does: a link of its own, one command, gone. Returns what is wrong."""
    host = host_of(facts, number, log)
    try:
        data = hashlib.sha256(f"{number}/{task}".encode()).digest() * (40 * (task % 5))
        expected = (task % 7, data, b"%d\n" % task)
        found = host.run(["sh", "-c", SCRIPT, "sh", str(task), str(folder / str(number))], data, timeout=240.0)
        return [] if found == expected else [f"host {number}, task {task}: {found[0]}, {len(found[1])} of {len(data)} bytes, {found[2]!r}"]
    finally:
        host.close()


def test_soak(tmp_path):
    log, problems = [], []
    with run.standalone(FAULTS, instances=HOSTS) as facts:
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for task in range(TASKS):  # as Ansible's linear strategy does: all hosts, then the next task
                done = [pool.submit(one_task, facts, number, task, tmp_path, log) for number in range(HOSTS)]
                problems += [problem for one in done for problem in one.result()]
        assert problems == []
        ran = {name: (tmp_path / name).read_text().split() for name in os.listdir(tmp_path)}
        assert ran == {str(number): [str(task) for task in range(TASKS)] for number in range(HOSTS)}
        with urllib.request.urlopen(f"{facts['admin_url']}/state") as answer:
            state = json.load(answer)
        assert len(state["open_sessions"]) == HOSTS
        assert sum(session["lost"] + session["duplicated"] + session["reordered"] for session in state["sessions"]) > 100
        assert any("is resumed" in line for line in log)
        for number in range(HOSTS):
            host_of(facts, number, log).reset()
        assert run.left_open(facts["admin_url"]) == []
