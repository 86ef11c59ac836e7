# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: notification
short_description: Progress while a task is silent, and a summary at the end
version_added: 0.1.0
description:
  - Says every few seconds how long the running task has been going on, when it prints nothing itself.
  - At the end prints the time of each play and what the role P(bluegreen.aws.verify#role) collected; URLs, versions, what to try next.
  - Loads P(bluegreen.aws.ssm#connection) and the plugins that most tasks use once, before the first play. Ansible starts a process for
    each task, and each would load them anew; P(bluegreen.aws.ssm#connection) alone takes about 30 ms. What P(bluegreen.aws.ssm#connection)
    starts with its first session it starts beside the first tasks.
  - Starts the process in which P(bluegreen.aws.local#connection) runs modules, and ends it.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  interval:
    description: Seconds of silence after which progress is printed. 0 prints none.
    type: int
    default: 10
    env:
      - name: BLUEGREEN_PROGRESS_INTERVAL
    ini:
      - section: callback_bluegreen_summary
        key: interval
  cache:
    description:
      - Folder for what that process learns, and for modules as Ansible has assembled them, so that the next run need not do it again.
        There is no argument and no result in it. It must be the user's own. Empty keeps nothing.
    type: path
    default: ~/.ansible/bluegreen
    env:
      - name: BLUEGREEN_CACHE
    ini:
      - section: callback_bluegreen_summary
        key: cache
requirements:
  - enable in configuration (C(callbacks_enabled=bluegreen.aws.summary))
"""

import contextlib
import os
import sys
import threading
import time

from ansible import constants
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as ansible_version

from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm import client as warm
from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm import payloads, preload

# Where Ansible looks for a module that it has assembled in this run; ansible.executor.module_common.
ASSEMBLED = os.path.join(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache")


def minutes(seconds):
    """95 -> 1m35s, 4 -> 4s."""
    whole = round(seconds)
    return f"{whole // 60}m{whole % 60:02d}s" if whole >= 60 else f"{whole}s"


def short(digest):
    """sha256:0123456789abcdef… -> sha256:0123456789ab"""
    head, colon, tail = digest.rpartition("sha256:")
    return f"sha256:{tail[:12]}" if colon else digest or head


def service_lines(services):
    """One line per colour: {"blue": {"version", "image", "weight", "desired", "healthy"}, …} with the share of the requests in percent."""
    total = sum(int(one["weight"]) for one in services.values()) or 1
    width = max((len(one["version"]) for one in services.values()), default=0)
    return [
        f"  {colour.ljust(5)}  {round(100 * int(one['weight']) / total):3} %  version {one['version'].ljust(width)}  "
        f"{one['healthy']} of {one['desired']} healthy  {short(one['image'])}"
        for colour, one in services.items()
    ]


def group_lines(groups):
    """One line per Auto Scaling group: {name: {"version": of its launch template, "instances": in it, "limits": [min, max]}, …}."""
    width = max((len(name) for name in groups), default=0)
    lines = []
    for name, one in sorted(groups.items()):
        least, most = one["limits"]
        lines.append(f"  {name.ljust(width)}  {one['instances']} in service ({least} to {most}), launch template version {one['version']}")
    return lines


def summary_lines(collected, plays, total):
    """The summary's lines. ``collected`` is the custom statistic bluegreen_summary, ``plays`` is [(name, seconds)]."""
    lines = []
    for host in sorted(collected):
        facts = collected[host]
        lines.append(host)
        width = max((len(name) for name in facts.get("urls", {})), default=0)
        lines.extend(f"  {name.ljust(width)}  {url}" for name, url in facts.get("urls", {}).items())
        lines.extend(service_lines(facts.get("services") or {}))
        lines.extend(group_lines(facts.get("groups") or {}))
        release = facts.get("release") or {}
        if release:
            lines.append(f"  release {release['id']} by {release['actor']}, configuration {release.get('config_version') or '-'}")
            images, colours = release.get("images") or {}, facts.get("colours") or {}
            width = max((len(name) for name in images), default=0)
            lines.extend(f"    {name.ljust(width)}  {short(images[name])}  {colours.get(name) or ''}".rstrip() for name in sorted(images))
    if plays:
        width = max(len(name) for name, _seconds in plays)
        lines.append("time")
        lines.extend(f"  {name.ljust(width)}  {minutes(seconds)}" for name, seconds in plays)
        lines.append(f"  {'total'.ljust(width)}  {minutes(total)}")
    steps = [step for host in sorted(collected) for step in collected[host].get("next_steps", [])]
    if steps:
        lines.append("next")
        lines.extend(f"  - {step}" for step in dict.fromkeys(steps))
    return lines


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "bluegreen.aws.summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, display=None, options=None):
        super().__init__(display, options)
        self._began = time.monotonic()
        self._plays = []
        self._play = None
        self._task = None
        self._task_began = self._spoken = self._began
        self._stop = threading.Event()
        self._thread = None
        self._server = None
        self._kept = ""

    def v2_playbook_on_start(self, playbook):
        self._begin_warm()
        preload.preload()
        if self.get_option("interval") > 0:
            self._thread = threading.Thread(target=self._watch, args=(self.get_option("interval"),), daemon=True)
            self._thread.start()

    def _begin_warm(self):
        """Without any of it modules run as they do anywhere."""
        with contextlib.suppress(OSError):
            if self.get_option("cache"):
                self._kept = payloads.folder_of(self.get_option("cache"), ansible_version)
                payloads.offer(self._kept, ASSEMBLED)
        with contextlib.suppress(OSError):
            self._server = warm.start(os.path.join(self._kept, "memory") if self._kept else "")
            os.environ[warm.ADDRESS] = self._server.address

    def _end_warm(self):
        if self._server:
            os.environ.pop(warm.ADDRESS, None)
            self._server.close()
        if self._kept:
            with contextlib.suppress(OSError):
                payloads.keep(self._kept, ASSEMBLED)

    def _watch(self, interval):
        # os.write and not Display: a thread that held Display's lock while Ansible forks a worker would leave the worker with it.
        while not self._stop.wait(1):
            now = time.monotonic()
            if self._task and now - self._spoken >= interval:
                self._spoken = now
                os.write(sys.__stdout__.fileno(), f"  … {self._task} ({minutes(now - self._task_began)})\n".encode())

    def _end_play(self):
        if self._play is not None:
            name, began = self._play
            self._plays.append((name, time.monotonic() - began))
            self._play = None

    def v2_playbook_on_play_start(self, play):
        if not self._plays and self._play is None:
            preload.start_broker(play)
        self._end_play()
        self._play = (play.get_name().strip(), time.monotonic())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._task = task.get_name().strip()
        self._task_began = self._spoken = time.monotonic()

    def v2_playbook_on_handler_task_start(self, task):
        self.v2_playbook_on_task_start(task, False)

    def _heard(self, *args, **kwargs):
        self._spoken = time.monotonic()

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = _heard
    v2_runner_item_on_ok = v2_runner_item_on_failed = v2_runner_item_on_skipped = v2_runner_retry = _heard

    def v2_playbook_on_stats(self, stats):
        self._stop.set()
        self._end_warm()
        self._task = None
        self._end_play()
        collected = stats.custom.get("_run", {}).get("bluegreen_summary", {})
        lines = summary_lines(collected, self._plays, time.monotonic() - self._began)
        if len(self._plays) > 1 or collected:
            self._display.banner("SUMMARY")
            for line in lines:
                self._display.display(line)
