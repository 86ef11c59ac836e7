# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data and startup script, rendered and run: what an instance says and does when all is there, and when something is missing."""

from __future__ import annotations

import pytest
from booting import PROGRAM, RELEASE, render

WORDS = "boot boot --bucket wealist-deploy-scripts --release " + RELEASE + " --group wealist-prod-backend --hook boot"


def test_everything_is_there(cloud, boot, startup, tmp_path):
    cloud.release()
    done = boot()
    assert done.returncode == 0, done.stderr
    assert cloud.lines() == [WORDS, '{"message": "boot_outcome", "outcome": "in service", "why": ""}']
    assert done.stderr.splitlines() == cloud.lines()
    assert cloud.completed == []  # the release program lets it enter service
    assert (tmp_path / "opt/compose-release.pyz").read_bytes() == PROGRAM
    assert (tmp_path / "docker/daemon.json").exists()


def abandoned(cloud):
    (body,) = cloud.completed
    return all(word in body for word in ("InstanceId=i-0123", "LifecycleActionResult=ABANDON", "AutoScalingGroupName=wealist-prod-backend"))


def test_a_release_that_fails(cloud, boot, startup):
    cloud.release(b"import sys\nprint('details of it')\nsys.exit('Release 1 of wealist failed.')\n")
    assert boot().returncode == 1
    assert cloud.outcome() == {"message": "boot_outcome", "outcome": "failed", "why": "Release 1 of wealist failed."}
    assert "details of it" in cloud.lines()
    assert abandoned(cloud)


def test_no_startup_script(cloud, boot):
    assert boot().returncode == 1
    assert cloud.outcome()["why"].startswith("Cannot boot: startup script /wealist/prod/startup-script:3 cannot be read: ")
    assert cloud.outcome()["why"].endswith("no such parameter. Run playbooks/deploy.yml, which writes it.")
    assert abandoned(cloud)


@pytest.mark.parametrize("missing", [(RELEASE, ""), ("boot/program.pyz", "v1")])
def test_an_object_that_is_missing(cloud, boot, startup, missing):
    cloud.release()
    del cloud.objects[missing]
    assert boot().returncode == 1
    assert cloud.outcome()["why"].startswith(f"Cannot boot: s3://wealist-deploy-scripts/{missing[0]} cannot be read: ")
    assert cloud.outcome()["why"].endswith("There is no such key. Run playbooks/deploy.yml, which writes it again.")
    assert abandoned(cloud)


def test_a_program_that_somebody_changed(cloud, boot, startup, tmp_path):
    cloud.release(sha256="0" * 64)
    assert boot().returncode == 1
    assert cloud.outcome()["why"] == (
        f"Cannot boot: s3://wealist-deploy-scripts/boot/program.pyz is not the program of {RELEASE}. "
        "Run playbooks/deploy.yml, which writes it again."
    )
    assert not (tmp_path / "opt/compose-release.pyz").exists()
    assert abandoned(cloud)


def test_a_script_that_says_nothing(cloud, boot):
    cloud.parameters["/wealist/prod/startup-script:3"] = "#!/bin/sh\nexit 7\n"
    assert boot().returncode == 1
    assert cloud.outcome()["why"] == "Cannot boot: startup script /wealist/prod/startup-script:3 ended with code 7 and said nothing."


def test_a_log_that_cannot_be_written_ends_no_boot(cloud, boot, startup):
    cloud.release()
    cloud.refuse_logs = True
    done = boot()
    assert done.returncode == 0
    assert cloud.log == []
    assert "The log goes on here alone: " in done.stderr and WORDS in done.stderr


def test_they_fit_where_they_are_kept(startup):
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html, and a parameter of the standard tier
    assert len(render("user-data.sh.j2").encode()) <= 16 * 1024
    assert len(render("startup-script.sh.j2", fleet_compose_sha256="0" * 64).encode()) <= 4096


def test_an_image_of_amazon_linux_gets_compose_when_its_digest_is_known():
    assert "amzn)" not in render("startup-script.sh.j2")
    text = render("startup-script.sh.j2", fleet_compose_sha256="1" * 64)
    assert f"echo '{'1' * 64}  /tmp/docker-compose' | sha256sum -c --quiet" in text
