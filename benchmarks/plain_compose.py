"""The other way of redeploying, for comparison: what a deploy.sh does on the instance, through SSM's SendCommand; measures nothing.

    start   stop the released application's containers, start the same compose file and .env as a plain project on the same ports
    up      docker compose pull, docker compose up -d
    stop    remove the plain project with its data, start the stopped containers again

The instance is found by its tags. Credentials, region and endpoint come from the environment, as for every AWS client.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from typing import Any

import boto3
import botocore.exceptions

_POLL = 0.5

_LOGIN = """\
ECR_REGISTRY=$(sed -n 's/^ECR_REGISTRY=//p' "$released/current/.env" | tr -d "\\"'")
python3 - <<'PYTHON' | docker login --username AWS --password-stdin "$ECR_REGISTRY" >/dev/null
import base64, boto3
token = boto3.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
print(base64.b64decode(token).decode().partition(":")[2])
PYTHON
"""

_COMMON = """\
set -eu
set -a; . /etc/environment; set +a
export AWS_DEFAULT_REGION="${{AWS_DEFAULT_REGION:-${{AWS_REGION:-{region}}}}}"
released={directory} project={project} plain={directory}-plain
export DOCKER_CONFIG="$plain/docker"
compose() {{ docker compose --project-name "$project-plain" --project-directory "$plain" "$@"; }}
"""

_SCRIPTS = {
    "start": """\
test -e "$released/current/.env" || {{ echo "Nothing is released in $released." >&2; exit 3; }}
install -d -m 0700 "$plain" "$plain/docker"
# Written once, so that a start after a killed one does not forget whom to start again.
test -s "$plain/stopped" || docker ps -q --filter "label=com.docker.compose.project=$project" > "$plain/stopped"
install -m 0600 "$released/current/.env" "$released/current/{compose_file}" "$plain/"
xargs --no-run-if-empty docker stop --time 30 < "$plain/stopped" >/dev/null
{login}
# A tag that an earlier comparison left on the instance may be another image by now.
compose --file "$plain/{compose_file}" pull --quiet
compose --file "$plain/{compose_file}" up --detach --wait
""",
    "up": """\
{login}
compose --file "$plain/{compose_file}" pull --quiet
compose --file "$plain/{compose_file}" up --detach
""",
    "stop": """\
test -d "$plain" || exit 0
compose --file "$plain/{compose_file}" down --volumes --timeout 5
xargs --no-run-if-empty docker start < "$plain/stopped" >/dev/null
rm -rf "$plain"
""",
}


class PlainError(Exception):
    """The plain way could not be taken; the message is one sentence."""


def script(verb: str, *, directory: str, project: str, region: str, compose_file: str) -> str:
    """What runs on the instance. It holds no secret: the registry's token is fetched there, with the instance's role."""
    values = {
        "directory": shlex.quote(directory),
        "project": shlex.quote(project),
        "region": region,
        "compose_file": compose_file,
        "login": _LOGIN,
    }
    return (_COMMON + _SCRIPTS[verb]).format(**values)


def find_instance(ec2: Any, system: str, environment: str, component: str) -> str:
    """The one running instance with these tags. Raises PlainError."""
    wanted = {"system": system, "environment": environment, "component": component}
    filters = [{"Name": f"tag:bluegreen:{name}", "Values": [value]} for name, value in wanted.items()]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=[*filters, {"Name": "instance-state-name", "Values": ["running"]}])
    found = [instance["InstanceId"] for page in pages for group in page["Reservations"] for instance in group["Instances"]]
    if len(found) != 1:
        raise PlainError(
            f"Cannot redeploy {system} {environment} the plain way: {len(found)} running instances are tagged as its {component}, not one."
        )
    return found[0]


def send(ssm: Any, instance: str, text: str, timeout: int) -> None:
    """Run a script on the instance and print what it printed. Raises PlainError when it fails."""
    command = ssm.send_command(
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": [text], "executionTimeout": [str(timeout)]},
    )["Command"]["CommandId"]
    give_up = time.monotonic() + timeout + 30
    while True:
        time.sleep(_POLL)
        try:
            state = ssm.get_command_invocation(CommandId=command, InstanceId=instance)
        except ssm.exceptions.InvocationDoesNotExist:
            state = {"Status": "Pending"}  # the agent has not heard of it yet
        if state["Status"] not in ("Pending", "InProgress", "Delayed"):
            break
        if time.monotonic() > give_up:
            raise PlainError(f"The command {command} on {instance} did not end within {timeout + 30} s.")
    print(state.get("StandardOutputContent", ""), state.get("StandardErrorContent", ""), sep="\n", flush=True)
    if state["Status"] != "Success":
        raise PlainError(f"The command {command} on {instance} ended as {state['Status']} with code {state.get('ResponseCode')}.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 1 and one sentence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=sorted(_SCRIPTS))
    parser.add_argument("--system", default="popcon")
    parser.add_argument("--environment", default="dev")
    parser.add_argument("--component", default="app")
    parser.add_argument("--directory", help="where the application is released on the instance; default /opt/SYSTEM")
    parser.add_argument("--compose-file", default="docker-compose.yml")
    parser.add_argument("--timeout", type=int, default=300, help="seconds")
    options = parser.parse_args(arguments)
    try:
        session = boto3.session.Session()
        text = script(
            options.verb,
            directory=options.directory or f"/opt/{options.system}",
            project=options.system,
            region=session.region_name or "",
            compose_file=options.compose_file,
        )
        instance = find_instance(session.client("ec2"), options.system, options.environment, options.component)
        send(session.client("ssm"), instance, text, options.timeout)
    except PlainError as error:
        print(error, file=sys.stderr)
        return 1
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        print(f"Cannot {options.verb} {options.system} the plain way: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
