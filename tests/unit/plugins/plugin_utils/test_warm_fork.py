# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that waits for the next program: real processes."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import time

import botocore
import pytest

from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm import client as warm
from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm import memory, rehearsal

WHO = "import os; print(os.getpid())"
MODEL = "boto3.session.Session().client({service!r}, region_name='x', aws_access_key_id='a', aws_secret_access_key='b').meta.service_model"


@pytest.fixture
def server():
    started = warm.start()
    yield started
    started.close()


def run(server, text):
    return warm.run(server.address, text.encode())


def waiting(server, after=None):
    """The process that waits: the server's only child, once that of the last program is gone."""
    deadline = time.monotonic() + 10
    while True:
        children = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        if len(children) == 1 and children != [str(after)]:
            return int(children[0])
        assert time.monotonic() < deadline, children
        time.sleep(0.01)


def test_a_process_waits_for_the_next_program_and_is_it(server):
    first = waiting(server)
    assert run(server, WHO) == (0, f"{first}\n".encode(), b"")
    second = waiting(server, after=first)
    assert run(server, WHO) == (0, f"{second}\n".encode(), b"")


def test_one_that_waited_knows_what_the_program_before_it_taught(server):
    first = waiting(server)
    assert run(server, f"import boto3; {MODEL.format(service='ssm')}")[0] == 0
    waiting(server, after=first)
    known = "import botocore.session; print(('load_service_model', 'ssm') in {key[:2] for key in botocore.session.create_loader()._cache})"
    assert run(server, known) == (0, b"True\n", b"")


def test_one_that_was_killed_is_not_missed(server):
    for _time in range(3):
        os.kill(waiting(server), signal.SIGKILL)
        assert run(server, "print(1)") == (0, b"1\n", b"")


def test_one_that_waits_ends_with_the_server(server):
    pid = waiting(server)
    server.close()
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{pid}") and "Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_has_no_open_file_of_the_server(server):
    """The server ends at the end of a pipe, which a program that held it open would keep it from."""
    waiting(server)
    listener, pipe = pathlib.Path(f"/proc/{server.pid}/cmdline").read_text().split("\0")[2:4]
    servers = {os.readlink(f"/proc/{server.pid}/fd/{one}") for one in (listener, pipe)}
    listed = (
        "import contextlib, os\n"
        "for one in os.listdir('/proc/self/fd'):\n"
        "    with contextlib.suppress(FileNotFoundError): print(os.readlink(f'/proc/self/fd/{one}'))"
    )
    code, out, err = run(server, listed)
    assert (code, err) == (0, b"") and out
    assert not servers & set(out.decode().split())


def test_clients_of_a_service_share_what_was_read_of_it(server):
    same = f"import boto3; print({MODEL.format(service='sts')} is {MODEL.format(service='sts')})"
    assert run(server, same) == (0, b"True\n", b"")


def test_a_description_of_the_users_own_is_not_mistaken_for_botocores(server, monkeypatch, tmp_path):
    """AWS_DATA_PATH adds folders with descriptions, which take the place of those of the same name."""
    folder = tmp_path / "sts" / "2011-06-15"
    folder.mkdir(parents=True)
    shutil.copy(pathlib.Path(botocore.__file__).parent / "data/endpoints.json", tmp_path)
    own = {"version": "2.0", "metadata": {"apiVersion": "2011-06-15", "endpointPrefix": "sts", "protocol": "query", "serviceId": "STS"}}
    (folder / "service-2.json").write_text(json.dumps({**own, "operations": {}, "shapes": {}}))
    count = f"import boto3; print(len({MODEL.format(service='sts')}.operation_names))"
    code, everybodys, err = run(server, count)
    assert (code, err) == (0, b"") and int(everybodys) > 5
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert run(server, count) == (0, b"0\n", b"")


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_rehearsed_call_goes_nowhere(monkeypatch, mode):
    tried = []

    def refuse(*arguments, **_more):
        tried.append(arguments)
        raise OSError("refused")

    monkeypatch.setenv("AWS_DEFAULTS_MODE", mode)
    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    assert rehearsal.call(memory.Models().make_client("ec2")) == []
    assert not tried
