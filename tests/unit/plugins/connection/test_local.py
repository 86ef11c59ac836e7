# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's connection, in real playbook runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ansible_collections.bluegreen.aws.plugins.connection.local import is_interpreter_alone

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.ping:
    - ansible.builtin.command: echo said
      register: said
    - ansible.builtin.command: sh -c 'exit 3'
      register: wrong
      failed_when: wrong.rc != 3
    - ansible.builtin.command: printenv GIVEN
      environment: {GIVEN: here}
      register: given
    - ansible.builtin.copy: {content: text, dest: "{{ folder }}/file", mode: "0600"}
    - ansible.builtin.slurp: {src: "{{ folder }}/file"}
      register: read
    - ansible.builtin.assert:
        that:
          - said.stdout == 'said'
          - given.stdout == 'here'
          - read.content == 'text' | b64encode
    - ansible.builtin.file: {path: "/proc/no/such", state: touch}
      ignore_errors: true
      register: failed
    - ansible.builtin.assert: {that: failed is failed}
"""


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("/bin/sh -c '/usr/bin/python3 && sleep 0'", True),
        ("/bin/sh -c /usr/bin/python3", True),
        ("/usr/bin/python3", True),
        ("/bin/sh -c 'A=1 /usr/bin/python3 && sleep 0'", False),
        ("/bin/sh -c '/usr/bin/python3 /tmp/module.py && sleep 0'", False),
        ("/bin/sh -c 'sudo -n /usr/bin/python3'", False),
        ("/bin/sh -c '/opt/python3 && sleep 0'", False),
        ("/bin/sh -c 'echo ~ && sleep 0'", False),
    ],
)
def test_what_is_nothing_but_the_interpreter(command, answer):
    assert is_interpreter_alone(command, "/usr/bin/python3") is answer


def test_another_name_of_the_same_interpreter(tmp_path):
    (tmp_path / "python3.11").touch()
    (tmp_path / "python").symlink_to("python3.11")
    assert is_interpreter_alone(f"/bin/sh -c '{tmp_path}/python && sleep 0'", f"{tmp_path}/python3.11")


@pytest.mark.parametrize("warm", [True, False])
def test_a_playbook(tmp_path, warm):
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    (tmp_path / "ansible.cfg").write_text("[defaults]\ncallbacks_enabled = bluegreen.aws.summary\n" if warm else "")
    words = [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "-vvv", "-i", "localhost,", str(tmp_path / "play.yml")]
    wanted = {"ansible_connection": "bluegreen.aws.local", "ansible_python_interpreter": sys.executable, "ansible_pipelining": "true"}
    for key, value in {**wanted, "folder": str(tmp_path)}.items():
        words += ["-e", f"{key}={value}"]
    env = {**os.environ, "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg")}
    env["ANSIBLE_COLLECTIONS_PATH"] = next(path for path in sys.path if os.path.isdir(os.path.join(path, "ansible_collections")))
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout.count("EXEC a module in a fork of") >= 4) is warm
