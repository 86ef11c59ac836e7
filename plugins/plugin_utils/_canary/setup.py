# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a rollout from a task's options: finds what they name, checks it before anything is touched, puts right what a dead run left."""

from __future__ import annotations

import contextlib
import os

from ...module_utils import _traffic as traffic
from ...module_utils._aws import elbv2
from ...module_utils._aws.rollout_record import Record
from ...module_utils._aws.weights import Weights
from ...module_utils._canary import plan
from ...module_utils._canary.judge import Judge, Limits
from ...module_utils._canary.rollout import FINISHED, Options, Rollout
from ...module_utils._canary.samples import CANDIDATE, FAST, LIVE
from . import metrics, sources
from .account import Account
from .driver import Driver
from .guard import Guard
from .probes import Probes

UNFINISHED_OK = (*FINISHED[:2], "taken_over")
HEALTHY_S = 30.0


class Setup:
    """``options``: validated values of options.SPEC; ``who``: user@host; ``now``: UTC; ``say(line)``. Raises PlanError, TrafficError and
    BluegreenAWSError before anything is changed."""

    def __init__(self, options: dict, who: str, now, say):
        self._options, self._who, self._now, self._say = options, who, now, say
        self._account = Account.of(options)
        self._steps = plan.parse(options["plan"], _given(options["gate"]))
        self._limits = Limits(**_given(options["limits"]))
        client = self._account.client("elbv2")
        self._place = elbv2.find(client, options["load_balancer"], options["listener_port"], options["rule_priority"])
        elbv2.require_tags(client, self._place, options["required_tags"])
        self._weights = Weights(client, self._place)
        self._record = Record(self._account.client("ssm"), options["record"])
        colours = _colours(options["colours"])
        self._place.known(colours.values())
        self._left = self._unfinished(colours)
        weights = self._left or self._weights.read()
        stranger = [name for name, weight in weights.items() if weight and name not in colours.values()]
        if stranger:
            raise traffic.TrafficError(
                f"{self._place.text.capitalize()} sends traffic to {', '.join(stranger)}, which is neither of the two colours "
                f"{' and '.join(colours.values())}; name the colours that are live, or move that traffic first."
            )
        by_group = {group: colour for colour, group in colours.items()}
        live, candidate = traffic.other(weights, list(colours.values()))
        if options["candidate"]:
            candidate = self._named_candidate(colours, options["candidate"], weights)
            live = next(group for group in colours.values() if group != candidate)
        self._groups = {LIVE: live, CANDIDATE: candidate}
        self._names = {LIVE: by_group[live], CANDIDATE: by_group[candidate]}
        self._in_force = (weights.get(live, 0), weights.get(candidate, 0))
        self._id = now.strftime("%Y%m%dT%H%M%SZ")

    def preview(self) -> dict:
        """What check mode answers."""
        return {"changed": True, "canary": {"outcome": "planned", **self._about(), "plan": [list(step.weights) for step in self._steps]}}

    def outcome(self, found: dict) -> dict:
        """The task's result from a rollout's evidence."""
        shown = {key: value for key, value in found.items() if key not in ("series", "timeline")}
        path = self._path()
        shown["evidence"] = [f"{path}.{kind}" for kind in ("json", "md", "html")] if path else []
        result = {"changed": True, "canary": shown}
        if found["outcome"] != "done":
            result.update(failed=True, msg=f"The rollout was not completed ({found['outcome'].replace('_', ' ')}): {found['why']}.")
        return result

    @contextlib.contextmanager
    def prepared(self):
        """(driver, pollers), ready to run; the watchdog gets the end in any case that this process lives to see."""
        self._put_right()
        self._weights.await_healthy([self._groups[CANDIDATE], *([self._groups[LIVE]] if self._in_force[0] else [])], HEALTHY_S)
        options = self._options
        rules = Options(
            lead_in_s=options["lead_in_s"] if options["probe"] else 0.0,
            deadline_s=options["deadline_s"],
            on_inconclusive=options["on_inconclusive"],
            boost=options["probe"]["boost"] if options["probe"] else 1.0,
        )
        probes, cloudwatch, prometheus = self._sources()
        metric = [source.NAME for source in (cloudwatch, prometheus) if source]
        names = [*([FAST] if probes else []), *metric]
        if not names:
            raise traffic.TrafficError("The rollout has nothing to judge the candidate by; give probe, cloudwatch=true or prometheus.")
        judge = Judge(self._limits, names, self._names)
        if cloudwatch and options["history_s"]:
            judge.history(cloudwatch.history(options["history_s"]))
        rollout = Rollout(self._steps, judge, rules, weights=self._in_force, metric_sources=metric, names=self._names)
        guard = Guard(self._watchdog()) if options["watchdog"] else None
        try:
            driver = Driver(
                rollout, self._weights, self._groups, self._about(), self._say,
                probes=probes, guard=guard, record=self._record, evidence_path=self._path(),
            )  # fmt: skip
            yield driver, self._pollers(driver, cloudwatch, prometheus)
        finally:
            if guard and rollout.finished and rollout.state != "stuck":
                guard.done()
            elif guard:
                guard.abandon()

    def _put_right(self) -> None:
        """Weights that an earlier run left in the middle of a rollout go back first."""
        if self._left is None:
            return
        back = self._left
        self._say(f"an earlier rollout was left unfinished; its rollback weights are put in force first: {back}")
        self._weights.await_healthy([name for name, weight in back.items() if weight], HEALTHY_S)
        self._weights.write(back, self._left_own)

    def _unfinished(self, colours: dict) -> dict | None:
        """The rollback weights of a rollout that never ended, or None."""
        found = self._record.read() or {}
        back = found.get("rollback_weights")
        if found.get("state") in (None, *UNFINISHED_OK) or not isinstance(back, dict) or set(back) != set(colours.values()):
            return None
        in_force = self._weights.read()
        self._left_own = found.get("own") or [in_force]  # a record of an earlier version does not say
        if not any(traffic.same(in_force, weights) for weights in self._left_own):
            return None  # set by a later run or a person: they count
        return None if traffic.same(in_force, back) else back

    @staticmethod
    def _named_candidate(colours, name, weights):
        if name not in colours:
            raise traffic.TrafficError(f"The candidate {name} is none of the colours {', '.join(colours)}.")
        if weights.get(colours[name], 0) == 100:
            raise traffic.TrafficError(f"The candidate {name} has all of the traffic already; there is nothing to move.")
        return colours[name]

    def _sources(self):
        options = self._options
        probe, prometheus_options = options["probe"], options["prometheus"]
        probes = None
        if probe:
            url = probe["url"].replace("{dns_name}", self._place.dns_name)
            signed = {self._names[colour]: colour for colour in (LIVE, CANDIDATE)}
            more = {name: probe[name] for name in ("rate", "timeout_s", "headers", "ca_file")}
            probes = Probes(url, probe["header"], signed, **more)
        arns = self._place.arns()
        cloudwatch = prometheus = None
        if options["cloudwatch"]:
            groups = {colour: arns[group] for colour, group in self._groups.items()}
            cloudwatch = metrics.CloudWatch(self._account.client("cloudwatch"), self._place.load_balancer_arn, groups)
        if prometheus_options:
            queries = {
                key: prometheus_options[key] for key in ("requests", "errors", "client_errors", "p95_s") if prometheus_options.get(key)
            }
            prometheus = metrics.Prometheus(prometheus_options["url"], queries, self._names)
        return probes, cloudwatch, prometheus

    def _pollers(self, driver, cloudwatch, prometheus) -> list:
        options = self._options
        polls = [
            ("target health", 2.0, sources.target_health(self._weights, self._groups)),
            ("live weights", 2.0, sources.live_weights(self._weights, self._groups)),
            ("commands", 1.0, sources.Commands(self._record)),
        ]
        if options["ecs"]:
            named = options["ecs"]["services"]
            services = {colour: named.get(self._names[colour]) for colour in (LIVE, CANDIDATE)}
            if None in services.values():
                raise traffic.TrafficError(f"ecs.services must name a service for each colour: {' and '.join(self._names.values())}.")
            polls.append(("tasks", 2.0, sources.Tasks(self._account.client("ecs"), options["ecs"]["cluster"], services)))
        if options["alarms"]:
            polls.append(("alarms", 10.0, sources.alarms(self._account.client("cloudwatch"), options["alarms"])))
        if cloudwatch:
            polls.append((cloudwatch.NAME, 5.0, cloudwatch))
        if prometheus:
            polls.append((prometheus.NAME, options["prometheus"]["period_s"], prometheus))
        return [sources.Poller(name, period, poll, driver.put) for name, period, poll in polls]

    def _about(self) -> dict:
        return {
            "id": self._id,
            "listener": self._place.text,
            "colours": [self._names[LIVE], self._names[CANDIDATE]],
            "groups": [self._groups[LIVE], self._groups[CANDIDATE]],
            "started_at": self._now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "by": self._who,
        }

    def _path(self) -> str | None:
        folder = self._options["evidence"]
        if not folder:
            return None
        os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, f"rollout-{self._id}")

    def _watchdog(self) -> dict:
        options = self._options
        return {
            "account": self._account.as_dict(),
            "name": options["load_balancer"],
            "port": options["listener_port"],
            "priority": options["rule_priority"],
            "record": self._record.name,
            "log": f"{self._path()}.watchdog.log" if self._path() else os.devnull,
        }


def _given(values: dict) -> dict:
    return {name: value for name, value in values.items() if value is not None}


def _colours(raw: dict) -> dict:
    if len(raw) != 2 or len(set(raw.values())) != 2:
        raise traffic.TrafficError(
            "colours must name two colours with a target group each, such as {blue: chat-dev-blue, green: chat-dev-green}."
        )
    return {str(colour): str(group) for colour, group in raw.items()}
