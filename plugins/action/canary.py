# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a rollout on the controller, with progress while it lasts; options are documented in plugins/modules/canary.py."""

from __future__ import annotations

import contextlib
import datetime
import getpass
import platform
import signal
import threading

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._aws.errors import BluegreenAWSError, sentence
from ..module_utils._canary.plan import PlanError
from ..module_utils._traffic import TrafficError
from ..plugin_utils._canary.guard import GuardError
from ..plugin_utils._canary.options import SPEC
from ..plugin_utils._canary.setup import Setup

display = Display()


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(SPEC)
        who = f"{getpass.getuser()}@{platform.node()}"
        now = datetime.datetime.now(datetime.UTC)
        try:
            setup = Setup(options, who, now, self._say)
            if self._task.check_mode:
                return {**result, **setup.preview()}
            with setup.prepared() as (driver, pollers), _signals(driver):
                found = driver.run(pollers)
        except (PlanError, TrafficError, GuardError) as error:
            raise AnsibleActionFail(str(error)) from error
        except BluegreenAWSError as error:
            raise AnsibleActionFail(sentence(error)) from error
        return {**result, **setup.outcome(found)}

    @staticmethod
    def _say(line):
        display.display(f"canary {line}")


@contextlib.contextmanager
def _signals(driver):
    """Ctrl-C and SIGTERM lead back first; who sends a second one still waits for that."""
    if threading.current_thread() is not threading.main_thread():
        yield  # a strategy that runs actions in threads: its process's end is seen all the same
        return
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        before[number] = signal.signal(number, lambda received, _frame: driver.interrupt(signal.Signals(received).name))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


