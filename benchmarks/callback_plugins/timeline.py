"""Writes when each task began and ended as JSON lines into the file that $TIMELINE names; for provision.py."""

from __future__ import annotations

DOCUMENTATION = """
name: timeline
type: aggregate
short_description: Begin and end of each task as JSON lines
description: Writes them into the file that the environment variable TIMELINE names.
requirements: []
"""

import json  # noqa: E402  # Ansible reads DOCUMENTATION first
import os  # noqa: E402
import time  # noqa: E402

from ansible.plugins.callback import CallbackBase  # noqa: E402


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "timeline"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._file = open(os.environ["TIMELINE"], "w", encoding="utf-8")  # noqa: SIM115  # open as long as the run is
        self._task = None

    def _end(self):
        if self._task is not None:
            self._file.write(json.dumps({**self._task, "end": time.time()}) + "\n")
            self._task = None

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._end()
        role = task._role.get_name() if task._role else ""
        file = os.path.basename((task.get_path() or "").partition(":")[0])
        self._task = {"name": task.get_name(), "role": role.rpartition(".")[2], "file": file, "begin": time.time()}

    def v2_playbook_on_stats(self, stats):
        self._end()
        self._file.close()
