# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's contract over a Session Manager session: options, commands, files, errors translated; the session itself is elsewhere."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ssm
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
short_description: Run tasks on instances through AWS Systems Manager Session Manager
version_added: 0.1.0
description:
  - Runs commands and copies files on EC2 instances and hybrid nodes through a Session Manager session, without SSH, open ports,
    an S3 bucket or the C(session-manager-plugin) binary. It speaks the data channel's protocol itself.
  - Pipelining works and is on by default. Standard output and standard error are separate and exact, exit codes too.
  - A command is never sent twice. When a session is lost for good while a command may be running, the task fails and says so.
  - A dropped connection is resumed.
  - There is one session per host for the whole run. A broker, a process that is started with the first task and ends with the run,
    holds them for all tasks; it terminates them whichever way the run ends.
  - The options of P(amazon.aws.aws_ssm#connection) are accepted by the same variables.
notes:
  - Commands run as the session's user, C(ssm-user) unless the account's session preferences say otherwise. C(remote_user) is not used
    and not changed. Use C(become) to run as another user.
  - The instance needs C(sh) and, for everything but P(ansible.builtin.raw#module) and copying files, Python 3.6 or later to start with.
  - Targets that run Windows are not supported.
  - Session logs in S3 or CloudWatch show the frames of this connection, not readable commands.
requirements:
  - botocore (on the controller)
  - cryptography (on the controller, only when the session preferences encrypt sessions with KMS)
extends_documentation_fragment:
  - connection_pipelining
options:
  host:
    description: The instance id, C(i-...) for EC2 and C(mi-...) for hybrid nodes.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
  instance_id:
    description: The instance id, when O(host) is something else.
    type: str
    vars:
      - name: ansible_aws_ssm_instance_id
  region:
    description: The region of the instance.
    type: str
    vars:
      - name: ansible_aws_ssm_region
    env:
      - name: AWS_REGION
      - name: AWS_DEFAULT_REGION
  profile:
    description: The profile of the AWS configuration to use; without it botocore chooses, which heeds E(AWS_PROFILE).
    type: str
    vars:
      - name: ansible_aws_ssm_profile
  access_key_id:
    description: The access key id to use; without it botocore finds credentials in the environment, the profile or the instance role.
    type: str
    vars:
      - name: ansible_aws_ssm_access_key_id
  secret_access_key:
    description: The secret access key that belongs to O(access_key_id).
    type: str
    vars:
      - name: ansible_aws_ssm_secret_access_key
  session_token:
    description: The session token that belongs to O(access_key_id), if it is a temporary one.
    type: str
    vars:
      - name: ansible_aws_ssm_session_token
  endpoint_url:
    description: The URL of the Systems Manager API; without it botocore chooses, which heeds E(AWS_ENDPOINT_URL_SSM) and
      E(AWS_ENDPOINT_URL).
    type: str
    vars:
      - name: ansible_aws_ssm_endpoint_url
  document:
    description:
      - The session document to use. Any document but V(AWS-StartInteractiveCommand) is expected to start a shell.
      - Without it V(AWS-StartInteractiveCommand) is tried, then the default shell of the account's session preferences.
    type: str
    vars:
      - name: ansible_aws_ssm_document
  reason:
    description: The reason to give for the session. It appears in CloudTrail and in the session's history.
    type: str
    default: Ansible
    vars:
      - name: ansible_aws_ssm_reason
  connection_timeout:
    description:
      - Seconds until a session must take commands, and until privilege escalation must have succeeded.
      - It does not limit how long a command may run; that is O(command_timeout).
    type: int
    default: 60
    vars:
      - name: ansible_aws_ssm_timeout
  command_timeout:
    description: Seconds that a command may run before it is killed and the task fails. V(0) means no limit.
    type: int
    default: 0
    vars:
      - name: ansible_aws_ssm_command_timeout
  boot_grace:
    description:
      - Seconds during which an instance that Systems Manager does not know (yet) is asked for again, within O(connection_timeout).
      - Use M(ansible.builtin.wait_for_connection) to wait for an instance that boots.
    type: int
    default: 5
    vars:
      - name: ansible_aws_ssm_boot_grace
  reconnect_timeout:
    description: Seconds during which a session whose connection broke is resumed, before it counts as lost.
    type: int
    default: 120
    vars:
      - name: ansible_aws_ssm_reconnect_timeout
  retries:
    description: How often a call of the AWS API that was throttled or failed on the way is repeated. Commands are never repeated.
    type: int
    default: 5
    vars:
      - name: ansible_aws_ssm_retries
  payload_size:
    description: Bytes in one message towards the instance. AWS's own client uses V(1024).
    type: int
    default: 1024
    vars:
      - name: ansible_aws_ssm_payload_size
  persist:
    description:
      - Seconds for which the sessions are kept after the run, for the next one. V(0) ends them with the run.
      - Runs share them when they have the same user, environment and credentials.
    type: int
    default: 0
    vars:
      - name: ansible_ssm_persist
      - name: ansible_aws_ssm_persist
  use_side_session:
    description:
      - Whether a file of more than 256 KiB is fetched through a second session without a terminal, which is several times faster.
      - It needs an agent of version 3.1.1511 or later and C(ssm:StartSession) on the document C(AWS-StartNonInteractiveCommand). Where
        that is refused the file comes through the session itself.
    type: bool
    default: true
    vars:
      - name: ansible_aws_ssm_use_side_session
  executor:
    description:
      - What runs commands on the instance. V(auto) is a small multiplexer in Python, or C(sh) when there is no Python.
      - V(sh) uses the instance's C(sh) in any case, one command after the other.
    type: str
    choices: [auto, sh]
    default: auto
    vars:
      - name: ansible_aws_ssm_executor
  pty:
    description: Run commands that do not use pipelining in a terminal, for programs that insist on one.
    type: bool
    default: false
    vars:
      - name: ansible_aws_ssm_pty
  python_interpreter:
    description: The Python to try first for the multiplexer.
    type: str
    vars:
      - name: ansible_python_interpreter
  pipelining:
    default: true
    vars:
      - name: ansible_pipelining
      - name: ansible_aws_ssm_pipelining
  bucket_name:
    description: Accepted for P(amazon.aws.aws_ssm#connection) and ignored; no bucket is used.
    type: str
    vars:
      - name: ansible_aws_ssm_bucket_name
  bucket_endpoint_url:
    description: Accepted for P(amazon.aws.aws_ssm#connection) and ignored.
    type: str
    vars:
      - name: ansible_aws_ssm_bucket_endpoint_url
  bucket_sse_mode:
    description: Accepted for P(amazon.aws.aws_ssm#connection) and ignored.
    type: str
    vars:
      - name: ansible_aws_ssm_bucket_sse_mode
  bucket_sse_kms_key_id:
    description: Accepted for P(amazon.aws.aws_ssm#connection) and ignored.
    type: str
    vars:
      - name: ansible_aws_ssm_bucket_sse_kms_key_id
  s3_addressing_style:
    description: Accepted for P(amazon.aws.aws_ssm#connection) and ignored.
    type: str
    vars:
      - name: ansible_aws_ssm_s3_addressing_style
  plugin:
    description: Accepted for P(amazon.aws.aws_ssm#connection) and ignored; no binary is used.
    type: str
    vars:
      - name: ansible_aws_ssm_plugin
"""

EXAMPLES = r"""
- name: Find the instances by tag and talk to them through Session Manager (an inventory file that ends in aws_ec2.yml)
  plugin: amazon.aws.aws_ec2
  regions: [ap-northeast-2]
  hostnames: [tag:Name]
  compose:
    ansible_host: instance_id
    ansible_connection: "'bluegreen.aws.ssm'"

- name: Wait for a new instance and look at it
  hosts: all
  gather_facts: false
  tasks:
    - name: Wait until Systems Manager can reach it
      ansible.builtin.wait_for_connection:
        timeout: 300

    - name: Gather facts
      ansible.builtin.setup:
"""

import os
import re
from contextlib import suppress
from functools import partial

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection import ConnectionBase, ensure_connect
from ansible.utils.display import Display

from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import rendezvous
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.clock import Clock
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.dialogue import BecomeDialogue
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import SsmError
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.host import CommandTimeout, FileError, Host
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.link import Link

display = Display()

IGNORED = ("bucket_name", "bucket_endpoint_url", "bucket_sse_mode", "bucket_sse_kms_key_id", "s3_addressing_style", "plugin")
TARGET = re.compile(r"m?i-[0-9a-f]{8,17}|ecs:[A-Za-z0-9_-]+")
SIDE_ABOVE = 262144
INTERPRETER = re.compile(r"[A-Za-z0-9_./+-]+")


class Connection(ConnectionBase):
    """Ansible's view of one host; a session is started with the first command or file."""

    transport = "bluegreen.aws.ssm"
    has_pipelining = True
    has_tty = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._host = None

    def set_options(self, task_keys=None, var_options=None, direct=None):
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        with suppress(SsmError):  # said again, and loudly, when a command needs it
            rendezvous.start_early(rendezvous.socket_path(self.get_option("persist") > 0))

    def _connect(self):
        self._connected = True
        return self

    @ensure_connect
    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        host = self._ready()
        command = to_text(cmd, errors="surrogateescape")
        self._log(f"EXEC {command}")
        dialogue = None
        if sudoable and self.become:
            password = self.become.get_option("become_pass", playcontext=self._play_context)
            dialogue = BecomeDialogue(self.become, None if password is None else to_bytes(password, errors="surrogateescape"))
        terminal = not in_data and (self.get_option("pty") or bool(dialogue is not None and self.become.require_tty))
        return self._translated(
            lambda: host.run(
                [self._play_context.executable or "/bin/sh", "-c", command],
                to_bytes(in_data, errors="surrogateescape") if in_data else b"",
                terminal=terminal,
                timeout=self.get_option("command_timeout") or None,
                dialogue=dialogue,
                dialogue_timeout=self.get_option("connection_timeout"),
            )
        )

    @ensure_connect
    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        host = self._ready()
        self._log(f"PUT {in_path} TO {out_path}")
        source, destination = (to_text(path, errors="surrogateescape") for path in (in_path, out_path))
        written = self._translated(lambda: host.put(source, destination))
        if not written:
            self._log(f"{out_path} has the same contents already")

    @ensure_connect
    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        host = self._ready()
        self._log(f"FETCH {in_path} TO {out_path}")
        source, destination = (to_text(path, errors="surrogateescape") for path in (in_path, out_path))
        self._translated(lambda: host.get(source, destination))

    def reset(self):
        """End the session; the next command starts another one. Nothing of the old one can make this fail."""
        host, self._host = self._host or self._new_host(self._target()), None
        self._connected = False
        self._quietly(host.reset)

    def close(self):
        """Leave the session to the tasks that follow; it ends with the run."""
        host, self._host = self._host, None
        self._connected = False
        if host is not None:
            self._quietly(host.close)

    # Inside

    def _ready(self):
        if self._host is None:
            target = self._target()
            self._notice()
            self._host = self._new_host(target)
        return self._host

    def _target(self):
        target = self.get_option("instance_id") or self.get_option("host")
        if not TARGET.fullmatch(target):
            raise AnsibleError(
                f"Cannot start a session with {target!r}: it is not the id of a managed instance (i-... or mi-...); "
                "set ansible_host or ansible_aws_ssm_instance_id to it."
            )
        return target

    def _new_host(self, target):
        persist = self.get_option("persist")
        wish = {"account": self._account(), "session": self._session_options(target), "persist": persist}
        timeout = float(self.get_option("connection_timeout"))
        side_above = SIDE_ABOVE if self.get_option("use_side_session") else None
        new_link = partial(Link, wish, self._log, connect_timeout=timeout, persist=persist > 0)
        return Host(target, new_link, Clock(), side_above=side_above, log=self._log)

    def _account(self):
        """See api.Account."""
        return {
            "region": self.get_option("region"),
            "profile": self.get_option("profile"),
            "access_key_id": self.get_option("access_key_id"),
            "secret_access_key": self.get_option("secret_access_key"),
            "session_token": self.get_option("session_token"),
            "endpoint_url": self.get_option("endpoint_url"),
            "attempts": 1 + max(0, self.get_option("retries")),
        }

    def _session_options(self, target):
        """See driver.SessionOptions."""
        interpreter = self.get_option("python_interpreter")
        if not interpreter or not INTERPRETER.fullmatch(interpreter) or interpreter.startswith("auto"):
            interpreter = None  # to be discovered, or a command line of its own
        return {
            "target": target,
            "document": self.get_option("document") or None,
            "interpreter": interpreter,
            "shell_only": self.get_option("executor") == "sh",
            "reason": self.get_option("reason") or None,
            "connect_timeout": float(self.get_option("connection_timeout")),
            "boot_grace": float(self.get_option("boot_grace")),
            "reconnect_timeout": float(self.get_option("reconnect_timeout")),
            "payload_size": max(1, self.get_option("payload_size")),
        }

    def _quietly(self, action):
        try:
            action()
        except (SsmError, OSError) as error:
            self._log(f"The session was left to its timeout: {error}")

    def _notice(self):
        given = [name for name in IGNORED if self.get_option(name)]
        if given:
            names = ", ".join(f"ansible_aws_ssm_{name}" for name in given)
            display.warning(f"bluegreen.aws.ssm needs no bucket and no binary: {names} has no effect.")  # shown once per text

    def _translated(self, action):
        try:
            return action()
        except FileError as error:
            if error.missing:
                raise AnsibleFileNotFound(str(error)) from None
            raise AnsibleError(str(error)) from None
        except CommandTimeout as error:
            raise AnsibleError(str(error)) from None
        except SsmError as error:
            raise AnsibleConnectionFailure(str(error)) from None

    def _log(self, text):
        display.vvv(text, host=self._play_context.remote_addr or str(os.getpid()))
