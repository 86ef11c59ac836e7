# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs an instance refresh: finds the group, starts the refresh or goes on with one that runs, and does what its state machine answers."""

from __future__ import annotations

import time

from ..module_utils import _refresh as refresh
from ..module_utils._aws import autoscaling as api
from ..module_utils._aws.errors import BluegreenAWSError, error_code, sentence
from ..plugin_utils._canary.account import Account
from ..plugin_utils._canary.probes import Probes

TICK_S = 1.0
LOOK_S = 2.0
SAY_S = 10.0


class Runner:
    """``options``: validated values of the action's argument spec; ``say(line)`` shows progress. RefreshError and BluegreenAWSError before
    anything is changed. ``clock`` gives seconds and only goes forward."""

    def __init__(self, options: dict, say, *, clients=None, clock=time.monotonic, sleep=time.sleep, probes=None):
        account = Account.of(options)
        client = clients or account.client
        self._options, self._say, self._clock, self._sleep = options, say, clock, sleep
        self._group_client = client("autoscaling")
        self._name = options["name"]
        self._probes = probes or self._make_probes()
        self._interrupt = ""
        group = api.group(self._group_client, self._name)
        if group is None:
            where = options.get("region") or "this region"
            raise refresh.RefreshError(f"There is no Auto Scaling group {self._name} in {where}; run site.yml first.")
        template_id, self.before = refresh.template(group)
        wish = options["launch_template_version"]
        # What the group launches is there.
        known = wish.isdigit() and wish == str(self.before)
        self.version = int(wish) if known else api.template_version(client("ec2"), template_id, wish)
        self._found = refresh.running(api.refreshes(self._group_client, self._name))
        if self._found and refresh.wanted(self._found) not in ("", str(self.version)):
            raise refresh.RefreshError(
                f"A refresh of {self._name} to version {refresh.wanted(self._found)} is under way "
                f"({self._found['Status']}, {self._found.get('PercentageComplete') or 0} %), and version {self.version} is asked for; "
                "wait for it, or take it back (aws autoscaling rollback-instance-refresh), and run again. Nothing was changed."
            )
        self._desired = refresh.desired(group, self.version)
        self.needed = bool(self._found) or refresh.needed(group, self.version)

    def interrupt(self, reason: str) -> None:
        """Go back; safe in a signal handler."""
        self._interrupt = reason

    def run(self) -> dict:
        """Until the refresh has ended; what became of it."""
        began = self._clock()
        # What failed before the start is not this refresh's doing; of one that was under way nobody knows.
        known = set() if self._found else {item["ActivityId"] for item in api.activities(self._group_client, self._name)}
        if self._found:
            refresh_id = self._found["InstanceRefreshId"]
            self._say(f"{self._name}: goes on with the refresh {refresh_id} to version {self.version}, which was under way")
        else:
            refresh_id = api.start(self._group_client, self._name, self.version, self._desired, self._preferences())
            self._say(f"{self._name}: version {self.before} -> {self.version}")
        state = refresh.Refresh(self._limits(), began)
        if self._probes:
            self._probes.start()
        try:
            self._loop(state, refresh_id, known)
        finally:
            if self._probes:
                self._probes.stop()
        return {
            "id": refresh_id,
            "outcome": state.outcome,
            "why": state.why,
            "before": str(self.before),
            "version": str(self.version),
            "seconds": round(self._clock() - began, 1),
            "back_s": round(self._clock() - state.back_at, 1) if state.going_back else None,
            "probes": {"requests": state.probes[0], "errors": state.probes[1]},
            "timeline": state.timeline,
        }

    def _loop(self, state, refresh_id, known) -> None:
        looked = said = shown = 0
        while not state.finished:
            now = self._clock()
            try:
                actions = []
                if self._interrupt:
                    actions += state.on_interrupt(now, self._interrupt)
                if self._probes:
                    for sample in self._probes.take()[:1]:
                        actions += state.on_probes(now, sample.requests, sample.errors)
                if not looked or now - looked >= LOOK_S:
                    looked = now
                    for item in api.activities(self._group_client, self._name):
                        if item["ActivityId"] not in known and item["StatusCode"] in ("Failed", "Cancelled"):
                            actions += state.on_launch_failed(now, item["ActivityId"], item.get("StatusMessage") or item["Description"])
                    actions += state.on_status(now, api.refresh(self._group_client, self._name, refresh_id))
                actions += state.on_tick(now)
                self._do(state, actions)
            except BluegreenAWSError as error:  # AWS goes on by itself: a question that was not answered is asked again
                self._say(f"{now - state.started:7.1f} s  {sentence(error)}")
            for entry in state.timeline[shown:]:
                self._say(f"{entry['at']:7.1f} s  {entry['text']}")
            if len(state.timeline) > shown:
                shown, said = len(state.timeline), now
            elif now - said >= SAY_S:
                said = now
                counted = f"probes {state.probes[0]}, failed {state.probes[1]}"
                self._say(f"{now - state.started:7.1f} s  {state.status}, {state.percentage} %, {counted}")
            if not state.finished:
                self._sleep(TICK_S)

    def _do(self, state, actions) -> None:
        queue = list(actions)
        while queue:
            action = queue.pop(0)
            if not isinstance(action, refresh.GoBack):
                continue
            try:
                api.roll_back(self._group_client, self._name)
            except BluegreenAWSError as error:
                if error_code(error.exception) == "ActiveInstanceRefreshNotFound":
                    continue  # it has ended meanwhile; the next look says how
                queue += state.on_refused(self._clock(), sentence(error))
                self._sleep(TICK_S)

    def _limits(self):
        options = self._options
        return refresh.Limits(
            timeout_s=options["timeout"],
            stall_s=options["stall_timeout"],
            failed_launches=options["failed_launches"],
            error_rate=options["max_error_rate"],
        )

    def _preferences(self) -> dict:
        options = self._options
        found = {
            "MinHealthyPercentage": options["min_healthy_percentage"],
            "MaxHealthyPercentage": options["max_healthy_percentage"],
            "InstanceWarmup": options["instance_warmup"],
            "SkipMatching": options["skip_matching"],
            "AutoRollback": True,
        }
        if options["checkpoint_percentages"]:
            found.update(CheckpointPercentages=options["checkpoint_percentages"], CheckpointDelay=options["checkpoint_delay"])
        if options["alarms"]:
            found["AlarmSpecification"] = {"Alarms": options["alarms"]}
        return found

    def _make_probes(self):
        probe = self._options["probe"]
        if not probe:
            return None
        return Probes(
            probe["url"], "", {}, rate=probe["rate"], timeout_s=probe["timeout"], headers=probe["headers"], ca_file=probe["ca_path"]
        )  # fmt: skip
