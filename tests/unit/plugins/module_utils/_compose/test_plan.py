# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: what a release does to each service."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import model, names, plan

from .builders import container, published, want

PROXY = container("backend-1", owner="backend", role=names.ROLE_PROXY, mark="p")
BLUE = container("backend-blue-1", owner="backend", colour="blue")
GREEN = container("backend-green-1", owner="backend", colour="green", mark="i.e.m.OTHER")
LIVE_BLUE = {"backend": plan.Proxy("blue", "text")}


def decide(wanted, containers=(), proxies=None, jobs=None, **more):
    return plan.decide(wanted, list(containers), proxies or {}, jobs=jobs or {}, **more)


def only(*args, **kwargs):
    decided = decide(*args, **kwargs)
    assert len(decided.actions) == 1
    return decided.actions[0]


def test_a_new_service():
    action = only([want()])
    assert (action.action, action.reasons, action.old, action.new, action.proxy) == ("create", ("new",), "", "blue", "create")


def test_nothing_to_do():
    decided = decide([want()], [PROXY, BLUE], LIVE_BLUE)
    assert (decided.actions[0].action, decided.actions[0].new, decided.changed, decided.leftovers) == ("none", "blue", False, ())


@pytest.mark.parametrize(
    ("mark", "reasons"), [("X.e.m.d", ("image",)), ("i.X.m.d", ("environment",)), ("i.e.X.X", ("mounted files", "definition"))]
)
def test_a_changed_service_goes_to_the_other_colour(mark, reasons):
    decided = decide([want(mark=mark)], [PROXY, BLUE], LIVE_BLUE)
    action = decided.actions[0]
    assert (action.action, action.reasons, action.old, action.new, action.proxy) == ("replace", reasons, "blue", "green", "")
    assert decided.leftovers == (BLUE,)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"state": "exited", "exit_code": 1}, "not running"),
        ({"state": "exited", "exit_code": 0}, "not running"),
        ({"health": "unhealthy"}, "not healthy"),
        ({"state": "restarting"}, "not running"),
    ],
)
def test_a_sick_service_is_replaced(state, reason):
    action = only([want()], [PROXY, container("backend-blue-1", owner="backend", colour="blue", **state)], LIVE_BLUE)
    assert (action.action, action.reasons, action.new) == ("replace", (reason,), "green")


def test_a_changed_number_of_containers():
    assert only([want(replicas=2)], [PROXY, BLUE], LIVE_BLUE).reasons == ("replicas",)


@pytest.mark.parametrize(
    ("proxy", "observed", "step", "reason"),
    [
        (None, plan.Proxy("blue", "text"), "create", "proxy is missing"),
        (container("backend-1", owner="backend", role="proxy", mark="other"), plan.Proxy("blue", "text"), "recreate", "proxy"),
        (
            container("backend-1", owner="backend", role="proxy", mark="p", state="exited"),
            plan.Proxy("blue", "text"),
            "recreate",
            "proxy is not running",
        ),
        (PROXY, plan.Proxy("blue", "old text"), "reload", "proxy configuration"),
    ],
)
def test_the_proxy_alone(proxy, observed, step, reason):
    action = only([want()], [one for one in (proxy, BLUE) if one], {"backend": observed})
    assert (action.action, action.proxy, action.reasons, action.old, action.new) == ("proxy", step, (reason,), "blue", "blue")


def test_the_colour_that_a_dead_release_left_is_a_leftover():
    decided = decide([want()], [PROXY, BLUE, GREEN], LIVE_BLUE)
    assert (decided.changed, decided.leftovers) == (False, (GREEN,))


def test_what_plain_compose_started_is_adopted():
    old = container("backend-1", owner="backend", role="", mark="")
    decided = decide([want()], [old])
    action = decided.actions[0]
    assert (action.action, action.adopts, action.old, action.new, action.reasons) == (
        "replace",
        True,
        "",
        "blue",
        ("runs under plain Compose",),
    )
    assert decided.leftovers == (old,)


@pytest.mark.parametrize(
    ("workers", "proxy", "live"),
    [
        ([BLUE, GREEN], plan.Proxy("green"), "green"),
        ([BLUE], plan.Proxy(), "blue"),
        ([BLUE, container("g", owner="backend", colour="green", release="r2")], plan.Proxy(), "green"),
        ([BLUE, container("g", owner="backend", colour="green", state="exited", release="r2")], plan.Proxy(), "blue"),
        ([BLUE, GREEN], plan.Proxy(), ""),
        ([], plan.Proxy(), ""),
    ],
)
def test_which_colour_is_live(workers, proxy, live):
    assert plan.live_colour(workers, proxy, "r2") == live


def test_a_service_without_a_proxy_is_rolled():
    old = container("cron-blue-1", owner="cron", colour="blue")
    action = only([want("cron", model.ROLLING, mark="X.e.m.d")], [old])
    assert (action.action, action.old, action.new, action.proxy) == ("replace", "blue", "green", "")


DATABASE = container("db-1", owner="db", role="plain", mark="i.e.m.d", image="mysql@sha256:1")


@pytest.mark.parametrize(
    ("containers", "mark", "action", "reasons"),
    [
        ([], "i.e.m.d", "create", ("new",)),
        ([DATABASE], "i.e.m.d", "none", ()),
        ([DATABASE], "i.X.m.d", "recreate", ("environment",)),
        ([container("db-1", owner="db", role="plain", state="exited", exit_code=137)], "i.e.m.d", "start", ("not running",)),
        ([container("db-1", owner="db", role="", mark="", config_hash="hash")], "i.e.m.d", "none", ()),
        ([container("db-1", owner="db", role="", mark="", config_hash="other")], "i.e.m.d", "recreate", ("definition",)),
        ([container("db-1", owner="db", role="proxy", mark="p")], "i.e.m.d", "recreate", ("kind",)),
    ],
)
def test_a_stateful_service(containers, mark, action, reasons):
    wanted = plan.Wanted(want("db", model.STATEFUL).service, mark, compose_hash="hash")
    found = only([wanted], containers)
    assert (found.action, found.reasons) == (action, reasons)


def test_a_stateful_service_stays_on_its_image():
    assert only([want("db", model.STATEFUL)], [DATABASE]).image == "mysql@sha256:1"


def test_what_shares_a_namespace_is_recreated_with_it():
    wanted = [want("app", model.RECREATED, mark="X.e.m.d"), want("sidecar", model.RECREATED, follows=("app",))]
    running = [container("app-1", owner="app", role="plain"), container("sidecar-1", owner="sidecar", role="plain")]
    decided = decide(wanted, running)
    assert [action.reasons for action in decided.actions] == [("image",), ("shares with app",)]
    assert not decide([want("app", model.RECREATED), wanted[1]], running).changed


JOB = want("migrate", model.JOB)


def with_job(mark="i.e.m.d", **more):
    backend = want(mark=mark, needs={"migrate": "service_completed_successfully"})
    ended = container("migrate-1", owner="migrate", role="job", state="exited")
    return decide([JOB, backend], [PROXY, BLUE, ended], LIVE_BLUE, **more).of("migrate")


def test_a_job_runs_when_it_is_new_or_changed_or_waited_for():
    assert with_job().reasons == ("new",)
    assert with_job(jobs={"migrate": "i.e.m.OLD"}).reasons == ("definition",)
    assert with_job(jobs={"migrate": "i.e.m.d"}).action == "none"
    assert with_job("X.e.m.d", jobs={"migrate": "i.e.m.d"}).reasons == ("a service that waits for it starts",)


def test_a_job_does_not_run_on_the_way_back():
    assert with_job("X.e.m.d", jobs={"migrate": "i.e.m.OLD"}, rollback=True).action == "none"


def test_services_that_left_are_removed_and_strangers_are_not():
    stranger = container("tool-1", owner="tool", role="", mark="")
    gone = container("old-blue-1", owner="old", colour="blue")
    decided = decide([want()], [PROXY, BLUE, gone, stranger], LIVE_BLUE)
    assert decided.of("old").action == "remove"
    assert (decided.leftovers, decided.foreign) == ((gone,), (stranger,))
    assert decided.warnings == (
        "Container popcon-tool-1 belongs to no service of the compose file and no release made it; it is left alone.",
    )


def test_a_service_that_leaves_gives_its_port_to_one_that_comes():
    gone = container("old-1", owner="old", role="proxy", published=(("", "80", "tcp"),))
    newcomer = want("new", definition={"image": "x", "ports": [published(8080, 80)]})
    assert decide([newcomer], [gone]).yielding == (gone,)
    assert decide([want("new", definition={"image": "x", "ports": [published(8080, 81)]})], [gone]).yielding == ()
