# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights as map entries, conditions as patterns, and what in a plan needs a new configuration."""

from __future__ import annotations

import dataclasses
import re

import pytest

from localcloud.balancer import model, render
from localcloud.balancer.conditions import Patterns
from localcloud.balancer.proxy import _structure
from localcloud.balancer.splits import Split, lines

CHECK = model.Check(secure=False, port=None, path="/health", interval=10, timeout=5, rise=5, fall=2, codes="200-399")
GROUPS = (model.Group("blue", False, False, CHECK), model.Group("green", False, False, CHECK))


def forward(blue: int, green: int, sticky: int = 0) -> model.Forward:
    return model.Forward((("blue", blue), ("green", green)), sticky)


def plan(action: model.Forward | model.Redirect | model.Fixed, *conditions: model.Condition, **changes: object) -> model.Plan:
    rules = (model.Rule("r1", conditions, action), model.Rule("r0", (), forward(1, 0)))
    return dataclasses.replace(model.Plan("lb", (model.Front("f", 80, rules),), GROUPS), **changes)


def text(made: model.Plan, *servers: model.Server) -> str:
    return render.render(made, list(servers), log_to="192.0.2.1:514", generation=3).text


@pytest.mark.parametrize(
    ("weights", "blue", "green"),
    [((90, 10), 9, 1), ((1, 1), 1, 1), ((0, 100), 0, 1), ((999, 998), 999, 998), ((3, 0), 1, 0), ((500, 250), 2, 1)],
)
def test_slots_are_in_the_ratio_of_the_weights(weights, blue, green):
    split = Split("r", 1, forward(*weights))
    drawn = [group for key, group in split.slots if key.rpartition("/")[2].isdigit()]
    assert (drawn.count("blue"), drawn.count("green")) == (blue, green)
    assert split.total == blue + green
    assert [key for key, _ in split.slots][: split.total] == [f"r/1/{number}" for number in range(split.total)]


def test_weights_of_zero_have_no_slots_and_cookies_still_name_their_groups():
    split = Split("r", 7, forward(0, 0, sticky=60))
    assert split.entry == ("r", "7:0:60")
    assert split.slots == [("r/7/blue", "blue"), ("r/7/green", "green")]
    assert lines(split.slots) == "r/7/blue blue\nr/7/green green\n"


def test_weights_and_servers_are_no_matter_of_the_configuration():
    before = _structure(plan(forward(90, 10)), {})
    assert _structure(plan(forward(0, 100, sticky=60)), {}) == before
    assert _structure(plan(forward(90, 10), model.Condition("path-pattern", ("/x",))), {}) != before
    assert _structure(plan(model.Fixed(200, "text/plain", "x")), {}) != before
    assert _structure(plan(forward(90, 10), idle_seconds=61), {}) != before
    assert _structure(plan(forward(90, 10)), {"certificate.pem": "x"}) != before
    other = (dataclasses.replace(GROUPS[0], check=dataclasses.replace(CHECK, interval=11)), GROUPS[1])
    assert _structure(plan(forward(90, 10), groups=other), {}) != _structure(plan(forward(90, 10)), {})


def test_a_pattern_file_of_another_content_is_another_configuration():
    first = plan(forward(1, 1), model.Condition("path-pattern", ("/x",)))
    second = plan(forward(1, 1), model.Condition("path-pattern", ("/y",)))
    assert text(first) == text(second)
    assert _structure(first, {}) != _structure(second, {})


@pytest.mark.parametrize(
    ("pattern", "matches", "differs"),
    [
        ("/api/*", ["/api/", "/api/a/b"], ["/api", "/x/api/"]),
        ("/v?", ["/v1", "/v?"], ["/v", "/v12"]),
        ("/a.b+c", ["/a.b+c"], ["/aXb+c", "/a.bbc"]),
        ("*.jpg", ["/x/y.jpg", ".jpg"], ["/x.jpgx"]),
    ],
)
def test_wildcards_match_the_whole_path(pattern, matches, differs):
    patterns = Patterns()
    assert patterns.test(model.Condition("path-pattern", (pattern,))) == "path -m reg -f /run/alb/patterns-0.lst"
    compiled = re.compile(patterns.files["patterns-0.lst"].strip())
    assert all(compiled.search(path) for path in matches)
    assert not any(compiled.search(path) for path in differs)


@pytest.mark.parametrize(
    ("pair", "matches", "differs"),
    [
        (("version", "2*"), ["version=2", "a=1&version=2.1&b=3"], ["version=12", "xversion=2", "version=1&x=2"]),
        (("", "beta"), ["x=beta", "beta", "a=1&beta"], ["x=betamax", "beta=1"]),
        (("v*", "?"), ["version=1", "v=2"], ["version=12", "w=1"]),
    ],
)
def test_parameters_of_the_query_match_as_a_whole(pair, matches, differs):
    patterns = Patterns()
    patterns.test(model.Condition("query-string", (pair,)))
    compiled = re.compile(patterns.files["patterns-0.lst"].strip(), re.IGNORECASE)
    assert all(compiled.search(query) for query in matches)
    assert not any(compiled.search(query) for query in differs)


def test_a_server_is_checked_and_has_a_twin_for_when_nobody_is_well():
    made = text(plan(forward(1, 1)), model.Server("blue", "10.0.0.5", 8080))
    assert "  server 10.0.0.5:8080 10.0.0.5:8080 check inter 10s rise 5 fall 2 weight 1\n" in made
    assert "  server open_10.0.0.5:8080 10.0.0.5:8080 backup\n" in made
    assert "  http-check expect status 200-399\n" in made


def test_targets_over_tls_are_reached_and_checked_over_tls():
    group = model.Group("blue", True, False, dataclasses.replace(CHECK, secure=True, port=9000))
    words = render.words(group, model.Server("blue", "10.0.0.5", 443))
    assert words == "10.0.0.5:443 ssl verify none check inter 10s rise 5 fall 2 port 9000 check-ssl verify none"


def test_literals_of_a_redirect_cannot_leave_their_quotes():
    action = model.Redirect(301, "HTTPS", "#{host}", "443", "/a'b 100%/#{path}", "")
    made = text(plan(action))
    assert "'https://%[var(txn.host),host_only]:443/a%%27b%%20100%%/%[path,bytes(1)]'" in made


def test_tls_of_an_old_policy_is_allowed_to_be_old():
    tls = model.Tls(("a.pem", "b.pem"), "TLSv1.0", "TLSv1.2", ("ECDHE-RSA-AES128-SHA",))
    made = render.render(model.Plan("lb", (model.Front("f", 443, (), tls),), ()), [], log_to="x", generation=0)
    assert "ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.2 ciphers ECDHE-RSA-AES128-SHA:@SECLEVEL=0 alpn h2,http/1.1" in made.text
    assert made.files["f.crt-list"] == "/run/alb/a.pem\n/run/alb/b.pem\n"
