# GNU General Public License v3.0+, SPDX-License-Identifier: GPL-3.0-or-later
"""First program of an instance of an Auto Scaling group; user data holds it (templates/user-data.sh.j2).

Runs the startup script of Parameter Store and sends each line of it to CloudWatch Logs, one stream for each instance. When the script
fails, the last line says why, and the instance is abandoned: its group ends it and starts another. Nothing secret passes through here.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request

import botocore.exceptions
import botocore.session

METADATA = "http://169.254.169.254/latest/"
FAILURES = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)
SCRIPT = "/run/bluegreen-startup-script"
OUTCOME = "boot_outcome"  # bluegreen.aws.boot_log_info looks for it


def ask_metadata(method, path, headers):
    request = urllib.request.Request(METADATA + path, method=method, headers=headers)  # noqa: S310 - a constant http address
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - a constant http address
        return answer.read().decode()


def instance_id():
    """This instance's id, by IMDSv2."""
    token = ask_metadata("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    return ask_metadata("GET", "meta-data/instance-id", {"X-aws-ec2-metadata-token": token})


class Log:
    """A log stream that is also on standard error, where cloud-init keeps it. A log that cannot be written ends no boot."""

    def __init__(self, client, group, stream):
        self._client, self._group, self._stream = client, group, stream
        self._refused = False
        try:
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        except client.exceptions.ResourceAlreadyExistsException:
            pass
        except FAILURES as error:
            self._refuse(error)

    def __call__(self, line):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
        if self._refused or not line:
            return
        event = {"timestamp": int(time.time() * 1000), "message": line}
        try:
            self._client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=[event])
        except FAILURES as error:
            self._refuse(error)

    def _refuse(self, error):
        self._refused = True
        sys.stderr.write(f"The log goes on here alone: {error}\n")


def run_startup_script(session, name, log):
    """Why it failed, in one line; empty when it did not."""
    try:
        script = session.create_client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except FAILURES as error:
        return f"Cannot boot: startup script {name} cannot be read: {str(error).rstrip('.')}. Run playbooks/deploy.yml, which writes it."
    with open(os.open(SCRIPT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "w", encoding="utf-8") as file:
        file.write(script)
    last = ""
    with subprocess.Popen(
        ["/bin/sh", SCRIPT], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as running:
        for line in running.stdout:
            log(line.rstrip())
            last = line.strip() or last
    if running.returncode == 0:
        return ""
    return last or f"Cannot boot: startup script {name} ended with code {running.returncode} and said nothing."


def main():
    session = botocore.session.get_session()
    instance = instance_id()
    log = Log(session.create_client("logs"), os.environ["BLUEGREEN_LOG_GROUP"], instance)
    why = run_startup_script(session, os.environ["BLUEGREEN_STARTUP"], log)
    log(json.dumps({"message": OUTCOME, "outcome": "failed" if why else "in service", "why": why}))
    if not why:
        return 0
    with contextlib.suppress(*FAILURES):  # what nobody completes is abandoned when the hook's time is over
        session.create_client("autoscaling").complete_lifecycle_action(
            AutoScalingGroupName=os.environ["BLUEGREEN_GROUP"],
            LifecycleHookName=os.environ["BLUEGREEN_HOOK"],
            InstanceId=instance,
            LifecycleActionResult="ABANDON",
        )
    return 1


if __name__ == "__main__":
    sys.exit(main())
