# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The talk with sudo and su, with Ansible's own become plugins: what is answered, what is kept, what is an error."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.loader import become_loader

from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.dialogue import BecomeDialogue


class Shell:
    ECHO, COMMAND_SEP, executable, _load_name = "echo", ";", "/bin/sh", "sh"
    SHELL_FAMILY = "sh"


def become(name="sudo", password="secret"):
    plugin = become_loader.get(name)
    plugin.set_options(direct={"become_pass": password, "become_user": "root"})
    plugin.build_become_command("true", Shell())
    return plugin


def dialogue(plugin, password=b"secret"):
    return BecomeDialogue(plugin, password)


def test_no_password():
    plugin = become(password=None)
    talk = dialogue(plugin, None)
    assert (talk.done, talk.needs_reply) == (False, False)
    assert talk.feed(plugin.success.encode() + b"\nresult", b"") == b""
    assert talk.done
    assert talk.flush() == (b"result", b"")


def test_password():
    plugin = become()
    talk = dialogue(plugin)
    assert talk.needs_reply
    assert talk.feed(b"", plugin.prompt.encode()) == b"secret\n"
    assert not talk.done
    assert talk.feed(b"", b"\n") == b""
    assert talk.feed(plugin.success.encode() + b"\nout", b"err") == b""
    assert talk.done
    assert talk.flush() == (b"out", b"\nerr")


@pytest.mark.parametrize("step", [1, 3])
def test_in_pieces(step):
    plugin = become()
    talk = dialogue(plugin)
    replies = b""
    for text, stream in ((plugin.prompt.encode(), 1), (plugin.success.encode() + b"\n", 0)):
        for position in range(0, len(text), step):
            piece = text[position : position + step]
            replies += talk.feed(*((b"", piece) if stream else (piece, b"")))
    assert (replies, talk.done) == (b"secret\n", True)


def test_lecture_and_banners_are_kept():
    plugin = become()
    talk = dialogue(plugin)
    assert talk.feed(b"", b"We trust you have received the usual lecture\n") == b""
    assert talk.feed(b"banner\n", plugin.prompt.encode()) == b"secret\n"
    talk.feed(plugin.success.encode() + b"\n", b"")
    assert talk.flush() == (b"banner\n", b"We trust you have received the usual lecture\n")


def test_password_not_needed_after_all():
    plugin = become()
    talk = dialogue(plugin)
    assert talk.feed(plugin.success.encode() + b"\n", b"") == b""
    assert talk.done


def test_binary_after_success_is_untouched():
    plugin = become()
    talk = dialogue(plugin)
    data = bytes(range(256)) + plugin.prompt.encode() + b"\nSorry, try again.\n"
    talk.feed(plugin.success.encode() + b"\n" + data, b"")
    assert talk.flush() == (data, b"")


@pytest.mark.parametrize("again", ["Sorry, try again.\n", None])
def test_wrong_password(again):
    plugin = become()
    talk = dialogue(plugin)
    talk.feed(b"", plugin.prompt.encode())
    with pytest.raises(AnsibleError, match="Incorrect sudo password"):
        talk.feed(b"", (again or plugin.prompt).encode())


def test_missing_password():
    plugin = become(password=None)
    with pytest.raises(AnsibleError, match="Missing sudo password"):
        dialogue(plugin, None).feed(b"", b"sudo: a password is required\n")


def test_su():
    plugin = become("su")
    talk = dialogue(plugin)
    assert talk.feed(b"", b"Password: ") == b"secret\n"
    with pytest.raises(AnsibleError, match="Incorrect su password"):
        talk.feed(b"", b"\nsu: Authentication failure\n")
