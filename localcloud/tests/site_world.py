# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A static site behind CloudFront with an API beside it: bucket, origin access control, distribution, origin; no tests."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import pathlib
import subprocess
import threading
import time
import typing as t

import websockets.asyncio.server
from websockets.http11 import Request, Response

MANAGED_CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
MANAGED_CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
MANAGED_ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"


class Origin:
    """A server on a port of this machine: an HTTP answer that tells what came, and an echo over WebSocket at /ws."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.port = 0
        threading.Thread(target=self._run, daemon=True).start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._loop.run_forever()

    async def _start(self) -> None:
        self._server = await websockets.asyncio.server.serve(self._echo, "127.0.0.1", 0, process_request=self._answer)
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()

    @staticmethod
    async def _echo(connection: websockets.asyncio.server.ServerConnection) -> None:
        await connection.send(json.dumps({"path": connection.request.path, "host": connection.request.headers["Host"]}))
        async for message in connection:
            await connection.send(message)

    @staticmethod
    def _answer(connection: websockets.asyncio.server.ServerConnection, request: Request) -> Response | None:
        if request.path.startswith("/ws"):
            return None
        told = {"path": request.path, "host": request.headers["Host"], "forwarded": request.headers.get("X-Forwarded-For", "")}
        return connection.respond(503 if "broken" in request.path else 200, json.dumps(told))


def policy(bucket: str, distribution_arn: str) -> str:
    """The bucket answers this distribution and nobody else."""
    statement = {
        "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*", "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
    }  # fmt: skip
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def configuration(name: str, bucket: str, control_id: str, port: int, **others: t.Any) -> dict[str, t.Any]:
    """A DistributionConfig: the bucket by default, the API and its WebSocket on a custom origin."""
    methods = {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]}
    api = {
        "TargetOriginId": "api", "ViewerProtocolPolicy": "https-only", "CachePolicyId": MANAGED_CACHING_DISABLED,
        "OriginRequestPolicyId": MANAGED_ALL_VIEWER,
        "AllowedMethods": {**methods, "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}},
    }  # fmt: skip
    custom = {
        "HTTPPort": port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only",
        "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
    }  # fmt: skip
    return {
        "CallerReference": name,
        "Comment": name,
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Origins": {
            "Quantity": 2,
            "Items": [
                {
                    "Id": "site", "DomainName": f"{bucket}.s3.ap-northeast-2.amazonaws.com", "OriginAccessControlId": control_id,
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                },
                {"Id": "api", "DomainName": "localhost", "CustomOriginConfig": custom},
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "site", "ViewerProtocolPolicy": "redirect-to-https", "CachePolicyId": MANAGED_CACHING_OPTIMIZED,
        },
        "CacheBehaviors": {"Quantity": 2, "Items": [{"PathPattern": "/api/*", **api}, {"PathPattern": "/ws", **api}]},
        "CustomErrorResponses": {
            "Quantity": 1, "Items": [{"ErrorCode": 403, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0}],
        },
        **others,
    }  # fmt: skip


@dataclasses.dataclass
class Site:
    """What a test has of a site that is up."""

    bucket: str
    id: str
    arn: str
    domain: str
    control_id: str
    port: int


def create(boto: t.Callable[[str], t.Any], name: str, port: int, **others: t.Any) -> Site:
    """Make bucket, control and distribution, and let the bucket answer the distribution."""
    s3, cloudfront = boto("s3"), boto("cloudfront")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    s3.put_object(Bucket=name, Key="index.html", Body=b"<h1>hello</h1>", ContentType="text/html")
    s3.put_object(Bucket=name, Key="app.js", Body=b"let x", ContentType="text/javascript")
    control = {"Name": name, "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}
    control_id = cloudfront.create_origin_access_control(OriginAccessControlConfig=control)["OriginAccessControl"]["Id"]
    made = cloudfront.create_distribution(DistributionConfig=configuration(name, name, control_id, port, **others))["Distribution"]
    s3.put_bucket_policy(Bucket=name, Policy=policy(name, made["ARN"]))
    return Site(name, made["Id"], made["ARN"], made["DomainName"], control_id, port)


UNRESOLVED = 6
NOBODY_THERE = 7
"""curl's exit code when a name cannot be resolved."""


def curl(authority: pathlib.Path, *arguments: str) -> tuple[int, dict[str, str], str]:
    """(status, header fields, body) as a user's curl sees them; 0 when there is no answer."""
    command = ["curl", "-sS", "-i", "-m", "10", "--cacert", str(authority), *arguments]
    for _again in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (UNRESOLVED, NOBODY_THERE):
            break
        time.sleep(0.5)  # another cloud of this machine is just writing its names, or a new edge does not listen yet
    if done.returncode:
        return 0, {}, done.stderr
    head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.splitlines()
    return int(first.split()[1]), {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}, body
