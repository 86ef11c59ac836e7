# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: local
short_description: Run tasks on the controller, modules in a process that has botocore loaded
version_added: 0.1.0
description:
  - Does what P(ansible.builtin.local#connection) does. A module that Ansible hands over as text (O(pipelining)) is run by a fork of one
    process that has loaded Python and botocore and has what other modules had to compile, so that a task of a collection such as amazon.aws
    does neither again. That is most of the time of a task that changes nothing.
  - The process is started by P(bluegreen.aws.summary#callback), once for a run of C(ansible-playbook), and ends with it. Without that
    callback, with O(pipelining=false), with C(become), C(environment) or another interpreter than that of Ansible, tasks run as they do
    with P(ansible.builtin.local#connection).
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
extends_documentation_fragment:
  - connection_pipelining
options:
  become_success_timeout:
    description: Seconds to wait for C(become) to succeed.
    type: int
    default: 10
    vars:
      - name: ansible_local_become_success_timeout
  become_strip_preamble:
    description: Strip what C(become) itself says.
    type: bool
    default: true
    vars:
      - name: ansible_local_become_strip_preamble
"""

EXAMPLES = r"""
# inventories/popcon/00_localhost.yml
all:
  hosts:
    localhost:
      ansible_connection: bluegreen.aws.local
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
      ansible_pipelining: true
"""

import os
import shlex
import sys

from ansible.plugins.connection.local import Connection as Local
from ansible.utils.display import Display

from ansible_collections.bluegreen.aws.plugins.plugin_utils._warm import client as warm

display = Display()


def is_interpreter_alone(cmd, interpreter):
    """Whether a shell's command line does nothing but run ``interpreter`` on its input: ['/bin/sh', '-c', '/usr/bin/python3']."""
    words = shlex.split(cmd)
    if len(words) == 3 and os.path.basename(words[0]) in ("sh", "bash") and words[1] == "-c":
        words = shlex.split(words[2])
    if words[-3:] == ["&&", "sleep", "0"]:
        words = words[:-3]
    return len(words) == 1 and is_same_interpreter(words[0], interpreter)


def is_same_interpreter(one, other):
    """Whether both are names of one file in one folder, so of one virtual environment: bin/python and bin/python3.11."""
    return os.path.dirname(one) == os.path.dirname(other) and os.path.exists(one) and os.path.samefile(one, other)


class Connection(Local):
    transport = "bluegreen.aws.local"

    def exec_command(self, cmd, in_data=None, sudoable=True):
        address = os.environ.get(warm.ADDRESS, "")
        becomes = sudoable and self.become and self.become._id
        if address and in_data and not becomes and is_interpreter_alone(cmd, sys.executable):
            try:
                return self._run_warm(address, in_data)
            except warm.Unavailable as exc:
                display.vvv(f"{exc}; the module is run without it", host=self._play_context.remote_addr)
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)

    def _run_warm(self, address, program):
        display.vvv(f"EXEC a module in a fork of {address}", host=self._play_context.remote_addr)
        return warm.run(address, program)
