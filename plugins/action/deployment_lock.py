# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the module which Ansible process wants the lock; the module does the rest."""

from __future__ import annotations

import getpass
import os
import socket

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        # The worker that runs this is a child of the Ansible process, which lives as long as the run.
        owner = {"user": getpass.getuser(), "host": socket.gethostname(), "pid": os.getppid()}
        arguments = {**self._task.args, "owner": owner}
        result.update(self._execute_module(module_name="bluegreen.aws.deployment_lock", module_args=arguments, task_vars=task_vars))
        return result
