# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Monitoring as the role renders it, on this machine's Docker Engine, with a blue and a green application; asserts nothing.

Two things are not what they are on an instance. Where EC2 would be asked, the same labels stand in the file; molecule's scenario
`monitoring` asks EC2. And CloudWatch's exporter is replaced by the text that its own code makes of made-up values.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import socket
import subprocess
import sys
import threading
import uuid

import yaml
from monitoring import Prometheus, docker, eventually, get, monitor_module, rendered

WEBHOOK = "http://receiver:8000/api/webhooks/1/to-ken-of-discord"
DEADMAN = "http://receiver:8000/ping/deadman-key"
RECEIVER = """
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(json.dumps({"path": self.path, "body": json.loads(body)}), flush=True)
        self.send_response(204)
        self.end_headers()
    def log_message(self, *unused):
        pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
EXTRA_RULE = """
groups:
  - name: own
    rules:
      - alert: OwnAlert
        expr: vector(7) > 1
        labels: {severity: critical, service: user}
        annotations: {summary: 'Value is {{ $value }}', description: Made by a test., runbook_url: https://runbooks.test/own}
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def found_by_tags(address: str, instance: str, component: str, colour: str = "") -> dict:
    """A target with the labels that EC2's discovery gives it."""
    labels = {
        "__meta_ec2_instance_id": instance,
        "__meta_ec2_tag_Name": f"shop-test-{component}",
        "__meta_ec2_tag_bluegreen_system": "shop",
        "__meta_ec2_tag_bluegreen_environment": "test",
        "__meta_ec2_tag_bluegreen_component": component,
        "__meta_ec2_availability_zone": "ap-northeast-2a",
    }
    return {"targets": [address], "labels": {**labels, **({"__meta_ec2_tag_bluegreen_colour": colour} if colour else {})}}


NODES = [found_by_tags("node:9100", "i-0a", "app")]
# Blue's colour is what its process says, green's is its instance's tag: the process of green says blue, and is overruled.
APPLICATIONS = [
    found_by_tags("blue:8080", "i-0a", "app"),
    found_by_tags("green:8080", "i-0b", "app", "green"),
    found_by_tags("node:9100", "i-0c", "monitoring"),
]


def with_known_targets(text: str) -> str:
    """The configuration with targets in place of EC2's discovery; relabelling stays."""
    configuration = yaml.safe_load(text)
    for scrape in configuration["scrape_configs"]:
        if scrape.pop("ec2_sd_configs", None):
            scrape["static_configs"] = NODES if scrape["job_name"] == "node" else APPLICATIONS
    return yaml.safe_dump(configuration)


def cloudwatch_text() -> str:
    """What the exporter would show of a load balancer with two colours, a database, a cache and an Auto Scaling group."""
    exporter, metrics = monitor_module("cloudwatch"), monitor_module("cloudwatch_metrics")
    balancer = ("LoadBalancer", "app/shop-test/50dc6c495c0c9188")
    resources = [
        exporter.Resource("load_balancer", (balancer,)),
        exporter.Resource("target_group", (("TargetGroup", "targetgroup/shop-test-blue/73e2d6bc24d8a067"), balancer)),
        exporter.Resource("target_group", (("TargetGroup", "targetgroup/shop-test-green/943f017f100becff"), balancer)),
        exporter.Resource("database", (("DBInstanceIdentifier", "shop-test"),)),
        exporter.Resource("cache", (("CacheClusterId", "shop-test-001"),)),
        exporter.Resource("group", (("AutoScalingGroupName", "shop-test-backend"),)),
    ]
    values = itertools.count(5)
    text = exporter.render([(metric, resource, next(values)) for resource in resources for metric in metrics.METRICS[resource.kind]])
    return "cloudwatch_last_success_timestamp_seconds 4102444800\n" + text


class Running:
    """One compose project: the role's own file, and an override with what is watched."""

    def __init__(self, images: dict, folder: pathlib.Path):
        self._images, self._folder = images, folder
        self.project = f"monitoring{uuid.uuid4().hex[:8]}"
        self.ports = {"prometheus": free_port(), "alertmanager": free_port(), "grafana": free_port()}
        self.prometheus = Prometheus(f"http://127.0.0.1:{self.ports['prometheus']}")
        self.files: dict = {}
        self._end = threading.Event()

    def start(self) -> None:
        own = self._folder / "own-rules"
        own.mkdir()
        (own / "own.yml").write_text(EXTRA_RULE)
        self.files = rendered(self._folder, self._variables(own))
        bundle = self._folder / "bundle"
        for name, text in self.files.items():
            path = bundle / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(with_known_targets(text) if name == "prometheus.yml" else text)
        (bundle / ".env").write_text(f"DISCORD_WEBHOOK_URL={WEBHOOK}\nDEADMAN_URL={DEADMAN}\n")
        (bundle / "srv").mkdir()
        (bundle / "srv/metrics").write_text(cloudwatch_text())
        (bundle / "override.yml").write_text(self._override())
        self.compose("up", "-d", "--pull", "never")
        eventually("both colours and Prometheus answer", self._ready, 90)
        threading.Thread(target=self._ask, daemon=True).start()

    def _variables(self, own: pathlib.Path) -> dict:
        return {
            "monitoring_image": self._images["server"],
            "monitoring_ports": {name: f"127.0.0.1:{port}" for name, port in self.ports.items()},
            "monitoring_applications": [{"service": "user", "port": 8080}],
            "monitoring_endpoints": ["http://blue:8080/healthz"],
            "monitoring_scrape_interval": 2,
            "monitoring_discord": True,
            "monitoring_deadman": True,
            "monitoring_group_wait": 1,
            "monitoring_rules": [str(own)],
            "monitoring_rules_disabled": ["HostRebooted"],
        }

    def _override(self) -> str:
        agent = {"image": self._images["agent"], "init": True, "networks": ["monitoring"]}
        server = {"image": self._images["server"], "init": True, "networks": ["monitoring"]}
        backend = {"image": self._images["backend"], "init": True, "networks": ["monitoring"]}
        memory = {"STORE": "memory", "CACHE": "none", "COLOUR": "blue"}
        services = {
            "node": {
                **agent,
                "command": ["prometheus-node-exporter", "--path.rootfs=/host", "--collector.textfile.directory=/var/lib/metrics"],
                "volumes": ["/:/host:ro", "metrics:/var/lib/metrics:ro"],
                "pid": "host",
            },
            "containers": {
                "image": self._images["agent"],
                "command": ["python3", "/app/containers.py"],
                "environment": {"METRICS_SECONDS": "2"},
                "network_mode": "none",
                "pid": "host",
                "volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro", "/sys/fs/cgroup:/host/cgroup:ro", "metrics:/var/lib/metrics"],
            },
            "blue": {**backend, "environment": {**memory, "APP_VERSION": "1.0.0"}},
            "green": {**backend, "environment": {**memory, "APP_VERSION": "1.1.0", "FAULTS": "error_rate=0.2"}},
            "receiver": {**server, "entrypoint": ["python3", "-c", RECEIVER]},
            "cloudwatch": {
                "entrypoint": ["python3", "-m", "http.server", "9106", "-d", "/srv"],
                "command": [],
                "volumes": ["./srv:/srv:ro"],
            },
        }
        return yaml.safe_dump({"services": services, "volumes": {"metrics": {}}}).replace("command: []", "command: !override []")

    def _ready(self) -> bool:
        return (
            get(f"{self.prometheus.url}/-/ready")[0] == 200
            and len([1 for target in self.prometheus.targets() if target["health"] == "up"]) >= 5
        )

    def _ask(self) -> None:
        """Requests to both colours until the end, from inside the network."""
        program = (
            "import time, urllib.request\n"
            "while True:\n"
            "    for colour in ('blue', 'green'):\n"
            "        for path in ('/api/info', '/api/messages'):\n"
            "            try: urllib.request.urlopen(f'http://{colour}:8080{path}', timeout=5).read()\n"
            "            except OSError: pass\n"
            "    time.sleep(0.1)\n"
        )
        while not self._end.is_set():
            self.compose("exec", "-T", "receiver", "python3", "-c", program, check=False, timeout=600)
            self._end.wait(1)

    def compose(self, *words: str, check: bool = True, timeout: float = 300) -> str:
        own = pathlib.Path(sys.prefix, "bin/docker-compose")
        program = [str(own)] if own.exists() else ["docker", "compose"]
        command = [*program, "-p", self.project, "-f", "docker-compose.yml", "-f", "override.yml", *words]
        done = subprocess.run(
            command, cwd=self._folder / "bundle", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False
        )
        if check and done.returncode:
            raise RuntimeError(f"docker compose {' '.join(words)} ended with {done.returncode}: {done.stdout.strip()[-1500:]}")
        return done.stdout.strip()

    def received(self, path: str) -> list:
        """What was posted to a path of the receiver."""
        lines = docker("logs", f"{self.project}-receiver-1").splitlines()
        return [entry["body"] for entry in map(json.loads, (line for line in lines if line.startswith("{"))) if entry["path"] == path]

    def stop(self) -> None:
        self._end.set()
        if (self._folder / "bundle/override.yml").exists():
            self.compose("down", "-v", "-t", "1", check=False)
