# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance that boots: AWS's APIs and the metadata service are a server on this machine, botocore and the programs are the real ones."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jinja2
import pytest
import yaml

ROLE = pathlib.Path(__file__).parents[4] / "roles/fleet"
PROGRAM = b"import sys; print('boot', *sys.argv[1:]); sys.exit(int(__import__('os').environ.get('BOOT_CODE', '0')))\n"
RELEASE = "releases/wealist-prod-backend/0123456789ab.json"
XML = '<CompleteLifecycleActionResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"/>'


class Cloud:
    """What AWS holds, and what it was told."""

    def __init__(self):
        self.parameters = {}
        self.objects = {}  # (key, version) -> bytes
        self.log = []
        self.completed = []
        self.refuse_logs = False

    def release(self, program=PROGRAM, sha256=""):
        digest = hashlib.sha256(program).hexdigest()
        pin = {"key": "boot/program.pyz", "version": "v1", "sha256": sha256 or digest}
        self.objects = {(RELEASE, ""): json.dumps({"program": pin}).encode(), ("boot/program.pyz", "v1"): program}

    def lines(self):
        return [event["message"] for event in self.log]

    def outcome(self):
        return json.loads(self.lines()[-1])

    def json(self, target, body):
        """(status, answer) of a call of the JSON protocol."""
        if target == "AmazonSSM.GetParameter":
            if body["Name"] not in self.parameters:
                return 400, {"__type": "ParameterNotFound", "message": "no such parameter"}
            return 200, {"Parameter": {"Name": body["Name"], "Type": "String", "Value": self.parameters[body["Name"]]}}
        if self.refuse_logs:
            return 400, {"__type": "AccessDeniedException", "message": "not authorized"}
        if target == "Logs_20140328.CreateLogStream":
            return 200, {}
        assert target == "Logs_20140328.PutLogEvents", target
        assert (body["logGroupName"], body["logStreamName"]) == ("/wealist/prod/backend/boot", "i-0123")
        self.log += body["logEvents"]
        return 200, {}


def handler(cloud):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_words):
            pass

        def answer(self, status, body, kind="application/json"):
            data = body if isinstance(body, bytes) else body.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_PUT(self):
            self.answer(200, "token")

        def do_GET(self):
            path, _mark, query = self.path.partition("?")
            if path.startswith("/latest/"):
                assert self.headers["X-aws-ec2-metadata-token"] == "token"
                return self.answer(200, "i-0123")
            found = cloud.objects.get((path.removeprefix("/wealist-deploy-scripts/"), query.removeprefix("versionId=")))
            if found is None:
                return self.answer(404, "<Error><Code>NoSuchKey</Code><Message>There is no such key.</Message></Error>", "application/xml")
            return self.answer(200, found, "application/octet-stream")

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "X-Amz-Target" in self.headers:
                status, answer = cloud.json(self.headers["X-Amz-Target"], json.loads(body))
                return self.answer(status, json.dumps(answer), "application/x-amz-json-1.1")
            cloud.completed.append(body.decode())
            return self.answer(200, XML, "text/xml")

    return Handler


@pytest.fixture
def cloud():
    made = Cloud()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(made))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield made
    server.shutdown()
    server.server_close()


def render(name, **more):
    """A template of the role as Ansible renders it, with the role's own variables."""
    variables = {
        "fleet_region": "ap-northeast-2",
        "fleet_hook": "boot",
        "fleet_bucket": "wealist-deploy-scripts",
        "fleet_prefix": "wealist-prod",
        "fleet_compose_sha256": "",
        "fleet_compose_url": "https://example.com/docker-compose",
        "__fleet_full_name": "wealist-prod-backend",
        "__fleet_log_group": "/wealist/prod/backend/boot",
        "__fleet_release_key": RELEASE,
        "__fleet_startup": "/wealist/prod/startup-script:3",
        "role_path": str(ROLE),
        "lookup": lambda _plugin, path: pathlib.Path(path).read_text(encoding="utf-8").rstrip("\n"),
        **yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8")),
        **more,
    }
    environment = jinja2.Environment(trim_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    return environment.from_string((ROLE / "templates" / name).read_text(encoding="utf-8")).render(variables)


@pytest.fixture
def boot(cloud, tmp_path):
    """Runs the rendered user data as cloud-init would; paths that only root may write, and the metadata's address, are this test's."""

    def run(**environment):
        tools = tmp_path / "bin"
        tools.mkdir(exist_ok=True)
        for name in ("docker", "service", "systemctl"):
            (tools / name).write_text("#!/bin/sh\nexit 0\n")
            (tools / name).chmod(0o755)
        (tools / "python3").unlink(missing_ok=True)
        (tools / "python3").symlink_to(sys.executable)
        text = render("user-data.sh.j2").replace("http://169.254.169.254", cloud.url)
        assert text.count("/run/bluegreen-startup-script") == 1
        text = text.replace("/run/bluegreen-startup-script", str(tmp_path / "startup-script"))
        script = tmp_path / "user-data.sh"
        script.write_text(text)
        wanted = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_MAX_ATTEMPTS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        }
        return subprocess.run(["/bin/sh", str(script)], capture_output=True, text=True, env=wanted, timeout=60, check=False)

    return run


@pytest.fixture
def startup(cloud, tmp_path):
    """Puts the rendered startup script into Parameter Store; paths that only root may write are this test's."""
    text = render("startup-script.sh.j2").replace("/opt/bluegreen", str(tmp_path / "opt")).replace("/etc/docker", str(tmp_path / "docker"))
    cloud.parameters["/wealist/prod/startup-script:3"] = text
    return text
