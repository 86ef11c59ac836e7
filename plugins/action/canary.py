# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a rollout on the controller, with progress while it lasts; options are documented in plugins/modules/canary.py."""

from __future__ import annotations

import datetime
import getpass
import platform

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._aws.errors import BluegreenAWSError, sentence
from ..module_utils._canary.plan import PlanError
from ..module_utils._traffic import TrafficError
from ..plugin_utils._canary.guard import GuardError
from ..plugin_utils._canary.options import SPEC
from ..plugin_utils._canary.setup import Setup
from ..plugin_utils._signals import signals

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
            with setup.prepared() as prepared, signals(prepared[0]):
                driver, pollers = prepared
                found = driver.run(pollers)
        except (PlanError, TrafficError, GuardError) as error:
            raise AnsibleActionFail(str(error)) from error
        except BluegreenAWSError as error:
            raise AnsibleActionFail(sentence(error)) from error
        return {**result, **setup.outcome(found)}

    @staticmethod
    def _say(line):
        display.display(f"canary {line}")
