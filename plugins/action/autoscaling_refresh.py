# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs an instance refresh on the controller, with progress while it lasts; options are documented in plugins/modules."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ..module_utils._aws.errors import BluegreenAWSError, sentence
from ..module_utils._refresh import RefreshError
from ..plugin_utils._refresh import Runner
from ..plugin_utils._signals import signals

display = Display()

PROBE = {
    "url": {"type": "str", "required": True},
    "headers": {"type": "dict", "default": {}},
    "rate": {"type": "float", "default": 10.0},
    "timeout": {"type": "float", "default": 3.0},
    "ca_path": {"type": "path"},
}
SPEC = {
    **aws_argument_spec(),
    "name": {"type": "str", "required": True},
    "launch_template_version": {"type": "str", "default": "$Latest"},
    "min_healthy_percentage": {"type": "int", "default": 100},
    "max_healthy_percentage": {"type": "int", "default": 150},
    "instance_warmup": {"type": "int", "default": 30},
    "skip_matching": {"type": "bool", "default": True},
    "checkpoint_percentages": {"type": "list", "elements": "int", "default": []},
    "checkpoint_delay": {"type": "int", "default": 0},
    "alarms": {"type": "list", "elements": "str", "default": []},
    "probe": {"type": "dict", "options": PROBE},
    "max_error_rate": {"type": "float", "default": 0.01},
    "failed_launches": {"type": "int", "default": 2},
    "stall_timeout": {"type": "int", "default": 900},
    "timeout": {"type": "int", "default": 3600},
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(SPEC)
        try:
            runner = Runner(options, self._say)
            plan = {"name": options["name"], "before": str(runner.before), "version": str(runner.version)}
            diff = {"before": {"launch_template_version": plan["before"]}, "after": {"launch_template_version": plan["version"]}}
            if not runner.needed or self._task.check_mode:
                outcome = "planned" if runner.needed else "unchanged"
                return {**result, "changed": runner.needed, "diff": diff, "autoscaling_refresh": {**plan, "outcome": outcome}}
            with signals(runner):
                found = runner.run()
        except RefreshError as error:
            raise AnsibleActionFail(str(error)) from error
        except BluegreenAWSError as error:
            raise AnsibleActionFail(sentence(error)) from error
        result.update(changed=True, diff=diff, autoscaling_refresh={"name": options["name"], **found})
        if found["outcome"] != "done":
            words = found["outcome"].replace("_", " ")
            what = f"The refresh of {options['name']} to version {found['version']}"
            result.update(failed=True, msg=f"{what} was not completed ({words}): {found['why']}.")
        return result

    @staticmethod
    def _say(line):
        display.display(f"refresh {line}")
