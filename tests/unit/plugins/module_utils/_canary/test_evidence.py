# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a rollout: complete as data, readable as Markdown, and one page without anything from outside."""

from __future__ import annotations

import html.parser
import json
import re

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._canary import evidence, page
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import CANDIDATE, FAST, LIVE, Sample

from .driven import Driven

ABOUT = {
    "id": "20261121T101500Z",
    "listener": "chat-dev:80",
    "colours": ["chat-<blue>", "chat-green"],
    "started_at": "2026-11-21T10:15:00Z",
    "by": "kim@laptop",
}


def finished(errors=0, names=None, about=None):
    one = Driven(names=names or {LIVE: "chat-<blue>", CANDIDATE: "chat-green"}).start().to_step(2)
    series = evidence.Series()
    while not one.rollout.finished:
        one.wait(1, candidate=(60, errors))
        at = one.now - one.rollout.started
        live, candidate = Sample(FAST, LIVE, 60, latencies_ms=(30.0,) * 60), Sample(FAST, CANDIDATE, 60, errors, latencies_ms=(31.0,) * 60)
        series.add(at, one.live, [live, candidate])
    return evidence.record(one.rollout, series, about or ABOUT)


def test_a_promotion_is_recorded():
    found = finished()
    assert (found["outcome"], found["weights"], found["rollback"]) == ("done", [0, 100], None)
    assert found["plan"] == [[90, 10], [50, 50], [10, 90], [0, 100]]
    assert json.loads(json.dumps(found)) == found


def test_a_rollback_has_its_times_and_arithmetic():
    found = finished(errors=6)
    back = found["rollback"]
    assert back["first_bad_answer_at"] <= back["decided_at"] <= back["restored_at"]
    assert back["first_bad_answer_to_restored_s"] <= 5
    abort = next(entry for entry in found["timeline"] if entry["kind"] == "abort")
    assert any(row["log_e"] >= row["abort_at"] for row in abort["arithmetic"])


def test_the_series_gathers_samples_into_points():
    series = evidence.Series()
    for at in (0.0, 0.9, 1.9, 2.1):
        series.add(at, (90, 10), [Sample(FAST, CANDIDATE, 10, 1, latencies_ms=(5.0,) * 10)])
    points = series.points()
    assert [point["at"] for point in points] == [0.0, 2.0]
    assert points[0][CANDIDATE] == {"requests": 30, "errors": 3, "p95_ms": 5.0}
    assert points[0][LIVE] is None


def test_markdown_says_what_decided():
    text = evidence.markdown(finished(errors=6))
    assert "# Rollout 20261121T101500Z: rolled back" in text
    assert "From the first bad answer to the weights verified" in text
    assert "| errors | probes | " in text
    assert "| probes | chat-green |" in text


REVERSED = {LIVE: "green", CANDIDATE: "blue"}


def reversed_rollout(errors=6):
    """Every second release: green is live and blue is the candidate."""
    return finished(errors, REVERSED, {**ABOUT, "colours": ["green", "blue"]})


@pytest.mark.case("B2")
def test_the_words_of_a_rollout_name_the_real_colours():
    found = reversed_rollout()
    assert re.match("5xx or no answer: [0-9]+ of blue's [0-9]+ requests", found["why"])
    words = [found["why"], found["verdict"]["why"], *(entry["text"] for entry in found["timeline"])]
    assert not [text for text in words if "green's" in text or "candidate" in text or "to green" in text]
    assert any("green 90 %, blue 10 % in force" in text for text in words)
    assert {(row["role"], row["colour"]) for row in found["totals"]} == {("live", "green"), ("candidate", "blue")}
    assert "| test | source | blue | tolerated |" in evidence.markdown(found)


@pytest.mark.case("B2")
def test_a_promotion_names_the_real_colours():
    words = [entry["text"] for entry in reversed_rollout(errors=0)["timeline"]]
    assert "done: green 0 %, blue 100 % is in force" in words
    assert any("blue is no worse than green" in text for text in words)


@pytest.mark.case("B2")
@pytest.mark.parametrize("colours", [["green", "blue"], ["blue", "green"]])
def test_the_page_draws_each_colour_in_its_own_ink(colours):
    inks = page.inks({"colours": colours})
    assert inks[LIVE if colours[0] == "blue" else CANDIDATE] == "#1f6feb"
    assert inks[LIVE if colours[0] == "green" else CANDIDATE] == "#1a7f37"


@pytest.mark.case("B2")
def test_the_inks_of_other_names_differ():
    assert len(set(page.inks({"colours": ["old", "new"]}).values())) == 2


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_stands_alone_and_escapes_names():
    reader = Reader()
    text = page.page(finished(errors=6))
    reader.feed(text)
    assert reader.tags.count("svg") == 3
    assert reader.tags.count("polyline") == 6
    assert reader.links == []
    assert "script" not in reader.tags
    assert "blue" not in reader.tags, "a name must not become a tag"
    assert "chat-<blue>" in "".join(reader.words)


def test_a_page_of_a_rollout_without_samples_is_a_page():
    one = Driven().start()
    one.do(one.rollout.on_interrupt(one.now, "SIGINT"))
    one.rollout.ended += 2.5
    found = evidence.record(one.rollout, evidence.Series(), ABOUT)
    assert found["seconds"] == 2.5
    assert "rolled back" in page.page(found)
    assert "rolled back" in evidence.markdown(found)


@pytest.mark.case("B3")
@pytest.mark.parametrize(("errors", "last"), [(6, (100, 0)), (0, (0, 100))])
def test_the_lines_of_the_weights_end_where_the_traffic_is(errors, last):
    found = finished(errors=errors)
    found["series"] = [{**point, "weights": [50, 50]} for point in found["series"]]  # the last samples come before the last weights
    text = page.page(found)
    ends = [line.split()[-1] for line in re.findall("<polyline [^>]*points='([^']+)'", text)[:2]]
    height = {100: 8.0, 0: 128.0}
    assert [float(point.split(",")[1]) for point in ends] == [height[weight] for weight in last]


@pytest.mark.case("B3")
def test_a_mark_at_the_right_edge_has_its_label_to_the_left():
    found = finished(errors=6)
    found["timeline"].append({**found["timeline"][-1], "kind": "pause", "at": 0.0})
    text = page.page({**found, "seconds": found["rollback"]["decided_at"], "series": []})
    labels = re.findall(r"<text x=([0-9.]+)( text-anchor=end)? y=16>(abort|pause)<", text)
    assert {word for _x, _end, word in labels} == {"abort", "pause"}
    assert all(float(x) < page.WIDTH and (end or float(x) < page.WIDTH - page.LABEL + 3) for x, end, _word in labels)
    at_edge = page.page({**found, "seconds": 100.0, "timeline": [{**found["timeline"][-1], "kind": "abort", "at": 100.0}]})
    assert "<text x=847.0 text-anchor=end y=16>abort</text>" in at_edge


@pytest.mark.case("B3")
@pytest.mark.parametrize(
    ("top", "values"),
    [
        (100, [0, 20, 40, 60, 80, 100]),
        (7.14, [0, 2, 4, 6, 8]),
        (46.5, [0, 10, 20, 30, 40, 50]),
        (1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.3, [0, 0.1, 0.2, 0.3]),
        (186, [0, 50, 100, 150, 200]),
    ],
)
def test_ticks_are_round(top, values):
    assert page.ticks(top) == values
