# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""chat from nothing: two colours behind a load balancer, a switch that promotes, one that goes back, and what happens when it is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import urllib.request

import chat
import pytest
import world

# Each takes two minutes; `make e2e` runs them, `make test` the others.
thorough = pytest.mark.thorough


@pytest.fixture(scope="module")
def built():
    """The environment, with a second version in the colour that is not live."""
    result = chat.run("site", timeout=900)
    assert result.code == 0, result.output[-6000:]
    return result


@pytest.fixture(scope="module")
def good(built):
    """Version 1.2.0 is deployed to the candidate."""
    before = chat.weights()
    result = chat.run("deploy", CHAT_VERSION="1.2.0")
    assert result.code == 0, result.output[-6000:]
    assert chat.weights() == before, "a deployment moves no weight"
    return built


def test_the_start_is_ninety_to_ten(built):
    assert chat.weights() == {"blue": 90, "green": 10}
    assert "http" in built.output


@thorough
def test_a_second_site_changes_nothing(built):
    assert built
    result = chat.run("site")
    assert (result.code, result.changed()) == (0, 0), result.output[-6000:]


def test_a_good_version_is_promoted_and_site_leaves_its_weights(good):
    assert good
    result = chat.switch()
    assert result.code == 0, result.output[-4000:]
    assert chat.weights() == {"blue": 0, "green": 100}
    found = chat.evidence()
    assert found["outcome"] == "done"
    assert "step 1/4" in result.output, "progress is shown while it runs"
    page = (chat.EVIDENCE / f"rollout-{found['id']}.html").read_text()
    assert page.count("<svg") == 3
    with urllib.request.urlopen(f"{chat.url()}/api/info") as answer:
        assert json.load(answer)["version"] == "1.2.0"


def test_rollback_is_one_command_and_says_so(good):
    assert good
    result = chat.run("rollback")
    assert result.code == 0, result.output[-4000:]
    assert chat.weights() == {"blue": 100, "green": 0}
    again = chat.run("rollback")
    assert (again.code, again.changed()) == (0, 0), again.output[-4000:]


@thorough
def test_a_bad_version_goes_back_by_itself(good):
    assert good
    result = chat.run("deploy", CHAT_VERSION="1.3.0", CHAT_FAULTS="error_rate=0.05")
    assert result.code == 0, result.output[-6000:]
    result = chat.switch(canary_gate={**chat.QUICK["canary_gate"], "hold_s": 30})
    assert result.code != 0
    assert chat.weights() == {"blue": 100, "green": 0}
    found = chat.evidence()
    assert found["outcome"] == "rolled_back"
    assert "5xx or no answer" in found["why"]
    assert found["why"].split(";")[0][:40] in result.one_line()


@pytest.fixture
def repaired(good):
    """A good candidate, whatever the test before left."""
    assert good
    result = chat.run("deploy", CHAT_VERSION="1.2.0")
    assert result.code == 0, result.output[-6000:]
    if chat.weights() != {"blue": 100, "green": 0}:
        assert chat.run("rollback", "-e", "canary_rollback_to=blue").code == 0


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@thorough
@pytest.mark.usefixtures("repaired")
def test_in_the_middle_of_a_switch():
    """One rollout, paused: site.yml leaves it alone, a second switch is refused, and abort from elsewhere leads back."""
    before = chat.record().get("id")
    process = chat.start_switch(canary_plan=[{"weights": [50, 50], "pause": True}, [0, 100]])
    try:
        chat.wait_for(lambda: chat.record().get("id") != before and chat.record().get("state") == "paused")
        assert chat.weights() == {"blue": 50, "green": 50}
        site = chat.run("site")
        assert (site.code, site.changed()) == (0, 0), site.output[-6000:]
        assert "delegated to the release" in site.one_line()
        assert chat.weights() == {"blue": 50, "green": 50}
        second = chat.switch()
        assert second.code != 0
        assert "holds the deployment lock" in second.one_line()
        assert chat.run("abort").code == 0
        output = process.communicate(timeout=60)[0]
        assert process.returncode != 0
        assert "aborted" in output or "which this rollout did not set" in output
        assert chat.weights() == {"blue": 100, "green": 0}
    finally:
        if process.poll() is None:
            kill(process)


@pytest.mark.usefixtures("repaired")
def test_kill_minus_nine_leads_back_within_ten_seconds():
    before = chat.record().get("id")
    process = chat.start_switch(canary_gate={**chat.QUICK["canary_gate"], "hold_s": 30})
    chat.judging(1, before)
    kill(process)
    began = time.monotonic()
    chat.wait_for(lambda: chat.weights() == {"blue": 100, "green": 0}, 30)
    assert time.monotonic() - began <= 10
    chat.wait_for(lambda: chat.record().get("state") == "rolled_back", 10)


def fault(method, **wish):
    """Switch faults of the load balancers' API on (POST) or off (DELETE)."""
    address = f"{os.environ['AWS_ENDPOINT_URL']}/_localcloud/elasticloadbalancing/faults"
    with urllib.request.urlopen(urllib.request.Request(address, method=method, data=json.dumps(wish).encode())) as answer:
        return answer.status


@pytest.mark.usefixtures("repaired")
def test_a_throttled_api_does_not_stop_the_way_back():
    before = chat.record().get("id")
    process = chat.start_switch(canary_gate={**chat.QUICK["canary_gate"], "hold_s": 60})
    try:
        chat.judging(1, before)
        assert fault("POST", operation="ModifyListener", code="Throttling", times=12) == 200
        process.send_signal(signal.SIGTERM)
        os.killpg(process.pid, signal.SIGTERM)
        chat.wait_for(lambda: chat.weights() == {"blue": 100, "green": 0}, 60)
    finally:
        with contextlib.suppress(OSError):
            fault("DELETE")
        if process.poll() is None:
            process.communicate(timeout=60)


@thorough
@pytest.mark.usefixtures("repaired")
def test_a_colour_is_retired_once_nobody_is_connected_to_it(tmp_path):
    assert chat.run("rollback", "-e", "canary_rollback_to=green").code == 0
    with contextlib.ExitStack() as users:
        sockets = [users.enter_context(chat.socket()) for _ in range(3)]
        assert {json.loads(socket.recv())["colour"] for socket in sockets} == {"green"}
        refused = chat.run("retire", "-e", "ecs_app_colour=green")
        assert refused.code != 0
        assert "only a colour without weight" in refused.one_line()
        assert chat.run("rollback", "-e", "canary_rollback_to=blue").code == 0
        log = tmp_path / "retire.log"
        process = chat.start("retire", log)
        chat.wait_for(lambda: "Until they are gone" in log.read_text(), 120)
        time.sleep(15)
        assert process.poll() is None, "it waits for those who are connected"
        assert chat.tasks("green") == (1, 1)
        for socket in sockets:
            socket.ping().wait(5)
    assert process.wait(400) == 0, log.read_text()[-4000:]
    assert "All 3 connections to chat-dev-green have ended" in " ".join(log.read_text().split())
    assert chat.tasks("green") == (0, 0)
    site = chat.run("site")
    assert (site.code, site.changed()) == (0, 0), site.output[-6000:]
    assert chat.tasks("green") == (0, 0), "what was retired stays so"
    again = chat.run("retire")
    assert (again.code, again.changed()) == (0, 0), again.output[-4000:]
    deployed = chat.run("deploy", CHAT_VERSION="1.2.0")
    assert deployed.code == 0, deployed.output[-4000:]
    assert chat.tasks("green") == (1, 1)


@thorough
def test_everything_can_be_destroyed(good):
    assert good
    result = chat.run("destroy", "-e", "preflight_confirm=chat-dev", timeout=900)
    assert result.code == 0, result.output[-6000:]
    tagged = world.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "bluegreen:system", "Values": ["chat"]}])
    assert [item["ResourceARN"] for item in tagged["ResourceTagMappingList"]] == []
