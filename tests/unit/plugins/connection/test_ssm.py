# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's side of the connection: options, what a host is asked, errors as Ansible's exceptions. The host is a fake."""

from __future__ import annotations

import gc

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.playbook.play_context import PlayContext
from ansible.plugins.doc_fragments.connection_pipelining import ModuleDocFragment
from ansible.plugins.loader import become_loader

from ansible_collections.bluegreen.aws.plugins.connection import ssm as plugin
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.api import Account
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.driver import SessionOptions
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import SsmError
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.host import CommandMayHaveRun, CommandTimeout, FileError

NAME = "bluegreen.aws.ssm"
TARGET = "i-0123456789abcdef0"


class FakeHost:
    def __init__(self):
        self.calls = []
        self.answer = (0, b"out", b"err")
        self.error = None

    def run(self, argv, stdin=b"", **options):
        self.calls.append(("run", argv, stdin, options))
        if self.error:
            raise self.error
        return self.answer

    def put(self, source, destination):
        self.calls.append(("put", source, destination))
        if self.error:
            raise self.error
        return True

    def get(self, source, destination):
        self.calls.append(("get", source, destination))
        if self.error:
            raise self.error

    def close(self):
        self.calls.append(("close",))
        if self.error:
            raise self.error

    def reset(self):
        self.calls.append(("reset",))
        if self.error:
            raise self.error


@pytest.fixture
def shown(monkeypatch):
    lines = []
    monkeypatch.setattr(plugin.display, "vvv", lambda text, host=None: lines.append(text))
    monkeypatch.setattr(plugin.display, "warning", lines.append)
    return lines


@pytest.fixture(scope="module", autouse=True)
def definitions():
    """The options as Ansible's loader would register them: the fragment's, overridden by the plugin's own."""
    options = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    for name, fragment in yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"].items():
        options[name] = fragment | options.get(name, {})
    constants.config.initialize_plugin_configuration_definitions("connection", NAME, options)


@pytest.fixture
def connect(monkeypatch, shown):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(plugin.rendezvous, "start_early", lambda path: None)

    def make(host=None, **variables):
        connection = plugin.Connection(PlayContext())
        connection._load_name = NAME
        connection.set_options(var_options={"ansible_host": TARGET} | variables)
        if host is not None:
            monkeypatch.setattr(connection, "_new_host", lambda target: host)
        return connection

    return make


def test_what_ansible_asks_of_the_class(connect):
    connection = connect()
    assert (connection.transport, connection.has_pipelining, connection.has_tty) == ("bluegreen.aws.ssm", True, True)
    assert connection.is_pipelining_enabled() is True
    assert connect(ansible_pipelining=False).is_pipelining_enabled() is False


def test_exec(connect):
    host = FakeHost()
    assert connect(host).exec_command("echo 'a b'", in_data=b"in", sudoable=False) == (0, b"out", b"err")
    ((_run, argv, stdin, options),) = host.calls
    assert (argv, stdin) == (["/bin/sh", "-c", "echo 'a b'"], b"in")
    assert (options["terminal"], options["timeout"], options["dialogue"]) == (False, None, None)


def test_exec_in_a_terminal_only_without_input(connect):
    host = FakeHost()
    connection = connect(host, ansible_aws_ssm_pty=True)
    connection.exec_command("x")
    connection.exec_command("x", in_data=b"y")
    assert [call[3]["terminal"] for call in host.calls] == [True, False]


def test_command_timeout_and_connection_timeout_are_two(connect):
    host = FakeHost()
    connect(host, ansible_aws_ssm_timeout=7, ansible_aws_ssm_command_timeout=90).exec_command("x")
    assert (host.calls[0][3]["timeout"], host.calls[0][3]["dialogue_timeout"]) == (90, 7)


def test_become(connect):
    host = FakeHost()
    connection = connect(host)
    become = become_loader.get("sudo")
    become.set_options(direct={"become_pass": "secret"})
    connection.set_become_plugin(become)
    command = become.build_become_command("true", connection._shell)
    connection.exec_command(command, sudoable=True)
    connection.exec_command("mkdir x", sudoable=False)
    first, second = (call[3]["dialogue"] for call in host.calls)
    assert first.needs_reply and second is None


def test_files(connect):
    host = FakeHost()
    connection = connect(host)
    connection.put_file("/local/a", "/remote/a")
    connection.fetch_file("/remote/汉", "/local/汉")
    assert host.calls == [("put", "/local/a", "/remote/a"), ("get", "/remote/汉", "/local/汉")]


ERRORS = [
    (SsmError("The agent is offline."), AnsibleConnectionFailure),
    (CommandMayHaveRun("Lost; it may have run."), AnsibleConnectionFailure),
    (CommandTimeout("Too long."), AnsibleError),
    (FileError("Cannot read."), AnsibleError),
    (FileError("Not there.", missing=True), AnsibleFileNotFound),
]


@pytest.mark.parametrize(("error", "kind"), ERRORS, ids=[type(row[0]).__name__ for row in ERRORS])
def test_errors(connect, error, kind):
    host = FakeHost()
    host.error = error
    for action in (lambda: connect(host).exec_command("x"), lambda: connect(host).fetch_file("a", "b")):
        with pytest.raises(kind) as caught:
            action()
        assert caught.value.__class__ is kind
        assert str(error) in str(caught.value)
        assert caught.value.__cause__ is None


def test_secrets_are_not_shown(connect, shown):
    host = FakeHost()
    connection = connect(host, ansible_aws_ssm_secret_access_key="key-secret", ansible_aws_ssm_session_token="token-secret")
    become = become_loader.get("sudo")
    become.set_options(direct={"become_pass": "become-secret"})
    connection.set_become_plugin(become)
    connection.exec_command(become.build_become_command("true", connection._shell), in_data=b"data-secret")
    connection.close()
    assert shown and "secret" not in "\n".join(shown)


@pytest.mark.parametrize("target", ["web-1", "10.0.0.5", "i-xyz", "inventory_hostname"])
def test_target_that_is_no_instance_id(connect, target):
    with pytest.raises(AnsibleError) as caught:
        connect(FakeHost(), ansible_host=target).exec_command("x")
    assert str(caught.value) == (
        f"Cannot start a session with {target!r}: it is not the id of a managed instance (i-... or mi-...); "
        "set ansible_host or ansible_aws_ssm_instance_id to it."
    )


@pytest.mark.parametrize("target", ["i-0123456789abcdef0", "i-12345678", "mi-0123456789abcdef0", "ecs:cluster_task_runtime"])
def test_targets(connect, target):
    host = FakeHost()
    connect(host, ansible_host=target).exec_command("x")
    assert host.calls


def test_instance_id_before_host(connect, monkeypatch):
    connection = connect(ansible_host="web-1", ansible_aws_ssm_instance_id=TARGET)
    seen = []
    monkeypatch.setattr(connection, "_new_host", lambda target: seen.append(target) or FakeHost())
    connection.exec_command("x")
    assert seen == [TARGET]


def test_options_of_the_peer(connect, monkeypatch):
    links = []
    monkeypatch.setattr(plugin, "Link", lambda wish, log, **options: links.append((wish, options)))
    monkeypatch.setattr(plugin, "Host", lambda target, new_link, clock, **options: new_link())
    connection = connect(
        ansible_aws_ssm_region="eu-central-1",
        ansible_aws_ssm_profile="prod",
        ansible_aws_ssm_access_key_id="AK",
        ansible_aws_ssm_secret_access_key="SK",
        ansible_aws_ssm_session_token="ST",
        ansible_aws_ssm_document="Custom",
        ansible_aws_ssm_timeout=30,
        ansible_aws_ssm_retries=2,
    )
    connection._new_host(TARGET)
    ((wish, options),) = links
    account = Account(**wish["account"])
    assert (account.region, account.profile) == ("eu-central-1", "prod")
    assert (account.access_key_id, account.secret_access_key, account.session_token) == ("AK", "SK", "ST")
    assert account.attempts == 3
    session = SessionOptions(**wish["session"])
    assert (session.target, session.document, session.connect_timeout) == (TARGET, "Custom", 30.0)
    assert options == {"connect_timeout": 30.0, "persist": False}


@pytest.mark.parametrize("name", ["ansible_ssm_persist", "ansible_aws_ssm_persist"])
def test_persist(connect, monkeypatch, name):
    monkeypatch.setattr(plugin, "Link", lambda wish, log, **options: (wish["persist"], options["persist"]))
    monkeypatch.setattr(plugin, "Host", lambda target, new_link, clock, **options: new_link())
    assert connect(**{name: 300})._new_host(TARGET) == (300, True)


@pytest.mark.parametrize(("given", "above"), [(True, 262144), (False, None)])
def test_side_session(connect, monkeypatch, given, above):
    monkeypatch.setattr(plugin, "Host", lambda target, new_link, clock, **options: options["side_above"])
    assert connect(ansible_aws_ssm_use_side_session=given)._new_host(TARGET) == above


def test_options_that_have_no_effect_are_named(connect, shown):
    connect(FakeHost(), ansible_aws_ssm_bucket_name="b", ansible_aws_ssm_plugin="/usr/bin/x").exec_command("x")
    assert shown[0] == (
        "bluegreen.aws.ssm needs no bucket and no binary: ansible_aws_ssm_bucket_name, ansible_aws_ssm_plugin has no effect."
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/usr/bin/python3", "/usr/bin/python3"),
        ("auto", None),
        ("auto_silent", None),
        ("/usr/bin/env python3", None),
        ("$(reboot)", None),
        (None, None),
    ],
)
def test_interpreter(connect, given, expected):
    variables = {} if given is None else {"ansible_python_interpreter": given}
    assert connect(**variables)._session_options(TARGET)["interpreter"] == expected


def test_reboot_can_set_the_connection_timeout(connect):
    connection = connect()
    connection.set_option("connection_timeout", 5)
    assert connection._session_options(TARGET)["connect_timeout"] == 5.0


def test_reset_and_close(connect):
    host = FakeHost()
    connection = connect(host)
    connection.exec_command("x")
    host.error = SsmError("no network")
    connection.reset()
    connection.close()
    assert [call[0] for call in host.calls] == ["run", "reset"]
    host.error = None
    assert connection.exec_command("x") == (0, b"out", b"err")


def test_forgotten_connection_is_quiet(connect, capfd):
    host = FakeHost()
    connection = connect(host)
    connection.exec_command("x")
    del connection
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_remote_user_is_left_alone(connect):
    connection = connect(FakeHost())
    connection._play_context.remote_user = "somebody"
    connection.exec_command("x")
    assert connection._play_context.remote_user == "somebody"
