# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of amazon.aws as an independent client: build twice (the second time changes nothing), inventory, cycle, remove."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import free_cidr

HERE = pathlib.Path(__file__).parent
REPOSITORY = HERE.parents[2]


@pytest.fixture(scope="module")
def ansible(cloud_env, tmp_path_factory, engine):
    """`ansible(program, *arguments)`: its standard output."""
    search = os.pathsep.join([str(REPOSITORY / ".venv" / "bin"), os.environ["PATH"]])
    if shutil.which("ansible-playbook", path=search) is None:
        pytest.skip("ansible-playbook is not installed")
    work = tmp_path_factory.mktemp("ansible")
    (work / "ansible.cfg").write_text("[defaults]\nlocalhost_warning = false\ndeprecation_warnings = false\n")
    environment = {**os.environ, **cloud_env, "ANSIBLE_CONFIG": str(work / "ansible.cfg"), "PATH": search}
    cidr = ".".join(free_cidr(engine).split(".")[:2])

    def run(program, *arguments):
        extra = ["-e", f"cidr={cidr}"] if program == "ansible-playbook" else []
        done = subprocess.run([shutil.which(program, path=search), *arguments, *extra], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        return done.stdout

    run.work = work
    return run


def counts(output):
    """The recap as a dictionary."""
    recap = re.search(r"^localhost\s+: (.*)$", output, re.MULTILINE)
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", recap[1])}


def test_stock_modules(ansible, boto):
    first = counts(ansible("ansible-playbook", "-i", "localhost,", str(HERE / "build.yml")))
    assert first["changed"] == 9
    second = ansible("ansible-playbook", "-i", "localhost,", str(HERE / "build.yml"))
    assert counts(second)["changed"] == 0, second

    source = ansible.work / "aws_ec2.yml"
    source.write_text('plugin: amazon.aws.aws_ec2\nregions: [ap-northeast-2]\nfilters: {"tag:system": stock}\nhostnames: ["tag:Name"]\n')
    inventory = json.loads(ansible("ansible-inventory", "-i", str(source), "--list"))
    assert inventory["aws_ec2"]["hosts"] == ["stock-1"]
    assert inventory["_meta"]["hostvars"]["stock-1"]["placement"]["availability_zone"] == {"__ansible_unsafe": "ap-northeast-2a"}

    tagged = boto("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "stock", "Values": ["yes"]}])["ResourceTagMappingList"]
    assert [item["ResourceARN"].split(":")[5].split("/")[0] for item in tagged] == ["vpc"]

    ansible("ansible-playbook", "-i", "localhost,", str(HERE / "cycle.yml"))
    left = boto("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["ec2"], TagFilters=[{"Key": "stock"}])
    assert left["ResourceTagMappingList"] == []
