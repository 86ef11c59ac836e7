# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The record a rollout leaves: what was decided when and on which counts, as data and as Markdown; writes no file."""

from __future__ import annotations

from .samples import ANY, CANDIDATE, LIVE, Sample, percentile

BUCKET_S = 2.0  # width of a point of the series, in seconds


class Series:
    """Counts of both colours over time, gathered into points of BUCKET_S."""

    def __init__(self):
        self._points: dict = {}

    def add(self, at: float, weights, samples) -> None:
        """Samples of the fast source that came ``at`` seconds after the start."""
        bucket = int(at // BUCKET_S)
        point = self._points.setdefault(bucket, {"weights": list(weights), LIVE: None, CANDIDATE: None})
        point["weights"] = list(weights)
        for sample in samples:
            if sample.colour == ANY:
                continue
            have = point[sample.colour]
            point[sample.colour] = sample if have is None else have + sample

    def points(self) -> list:
        """[{at, weights, live: {requests, errors, p95_ms} or None, candidate: …}], in order of time."""
        return [
            {
                "at": bucket * BUCKET_S,
                "weights": point["weights"],
                LIVE: _shown(point[LIVE]),
                CANDIDATE: _shown(point[CANDIDATE]),
            }
            for bucket, point in sorted(self._points.items())
        ]


def _shown(sample: Sample | None):
    if sample is None or not sample.requests:
        return None
    p95 = percentile(sample.latencies_ms, 0.95)
    return {"requests": sample.requests, "errors": sample.errors, "p95_ms": None if p95 is None else round(p95, 1)}


def record(rollout, series: Series, about: dict) -> dict:
    """Everything about a finished rollout as plain data. ``about``: who, what, when (``started_at`` in ISO 8601), names of the colours."""
    started = rollout.started or 0.0
    ended = rollout.ended if rollout.ended is not None else started

    def since(moment):
        return None if moment is None else round(moment - started, 3)

    names = {**rollout.names, ANY: "unattributed"}
    back = None
    if rollout.state == "rolled_back" and rollout.abort_at is not None:
        first = rollout.first_error if rollout.first_error is not None else rollout.abort_at
        back = {
            "why": rollout.why,
            "first_bad_answer_at": since(rollout.first_error),
            "decided_at": since(rollout.abort_at),
            "restored_at": since(ended),
            "decision_to_restored_s": round(ended - rollout.abort_at, 3),
            "first_bad_answer_to_restored_s": round(ended - min(first, rollout.abort_at), 3),
        }
    return {
        **about,
        "outcome": rollout.state,
        "why": rollout.why,
        "seconds": round(ended - started, 3),
        "weights": list(rollout.weights),
        "plan": [list(step.weights) for step in rollout.steps],
        "rollback": back,
        "totals": [
            {"source": source, "role": role, "colour": names[role], "requests": total[0], "errors": total[1], "client_errors": total[2]}
            for (source, role), total in sorted(rollout.totals.items())
        ],
        "verdict": {"action": rollout.verdict.action, "why": rollout.verdict.why, "arithmetic": list(rollout.verdict.arithmetic)},
        "timeline": list(rollout.timeline),
        "series": series.points(),
    }


def markdown(found: dict) -> str:
    """The record as a page for a pull request or a chat: outcome, what decided, timeline."""
    live, candidate = found["colours"]
    lines = [
        f"# {_title(found)}",
        "",
        f"- Listener: {found['listener']}",
        f"- Live before: {live}; candidate: {candidate}; plan: {', '.join(f'{a}/{b}' for a, b in found['plan'])}",
        f"- Started {found['started_at']} by {found['by']}, took {found['seconds']:.1f} s",
        f"- Outcome: {found['outcome'].replace('_', ' ')}, {found['why']}",
    ]
    if found["rollback"]:
        back = found["rollback"]
        lines.append(f"- From the first bad answer to the weights verified: {back['first_bad_answer_to_restored_s']:.1f} s")
    lines += ["", "| source | colour | requests | 5xx or no answer | 4xx |", "|---|---|---:|---:|---:|"]
    for row in found["totals"]:
        lines.append(f"| {row['source']} | {row['colour']} | {row['requests']} | {row['errors']} | {row['client_errors']} |")
    lines += ["", "| s | step | weights | what |", "|---:|---:|---|---|"]
    for entry in found["timeline"]:
        text = entry["text"].replace("|", "\\|")
        lines.append(f"| {entry['at']:.1f} | {entry['step']} | {entry['weights'][0]}/{entry['weights'][1]} | {entry['kind']}: {text} |")
    decided = [entry for entry in found["timeline"] if entry.get("arithmetic")]
    if decided:
        lines += [
            "",
            "How the last verdict was reached (S: log likelihood ratio of the epoch; E: mixture over the epochs):",
            "",
            f"| test | source | {candidate} | tolerated | guilty | S | clear at | ln E | abort at |",
            "|---|---|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for row in decided[-1]["arithmetic"]:
            rates = f"{100 * row['baseline']:.2f} % | {100 * row['guilty_rate']:.2f} %"
            numbers = " | ".join(f"{row[name]:.2f}" for name in ("llr", "clear_at", "log_e", "abort_at"))
            lines.append(
                f"| {row['test']} | {row['source']} | {row['candidate_events']}/{row['candidate_requests']} | {rates} | {numbers} |"
            )
    return "\n".join(lines) + "\n"


def _title(found: dict) -> str:
    words = {"done": "promoted", "rolled_back": "rolled back", "stuck": "stuck"}
    return f"Rollout {found['id']}: {words.get(found['outcome'], found['outcome'])}"
