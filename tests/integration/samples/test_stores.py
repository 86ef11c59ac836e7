"""Every store of the backend keeps the same promises, on a real server of its kind: MariaDB, PostgreSQL, DynamoDB's API."""

from __future__ import annotations

import pathlib
import subprocess
import uuid

import pytest
from stack import BASE, ROOT, docker, eventually, free_port, get

_HERE = pathlib.Path(__file__).parent
_ACCOUNT = {"DB_NAME": "popcon_db", "DB_USERNAME": "popcon", "DB_PASSWORD": "pa'ss"}


def contract(images, *words: str, **environment: str) -> str:
    """Run the contract in the backend's image; returns its last line."""
    given = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
    mount = f"{_HERE / 'store_contract.py'}:/app/store_contract.py:ro"
    image = f"{images.registry}/popcon:backend"
    output = docker("run", "--rm", "-v", mount, *words, *given, "-e", "CACHE=none", image, "python3", "store_contract.py", check=False)
    return output.splitlines()[-1]


@pytest.fixture
def network():
    name = f"sample-{uuid.uuid4().hex[:8]}"
    docker("network", "create", name)
    yield name
    docker("network", "rm", name)


def server(network: str, image: str, *words: str) -> str:
    return docker("run", "-d", "--network", network, "--network-alias", "database", *words, image)


def test_the_contract_finds_a_store_that_breaks_it(images):
    """Two stores in two memories are not one store."""
    assert contract(images, STORE="memory") == "broken promise: ids of concurrent writers have no gap and no twin"


def test_mysql(images, network):
    account = {"MYSQL_ROOT_PASSWORD": "r", "MYSQL_DATABASE": "popcon_db", "MYSQL_USER": "popcon", "MYSQL_PASSWORD": "pa'ss"}
    words = [word for name, value in account.items() for word in ("-e", f"{name}={value}")]
    container = server(network, f"{images.registry}/popcon:mysql", *words)
    try:
        said = contract(images, "--network", network, STORE="mysql", DB_HOST="database", **_ACCOUNT)
        assert said == "kept all promises"
    finally:
        docker("rm", "-f", "-v", container)


def test_postgresql(images, network):
    name = "bluegreen-sample-postgresql"  # stays, since it is half a minute's work that never changes
    docker("build", "-q", "--build-arg", f"BASE={BASE}", "-t", name, str(_HERE / "postgresql"))
    container = server(network, name)
    try:
        said = contract(images, "--network", network, STORE="postgresql", DB_HOST="database", **_ACCOUNT)
        assert said == "kept all promises"
    finally:
        docker("rm", "-f", "-v", container)


def test_dynamodb(images, tmp_path):
    program = ROOT / ".venv-localcloud/bin/ministack"
    if not program.exists():
        pytest.fail("Cannot try the store on DynamoDB: there is no .venv-localcloud; run make setup.", pytrace=False)
    port = free_port()
    listen = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"}
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **listen}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([program], env=environment, cwd=tmp_path, stdout=log, stderr=log)
    try:
        eventually("the API answers", lambda: get(f"http://127.0.0.1:{port}/_ministack/health")[0] == 200)
        said = contract(
            images, "--network", "host", STORE="dynamodb", CREATE_TABLES="true", AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
            AWS_REGION="ap-northeast-2", AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
        )  # fmt: skip
        assert said == "kept all promises"
    finally:
        process.terminate()
        process.wait(20)
