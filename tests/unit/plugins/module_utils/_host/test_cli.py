# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command's arguments, exit codes and outputs."""

from __future__ import annotations

import json

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ReleaseFailed
from ansible_collections.bluegreen.aws.plugins.module_utils._host import cli, release

from .machine import bundle, make_host


@pytest.fixture
def config(machine, tmp_path, monkeypatch):
    """Path of a configuration; the command's Host is one on the machine."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"project": "popcon", "directory": machine.directory, "files": bundle(), "parameters_path": None}))

    def on_machine(options, report=None):
        given = {name: getattr(options, name) for name in ("state", "release", "source", "files")}
        made = make_host(machine, **given)
        made._report = report
        return made

    monkeypatch.setattr(cli, "Host", on_machine)
    return str(path)


def test_deploy_and_info_and_rollback(config, capsys):
    assert cli.main(["deploy", "--config", config, "--check"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is True
    assert cli.main(["deploy", "--config", config]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["record"]["result"] == "succeeded"
    assert "backend-blue is healthy" in output.err
    assert cli.main(["info", "--config", config]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["releases"][0]["id"] == shown["current"]
    assert cli.main(["rollback", "--config", config]) == 2
    assert "is the first one" in capsys.readouterr().err


def test_a_release_that_fails(config, capsys, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ReleaseFailed("why")

    monkeypatch.setattr(release, "perform", fail)
    assert cli.main(["deploy", "--config", config]) == 1
    assert capsys.readouterr().err == "why\n"


@pytest.mark.parametrize(
    ("text", "words"), [("{", "it is not JSON"), ("[]", "it is not a JSON object"), ('{"colour": 1}', "unknown option colour")]
)
def test_a_wrong_configuration(tmp_path, capsys, text, words):
    path = tmp_path / "config.json"
    path.write_text(text)
    assert cli.main(["deploy", "--config", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_no_configuration(tmp_path, capsys):
    assert cli.main(["deploy", "--config", str(tmp_path / "none")]) == 2
    assert "No such file or directory" in capsys.readouterr().err
