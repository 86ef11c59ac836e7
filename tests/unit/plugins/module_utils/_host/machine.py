# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance in memory: containers, images, proxies and time, with the interface that the release uses; can be killed at any call."""

from __future__ import annotations

import copy
import datetime
import json
import os
import re

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import names, observed
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ComposeReleaseError
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.options import from_dict
from ansible_collections.bluegreen.aws.plugins.module_utils._host import files, host, proxy


class Killed(BaseException):
    """What SIGKILL is to a process: nothing of it runs any more."""


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 1000.0

    def utc(self):
        return datetime.datetime(2026, 11, 21, 4, 0, tzinfo=datetime.UTC) + datetime.timedelta(seconds=self.now)

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += max(seconds, 0.001)


class Machine:
    """What survives the death of a release: containers, images, running proxies."""

    def __init__(self, directory):
        self.directory = str(directory)
        self.clock = Clock()
        self.running = {}  # name -> element of docker inspect
        self.images = {
            "app:1": "sha256:" + "1" * 64,
            "app:2": "sha256:" + "2" * 64,
            "db:1": "sha256:" + "d" * 64,
            "proxy": "sha256:" + "f" * 64,
        }
        self.sick = set()  # images whose containers never become healthy
        self.proxies = {}  # service -> {server: [backend, address, takes traffic]}
        self.sessions = {}
        self.calls = 0
        self.kill_at = None
        self.dead = False
        self.history = []
        self.number = 0

    def tick(self, what):
        """One step of the outside world; the process dies before the one it was told to."""
        if self.dead:
            raise Killed(what)
        self.calls += 1
        if self.kill_at is not None and self.calls >= self.kill_at:
            self.dead = True
            raise Killed(what)
        self.history.append(what)

    def revive(self):
        self.dead, self.kill_at, self.calls, self.history = False, None, 0, []

    def serving(self, service):
        """Images of the containers that a request to a proxied service reaches now."""
        takers = {server for server, (_backend, _address, takes) in self.proxies.get(service, {}).items() if takes}
        return {
            self.running[f"popcon-{service}-{server}"]["Config"]["Image"]
            for server in takers
            if f"popcon-{service}-{server}" in self.running
        }


class Docker:
    """The interface of _host.docker.Docker on a Machine."""

    def __init__(self, machine, project):
        self.machine, self.project = machine, project

    def check_versions(self):
        self.machine.tick("version")

    def containers(self, project=""):
        self.machine.tick("ps")
        return observed.of_project([copy.deepcopy(item) for item in self.machine.running.values()])

    def logs(self, container, lines=25):
        return f"last words of {container.name}"

    def stop(self, containers, timeout):
        for one in containers:
            self.machine.tick(f"stop {one.name}")
            self.machine.running.pop(one.name, None)
            if one.role == names.ROLE_PROXY:
                self.machine.proxies.pop(one.owner, None)

    def signal(self, container, name):
        self.machine.tick(f"signal {name}")
        self.machine.proxies[container.owner] = self.machine_servers(container.owner)

    def processes(self, container):
        return 2

    def image(self, reference):
        identifier = self.machine.images.get(reference, reference if reference in self.machine.images.values() else None)
        if identifier is None:
            return None
        exposed = {} if reference.startswith("db") else {"8080/tcp": {}}
        return observed.image_details({"Id": identifier, "Config": {"ExposedPorts": exposed}})

    def pull(self, reference, service, config):
        self.machine.tick(f"pull {reference}")

    def remove_image(self, reference):
        self.machine.tick(f"rmi {reference}")
        return True

    def check_proxy(self, image, directory, mount):
        self.machine.tick("check proxy")
        if not os.path.exists(os.path.join(directory, "haproxy.cfg")):
            raise ComposeReleaseError("no configuration")

    def configuration(self, directory, environment_file, file):
        self.machine.tick("config")
        text = re.sub(r"\$\{(\w+)\}", lambda match: _environment(environment_file)[match.group(1)], files.read(file))
        return json.loads(text)

    def variable(self, directory, environment_file, name):
        self.machine.tick("config")
        return _environment(environment_file).get(name)

    def compose_hashes(self, directory, environment_file, file):
        return {}

    def machine_servers(self, service):
        text = files.read(os.path.join(self.machine.directory, ".bluegreen/proxy", service, "haproxy.cfg"))
        return {
            f"{colour}-{number}": ["port-8080", "-", "disabled" not in rest]
            for colour, number, rest in re.findall(r"server (blue|green)-(\d+) \S+:8080(.*)", text)
        }

    def up(self, directory, environment_file, project, service, *flags, stop_timeout=None):
        self.machine.tick(f"up {service}")
        definition = project["services"][service]
        name = f"popcon-{service}-1"
        self.machine.number += 1
        image = definition["image"]
        labels = dict(definition["labels"], **{names.COMPOSE_SERVICE: service, names.COMPOSE_NUMBER: "1"})
        job = labels[names.LABEL_ROLE] == names.ROLE_JOB
        sick = self.machine.images.get(image, image) in self.machine.sick and labels[names.LABEL_ROLE] == names.ROLE_WORKER
        self.machine.running[name] = {
            "Id": f"id-{self.machine.number}",
            "Name": "/" + name,
            "Image": self.machine.images.get(image, image),
            "Config": {"Image": image, "Labels": labels},
            "State": {"Status": "exited" if job else "running", "StartedAt": "2026-11-21T03:00:00Z", "ExitCode": 0,
                      "Health": {"Status": "unhealthy" if sick else "healthy"}},
            "HostConfig": {},
            "NetworkSettings": {"Networks": {"popcon_default": {"IPAddress": f"172.20.0.{self.machine.number % 250 + 2}"}}},
        }  # fmt: skip
        if labels[names.LABEL_ROLE] == names.ROLE_PROXY:
            self.machine.proxies[service] = self.machine_servers(service)


class Proxy(proxy.ProxyControl):
    """The real control of a proxy whose socket is answered from memory."""

    machine = None

    def ask(self, command):
        self.machine.tick(f"proxy {self.service} {command.split(';')[0]}")
        servers = self.machine.proxies.get(self.service)
        if servers is None:
            raise OSError("no such socket")
        if command == "show servers state":
            rows = [f"1 {entry[0]} 1 {name} {entry[1]} 2 {0 if entry[2] else 8}" for name, entry in servers.items()]
            return "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state\n" + "\n".join(rows) + "\n"
        if command == "show stat":
            return "# pxname,svname,qcur,scur\n" + "".join(f"port-8080,{name},0,{self.machine.sessions.get(name, 0)}\n" for name in servers)
        for one in command.split("; "):
            match = re.fullmatch(r"set server port-\d+/(\S+) (addr|state) (\S+).*", one)
            name, what, value = match.groups()
            if what == "addr":
                servers[name][1] = value
            else:
                servers[name][2] = value == "ready"
            if len(command.split("; ")) > 1:
                self.machine.tick("between two commands")
        return "\n"


def _environment(path):
    return dict(line.partition("=")[::2] for line in files.read(path).splitlines()) if path else {}


def make_host(machine, **options):
    """A Host on the machine; the release's own code but for what touches the outside."""
    data = {"project": "popcon", "directory": machine.directory, "proxy_image": "proxy", "pull": "never", "actor": "tester"}
    made = host.Host(from_dict(dict(data, **options)), clock=machine.clock)
    made.docker = Docker(machine, "popcon")

    def control(service):
        result = Proxy(made.store.proxies, service, machine.clock)
        result.machine = machine
        return result

    made.proxy = control
    return made


def bundle(**values):
    """Files of an application: frontend and backend behind proxies, a worker, a job, a database."""
    service = {"image": "${IMAGE}", "networks": {"default": None}}
    web = {"ports": [{"target": 8080, "published": "80", "protocol": "tcp"}]}
    config = {
        "name": "popcon",
        "networks": {"default": {"name": "popcon_default"}},
        "services": {
            "frontend": dict(service, **web, depends_on={"backend": {"condition": "service_healthy"}}),
            "backend": dict(
                service, environment={"KEY": "${KEY}"}, expose=["8080"], healthcheck={"test": ["CMD", "true"]},
                depends_on={"db": {"condition": "service_healthy"}, "migrate": {"condition": "service_completed_successfully"}},
            ),
            "migrate": dict(service),
            "db": {"image": "db:1", "volumes": [{"type": "volume", "source": "db", "target": "/db"}], "networks": {"default": None}},
        },
    }  # fmt: skip
    environment = dict({"IMAGE": "app:1", "KEY": "hunter2-hunter2"}, **values)
    return {"docker-compose.yml": json.dumps(config), ".env": "".join(f"{key}={value}\n" for key, value in environment.items())}
