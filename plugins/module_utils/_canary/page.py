# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The record of a rollout as one HTML page without anything from outside: weights, error rates and p95 of both colours over time."""

from __future__ import annotations

import html
import math

from .samples import CANDIDATE, LIVE

WIDTH, HEIGHT, LEFT, BOTTOM = 860, 150, 60, 22
LABEL = 80  # a label that starts nearer to the right edge than this stands to the left of its line
INKS = {"blue": "#1f6feb", "green": "#1a7f37"}
"""A colour that is called by one of these names is drawn in that colour; any other name gets the role's ink."""
OTHER_INKS = {LIVE: "#57606a", CANDIDATE: "#8250df"}
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
h1{font-size:1.4rem} h2{font-size:1.05rem;margin:1.6rem 0 .3rem} table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #d0d7de;padding:.2rem .5rem;text-align:left;vertical-align:top} td.n,th.n{text-align:right}
svg{width:100%;height:auto} text{font:11px system-ui,sans-serif;fill:#57606a} .grid{stroke:#d0d7de;stroke-width:1}
.bad{color:#b42318} .good{color:#1a7f37} .key{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin:0 .3rem 0 1rem}
"""


def page(found: dict) -> str:
    """The whole page as text; ``found`` is what evidence.record returned."""
    live, candidate = (html.escape(name) for name in found["colours"])
    end = max([found["seconds"], *(point["at"] for point in found["series"]), 1.0])
    good = found["outcome"] == "done"
    ink = inks(found)
    title = f"Rollout {found['id']}: {found['outcome'].replace('_', ' ')}"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{html.escape(title)}</title><style>{STYLE}</style>",
        f"<h1 class={'good' if good else 'bad'}>{html.escape(title)}</h1>",
        f"<p>{html.escape(found['why'])}. {html.escape(found['listener'])}, started {html.escape(found['started_at'])} "
        f"by {html.escape(found['by'])}, {found['seconds']:.1f} s.</p>",
        f"<p><span class=key style='background:{ink[LIVE]}'></span>{live} (live before)"
        f"<span class=key style='background:{ink[CANDIDATE]}'></span>{candidate} (candidate)</p>",
        "<h2>Weight, %</h2>",
        _chart(
            end,
            100.0,
            {colour: _weights(found["timeline"], place, end) for place, colour in enumerate((LIVE, CANDIDATE))},
            _marks(found),
            ink,
        ),
        "<h2>5xx or no answer, % of the probes' requests</h2>",
        _rates(found["series"], end, _marks(found), ink),
        "<h2>p95, ms</h2>",
        _percentiles(found["series"], end, _marks(found), ink),
        "<h2>Timeline</h2>",
        _timeline(found),
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def inks(found: dict) -> dict:
    """{LIVE: ink, CANDIDATE: ink}."""
    return {role: INKS.get(name.lower(), OTHER_INKS[role]) for role, name in zip((LIVE, CANDIDATE), found["colours"], strict=True)}


def _weights(timeline, place, end) -> list:
    """A staircase from the timeline, which has the weights after a rollback too: each weight holds until the next one is in force."""
    line: list = []
    for entry in timeline:
        if line:
            line.append((entry["at"], line[-1][1]))
        line.append((entry["at"], entry["weights"][place]))
    if line:
        line.append((end, line[-1][1]))
    return list(dict.fromkeys(line))


def _rates(series, end, marks, ink) -> str:
    lines = {
        colour: [(point["at"], 100 * point[colour]["errors"] / point[colour]["requests"]) for point in series if point[colour]]
        for colour in (LIVE, CANDIDATE)
    }
    return _chart(end, max([5.0, *(value for line in lines.values() for _at, value in line)]), lines, marks, ink)


def _percentiles(series, end, marks, ink) -> str:
    lines = {
        colour: [(point["at"], point[colour]["p95_ms"]) for point in series if point[colour] and point[colour]["p95_ms"] is not None]
        for colour in (LIVE, CANDIDATE)
    }
    return _chart(end, max([10.0, *(value for line in lines.values() for _at, value in line)]), lines, marks, ink)


def _marks(found) -> list:
    """(seconds, letter) of what deserves a line across the charts."""
    letters = {"abort": "abort", "command": "command", "pause": "pause"}
    return [(entry["at"], letters[entry["kind"]]) for entry in found["timeline"] if entry["kind"] in letters]


def ticks(top: float, most: int = 5) -> list:
    """Round values from 0 (steps of 1, 2 or 5 and zeros), at most ``most`` steps; the last is the first that is not less than ``top``."""
    step = 10.0 ** math.floor(math.log10(top / most))
    step *= next(factor for factor in (1, 2, 5, 10) if step * factor * most >= top * (1 - 1e-9))
    return [round(step * place, 9) for place in range(math.ceil(top / step - 1e-9) + 1)]


def _chart(end: float, top: float, lines: dict, marks, ink) -> str:
    values, times = ticks(top), ticks(end)
    top, end = values[-1], times[-1]

    def x(at):
        return round(LEFT + (WIDTH - LEFT - 10) * at / end, 1)

    def y(value):
        return round(8 + (HEIGHT - BOTTOM - 8) * (1 - value / top), 1)

    parts = [f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role=img>"]
    for value in values:
        parts.append(f"<line class=grid x1={LEFT} x2={WIDTH - 10} y1={y(value)} y2={y(value)} />")
        parts.append(f"<text x={LEFT - 6} y={y(value) + 4} text-anchor=end>{value:g}</text>")
    for at in times:
        anchor = "end" if at == end else "middle"
        parts.append(f"<text x={x(at)} y={HEIGHT - 5} text-anchor={anchor}>{at:g} s</text>")
    for at, word in marks:
        parts.append(f"<line x1={x(at)} x2={x(at)} y1=8 y2={HEIGHT - BOTTOM} stroke='#b42318' stroke-dasharray='3 3' />")
        beside = f"x={round(x(at) + 3, 1)}" if x(at) < WIDTH - LABEL else f"x={round(x(at) - 3, 1)} text-anchor=end"
        parts.append(f"<text {beside} y=16>{html.escape(word)}</text>")
    for colour, line in lines.items():
        if line:
            points = " ".join(f"{x(at)},{y(value)}" for at, value in line)
            parts.append(f"<polyline fill=none stroke='{ink[colour]}' stroke-width=2 points='{points}' />")
            parts += [f"<circle cx={x(at)} cy={y(value)} r=2 fill='{ink[colour]}' />" for at, value in line if len(line) < 200]
    parts.append("</svg>")
    return "".join(parts)


def _timeline(found) -> str:
    rows = [
        f"<tr><td class=n>{entry['at']:.1f}<td class=n>{entry['step']}<td>{entry['weights'][0]}/{entry['weights'][1]}"
        f"<td>{html.escape(entry['kind'])}<td>{html.escape(entry['text'])}"
        for entry in found["timeline"]
    ]
    return "<table><tr><th class=n>s<th class=n>step<th>weights<th>kind<th>what" + "".join(rows) + "</table>"
