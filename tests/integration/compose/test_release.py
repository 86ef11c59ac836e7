"""Releases against a real Engine: what is touched, what is not, and that no request is lost; the faults are in test_faults.py."""

from __future__ import annotations

import json
import os
import socket
import stat

import pytest

from .conftest import APP, COMPOSE, docker
from .load import Load

ALL = {"frontend-1", "backend-1", "db-1"}


def version(app, number):
    app.values["APP_IMAGE"] = f"{APP}:{number}"


def test_first_release_starts_in_order_and_a_second_run_changes_nothing(application):
    result = application.run()
    assert application.actions(result) == {"db": "create", "migrate": "run", "backend": "create", "frontend": "create"}
    assert application.running() == ALL | {"frontend-blue-1", "backend-blue-1"}
    assert application.get() == "1"
    assert application.get(application.frontend, "/behind") == "1"
    order = [
        application.progress.index(words)
        for words in ("db is healthy", "starting backend-blue", "backend-blue is healthy", "starting frontend-blue")
    ]
    assert order == sorted(order)
    record = application.record(application.current())
    assert (record["actor"], record["result"], record["action"]) == ("tester", "succeeded", "release")

    before = {name: application.inspect(name, "{{.Id}} {{.State.StartedAt}}") for name in application.containers()}
    again = application.run()
    assert again["changed"] is False
    assert set(application.actions(again).values()) == {"none"}
    assert again["record"]["id"] == result["record"]["id"]
    assert os.listdir(application.directory / "releases") == [result["record"]["id"]]
    assert {name: application.inspect(name, "{{.Id}} {{.State.StartedAt}}") for name in application.containers()} == before


def test_redeployments_and_rollback_lose_no_request(application):
    first = application.run()
    database = application.inspect("db-1", "{{.Id}}")
    targets = [
        (application.frontend, "/"),
        (application.backend, "/"),
        (application.frontend, "/behind"),
        (application.backend, "/slow?seconds=1"),
    ]
    with Load(targets, rate=120) as result:
        for number in ("2", "3"):
            version(application, number)
            application.run()
            assert application.get() == number
        back = application.run("rollback")
        application.run("rollback", "--release", first["record"]["id"])
    assert result.failures == []
    assert result.requests > 1000
    assert result.versions == {"1", "2", "3"}
    assert application.get() == "1"
    assert back["record"]["action"] == "rollback"
    assert application.inspect("db-1", "{{.Id}}") == database
    assert len([name for name in application.running() if "backend-" in name]) == 2  # proxy and one worker


def test_an_upgraded_connection_drains_until_its_limit(application):
    application.run()
    version(application, "2")
    with socket.create_connection(("127.0.0.1", application.backend), timeout=30) as stream:
        stream.sendall(b"GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n")
        reader = stream.makefile("rb")
        while reader.readline().strip():
            pass
        stream.sendall(b"before\n")
        assert reader.readline() == b"1 before\n"
        release = application.start(drain_timeout=6)
        application.wait_for(lambda: application.get() == "2", 40)
        stream.sendall(b"after\n")
        assert reader.readline() == b"1 after\n"  # the old one still serves those who were connected
        output = release.communicate()
        assert release.returncode == 0
        assert "backend-blue still has 1 connections after 6 s; they end now" in output[1]
        assert reader.readline() == b""


def test_a_changed_variable_touches_only_what_uses_it(application):
    application.run()
    application.values["APP_PASSWORD"] = "another-secret-value"
    result = application.run()
    assert application.actions(result) == {"db": "none", "migrate": "run", "backend": "replace", "frontend": "none"}
    assert result["services"][2]["reasons"] == ["environment"]
    assert result["after"]["environment"]["APP_PASSWORD"] == "value (after)"
    assert "another-secret-value" not in json.dumps(result)


@pytest.mark.thorough
def test_a_changed_mounted_file_replaces_what_mounts_it(application):
    application.run()
    (application.source / "motd").write_text("good-bye\n")
    result = application.run()
    assert {item["service"]: item["reasons"] for item in result["services"] if item["action"] == "replace"} == {
        "backend": ["mounted files"]
    }
    assert docker("exec", f"{application.project}-backend-green-1", "cat", "/etc/motd") == "good-bye"


@pytest.mark.thorough
def test_a_moved_tag_does_not_recreate_what_has_a_volume_and_a_named_digest_does(application):
    docker("tag", f"{APP}:1", f"{application.project}:db")
    try:
        application.values["DB_IMAGE"] = f"{application.project}:db"
        application.run()
        docker("tag", f"{APP}:2", f"{application.project}:db")
        result = application.run()
        assert result["changed"] is False
        wanted = docker("image", "inspect", "--format", "{{.Id}}", f"{APP}:2")
        application.values["DB_IMAGE"] = wanted
        result = application.run()
        assert application.actions(result)["db"] == "recreate"
        assert application.inspect("db-1", "{{.Image}}") == wanted
    finally:
        docker("rmi", f"{application.project}:db")


def test_check_mode_predicts_and_changes_nothing(application):
    predicted = application.run("deploy", "--check")
    assert predicted["changed"] is True
    assert application.containers() == {}
    assert not application.directory.exists()
    done = application.run()
    assert application.actions(predicted) == application.actions(done)
    assert application.run("deploy", "--check")["changed"] is False
    version(application, "2")
    predicted = application.run("deploy", "--check")
    assert application.get() == "1"
    done = application.run()
    assert application.actions(predicted) == application.actions(done)
    assert predicted["record"]["images"] == done["record"]["images"]
    assert predicted["after"] == done["after"]


def test_what_plain_compose_started_is_taken_over(application):
    application.write_environment()
    docker("compose", "--project-name", application.project, "--project-directory", str(application.source), "up", "--detach", "--wait",
           "frontend", "backend", "db")  # fmt: skip
    database = application.inspect("db-1", "{{.Id}}")
    # The bundle is where plain Compose ran, so the database's definition is the same to the letter.
    version(application, "2")
    result = application.run()
    assert application.actions(result) == {"db": "none", "migrate": "run", "backend": "replace", "frontend": "replace"}
    assert application.inspect("db-1", "{{.Id}}") == database
    assert application.running() == ALL | {"frontend-blue-1", "backend-blue-1"}
    assert application.get() == application.get(application.frontend, "/behind") == "2"
    assert application.run()["changed"] is False


@pytest.mark.thorough
def test_a_restart_of_the_engine_brings_back_the_live_colour(application):
    application.write(COMPOSE.replace("    image: ${APP_IMAGE}\n    ports", "    image: ${APP_IMAGE}\n    restart: always\n    ports"))
    application.run()
    version(application, "2")
    application.run()
    names = [f"{application.project}-{name}" for name in sorted(application.running())]
    docker("restart", "--time", "1", *names)
    application.wait_for(lambda: application.get() == "2")
    application.wait_for(lambda: application.get(application.frontend, "/behind") == "2")


@pytest.mark.thorough
def test_a_service_that_leaves_the_compose_file_goes(application):
    application.run()
    application.write(COMPOSE.replace("  frontend:", "  other:"))
    result = application.run()
    assert application.actions(result)["frontend"] == "remove"
    assert application.running() == {"db-1", "backend-1", "backend-blue-1", "other-1", "other-blue-1"}
    assert not (application.directory / ".bluegreen" / "proxy" / "frontend").exists()


def test_a_new_port_reaches_the_proxy_without_losing_a_request(application):
    application.run()
    application.write(COMPOSE.replace("    environment: {APP_PASSWORD", '    expose: ["9090"]\n    environment: {APP_PASSWORD'))
    proxy = application.inspect("backend-1", "{{.Id}}")
    with Load([(application.backend, "/")], rate=100) as result:
        application.run()
    assert result.failures == []
    assert application.inspect("backend-1", "{{.Id}}") == proxy
    assert "bind :9090" in (application.directory / ".bluegreen/proxy/backend/haproxy.cfg").read_text()


@pytest.mark.thorough
def test_several_containers_of_one_service(application):
    application.write(COMPOSE.replace("    environment: {APP_PASSWORD", "    deploy: {replicas: 2}\n    environment: {APP_PASSWORD"))
    application.run()
    version(application, "2")
    with Load([(application.backend, "/")], rate=100) as result:
        application.run()
    assert result.failures == []
    assert {"backend-green-1", "backend-green-2"} <= application.running()
    assert "backend-blue-1" not in application.containers()


@pytest.mark.thorough
def test_a_service_without_ports_is_replaced_without_a_proxy(application):
    base = os.environ.get("BLUEGREEN_TEST_BASE", "debian:trixie-slim")  # exposes nothing
    text = COMPOSE.replace(
        "volumes:\n  db: {}", f"  worker:\n    image: {base}\n    command: [sleep, '${{NAP}}']\n    init: true\nvolumes:\n  db: {{}}"
    )
    application.write(text)
    application.values["NAP"] = "1000"
    application.run()
    assert {"worker-blue-1"} <= application.running() and "worker-1" not in application.containers()
    address = "import socket; print(len(socket.gethostbyname_ex('worker')[2]))"
    assert docker("exec", f"{application.project}-backend-blue-1", "python3", "-c", address) == "1"  # still found by its name
    application.values["NAP"] = "2000"
    result = application.run()
    assert application.actions(result)["worker"] == "replace"
    assert {name for name in application.containers() if "worker" in name} == {"worker-green-1"}


@pytest.mark.thorough
def test_network_mode_host_is_recreated_and_says_so(application):
    text = COMPOSE.replace('    ports: ["127.0.0.1:${FRONTEND_PORT}:8080"]\n', "    network_mode: host\n")
    application.write(text.replace('{BEHIND: "http://backend:8080/"}', '{PORT: "${FRONTEND_PORT}"}'))
    result = application.run()
    assert "frontend is recreated, not replaced side by side: network_mode is host." in result["warnings"]
    version(application, "2")
    result = application.run()
    assert application.actions(result)["frontend"] == "recreate"
    assert application.get(application.frontend) == "2"


def test_secrets_are_nowhere_but_in_env_and_in_the_container_that_uses_them(application):
    application.run()
    state = application.directory / ".bluegreen"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for path in application.directory.rglob("*"):
        if path.is_file() and not path.is_symlink():
            text = path.read_text(errors="replace")
            if path.name == ".env":
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
            else:
                assert application.password not in text, path
    assert application.password not in docker("inspect", f"{application.project}-backend-1")
    inside = docker("exec", f"{application.project}-backend-blue-1", "python3", "-c", "import os; print(os.environ['APP_PASSWORD'])")
    assert inside == application.password


def test_info_shows_what_runs(application):
    application.run()
    shown = application.run("info")
    assert shown["current"] == application.current()
    backend = next(item for item in shown["services"] if item["service"] == "backend")
    assert (backend["live_colour"], backend["managed"]) == ("blue", True)
    assert shown["lock"] is None


@pytest.mark.parametrize("strategy", ["recreate", "stay"])
def test_strategies(application, strategy):
    services = {"backend": {"strategy": strategy}}
    application.run(services=services)
    assert "backend-blue-1" not in application.running()
    version(application, "2")
    result = application.run(services=services)
    assert application.actions(result)["backend"] == "recreate"
    assert application.get() == "2"
