# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What an instance of an Auto Scaling group asks AWS while it boots: its own id, objects of a bucket, the end of its lifecycle hook."""

from __future__ import annotations

import http.client

from .._compose import description
from .._compose.errors import InvalidInput
from . import aws, clock

_METADATA = "169.254.169.254"
_HOOK_S = 60.0  # an instance can be up before its group waits for it
_HOOK_INTERVAL_S = 2.0
CONTINUE = "CONTINUE"


class Fleet:
    """The calls of one boot. Clients are made when they are needed."""

    def __init__(self, region: str, endpoint_url: str, *, make_client=aws.make_client):
        self._make = lambda service: make_client(service, region, endpoint_url)
        self._clients: dict = {}

    def _client(self, service: str):
        if service not in self._clients:
            self._clients[service] = self._make(service)
        return self._clients[service]

    def read(self, bucket: str, key: str, version: str = "") -> bytes:
        """An object, or one version of it; InvalidInput with AWS's words when it is not there."""
        which = {"VersionId": version} if version else {}
        try:
            return self._client("s3").get_object(Bucket=bucket, Key=key, **which)["Body"].read()
        except aws.FAILURES as exc:
            raise aws.failure(f"read {location(bucket, key, version)}", exc) from exc

    def pinned(self, bucket: str, pin: description.Pin) -> bytes:
        """The object that a release was made of, and nothing else."""
        return description.checked_content(self.read(bucket, pin.key, pin.version), pin, location(bucket, pin.key, pin.version))

    def complete(self, group: str, hook: str, instance: str, result: str, time) -> None:
        """Ends the lifecycle hook's wait. InvalidInput when AWS refuses, or when after a minute nothing waits for this instance."""
        client = self._client("autoscaling")
        deadline = time.monotonic() + _HOOK_S
        refusals: list = []

        def done() -> bool:
            try:
                client.complete_lifecycle_action(
                    AutoScalingGroupName=group, LifecycleHookName=hook, InstanceId=instance, LifecycleActionResult=result
                )
            except aws.FAILURES as exc:
                if "No active Lifecycle Action" not in str(exc):
                    raise aws.failure(f"complete lifecycle hook {hook} of {group} for {instance}", exc) from exc
                refusals.append(exc)
                return False
            return True

        if not clock.wait_until(time, done, deadline=deadline, interval=_HOOK_INTERVAL_S):
            raise aws.failure(f"complete lifecycle hook {hook} of {group} for {instance}", refusals[-1])


def location(bucket: str, key: str, version: str = "") -> str:
    return f"s3://{bucket}/{key}" + (f" (version {version})" if version else "")


def instance_id() -> str:
    """This instance's id from its metadata (IMDSv2).

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html
    """
    try:
        token = _metadata("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        return _metadata("GET", "meta-data/instance-id", {"X-aws-ec2-metadata-token": token})
    except (http.client.HTTPException, OSError) as exc:
        raise InvalidInput(
            f"Cannot boot: this machine's metadata service does not answer ({exc}). Boot on an EC2 instance with IMDS enabled."
        ) from exc


def _metadata(method: str, path: str, headers: dict) -> str:
    connection = http.client.HTTPConnection(_METADATA, timeout=5)
    try:
        connection.request(method, f"/latest/{path}", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(f"{method} /latest/{path} answers {answer.status}")
        return answer.read().decode()
    finally:
        connection.close()
