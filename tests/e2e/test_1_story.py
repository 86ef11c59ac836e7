# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""popcon's life, in order: nothing, built, unchanged, used, redeployed, reconfigured, rolled back."""

from __future__ import annotations

import json
import urllib.request

import world


def test_check_mode_on_an_empty_environment_changes_nothing():
    result = world.run("site", "--check", "--diff")
    assert result.code == 0, result.output
    assert result.changed() > 5
    assert "would be created in subnet popcon-dev-public-a" in result.one_line()
    assert world.instance() is None
    tags = [{"Name": "tag:bluegreen:system", "Values": ["popcon"]}]
    assert world.client("ec2").describe_vpcs(Filters=tags)["Vpcs"] == []
    assert world.client("ssm").get_parameters_by_path(Path=world.PARAMETERS)["Parameters"] == []
    assert [role["RoleName"] for role in world.client("iam").list_roles()["Roles"] if role["RoleName"] == "popcon-dev"] == []
    names = [one["repositoryName"] for one in world.client("ecr").describe_repositories()["repositories"]]
    assert "popcon" not in names


def test_site_builds_everything(built):
    result = built["result"]
    summary = result.output[result.output.index("SUMMARY") :]
    assert world.url(3000) in summary
    assert world.release() in summary
    assert summary.count("sha256:") == 4
    assert world.get(f"{world.url(3000)}/healthz")[0] == 200
    assert world.get(f"{world.url(8080)}/healthz")[0] == 200
    assert world.on_instance("stat -c '%a %U' /opt/popcon/current/.env").split() == ["600", "root"]


def test_nothing_opens_ssh():
    groups = world.client("ec2").describe_security_groups(Filters=[{"Name": "tag:bluegreen:system", "Values": ["popcon"]}])
    ports = [rule.get("FromPort") for group in groups["SecurityGroups"] for rule in group["IpPermissions"]]
    assert sorted(ports) == [3000, 8080]
    assert "KeyName" not in world.instance()


def test_a_second_site_changes_nothing():
    before = world.release()
    result = world.run("site")
    assert result.code == 0, result.output
    assert result.changed() == 0, result.output
    assert world.release() == before


def test_check_mode_on_the_built_environment_changes_nothing():
    before = world.release()
    result = world.run("site", "--check", "--diff")
    assert result.code == 0, result.output
    assert result.changed() == 0, result.output
    assert world.release() == before


def stored():
    """Texts of the room, as the frontend hands them out."""
    return [one["text"] for one in json.loads(world.get(f"{world.url(3000)}/api/messages?room=e2e")[1])["messages"]]


def test_a_message_goes_through_the_frontend_to_the_store_and_back():
    body = json.dumps({"room": "e2e", "author": "test", "text": "안녕하세요"}).encode()
    request = urllib.request.Request(f"{world.url(3000)}/api/messages", data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status in (200, 201)
    assert stored() == ["안녕하세요"]


def test_a_new_image_is_deployed_without_losing_a_request():
    before = world.release()
    database = world.on_instance("docker ps -q --filter name=popcon-mysql")
    with world.Stream() as stream:
        result = world.run("site", env={"POPCON_VERSION": "2.0.0"})
    assert result.code == 0, result.output
    assert stream.failures == []
    assert stream.sent > 100
    assert world.info()["version"] == "2.0.0"
    assert world.release() != before
    assert world.on_instance("docker ps -q --filter name=popcon-mysql") == database, "the database was touched"
    assert stored() == ["안녕하세요"]


def test_a_changed_parameter_recreates_what_uses_it_and_nothing_else():
    world.client("ssm").put_parameter(Name=f"{world.PARAMETERS}/SPRING_PROFILES_ACTIVE", Value="staging", Type="String", Overwrite=True)
    frontend = world.on_instance("docker ps -q --filter name=popcon-frontend-[bg]")
    with world.Stream() as stream:
        result = world.deploy("--diff")
    assert result.code == 0, result.output
    assert stream.failures == []
    assert world.info()["profile"] == "staging"
    assert world.on_instance("docker ps -q --filter name=popcon-frontend-[bg]") == frontend


def test_rollback_returns_to_the_release_before_and_by_name_to_another():
    now = world.release()
    with world.Stream() as stream:
        result = world.run("rollback")
    assert result.code == 0, result.output
    assert stream.failures == []
    assert world.info()["profile"] == "dev"
    assert world.release() != now
    named = world.run("rollback", "-e", f"compose_app_release={now}")
    assert named.code == 0, named.output
    assert world.info()["profile"] == "staging"


def test_an_unknown_release_is_named():
    before = world.release()
    result = world.run("rollback", "-e", "compose_app_release=20200101T000000Z-none")
    assert result.code != 0
    assert "20200101T000000Z-none" in result.one_line()
    assert world.release() == before
