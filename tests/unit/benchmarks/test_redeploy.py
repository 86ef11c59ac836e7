"""The redeployment benchmark as a program, against an application whose redeployments are made up: verdicts, exit codes, last line."""

from __future__ import annotations

import json
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import redeploy

RESULT = re.compile(r"result: requests=\d+ failed=(\d+) p50_ms=\d+\.\d p99_ms=\d+\.\d plain_failed=(\d+)")


class Application(ThreadingHTTPServer):
    """Answers as the sample application does. Who answers is read from a file; while the file `down` exists nobody does."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.worker = folder / "worker"
        self.down = folder / "down"
        self.worker.write_text("w0")
        self.messages: list[dict] = []
        self.forgets = False
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Application

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/api/messages":
            with self.server.lock:
                found = [entry for entry in self.server.messages if entry["room"] == query["room"]]
            self.answer({"messages": [entry for entry in found if entry["id"] > int(query.get("after", 0))][:100]})
        else:
            self.answer({"hostname": self.server.worker.read_text()})

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            if not self.server.forgets:
                number = sum(entry["room"] == message["room"] for entry in self.server.messages) + 1
                self.server.messages.append({**message, "id": number})
        self.answer({})

    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(503 if self.server.down.exists() else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def application(tmp_path):
    server = Application(tmp_path)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def script(application, text: str) -> str:
    """A command that runs Python with the application's files at hand."""
    number = len(list(application.folder.glob("*.py")))
    path = application.folder / f"hook{number}.py"
    path.write_text(f"import os, pathlib, sys, time\nfolder = pathlib.Path({str(application.folder)!r})\nn = sys.argv[1]\n{text}\n")
    return f"{sys.executable} {path} {{n}}"


def run(application, capsys, **hooks: str):
    """(exit code, output, errors) of the benchmark with quick defaults."""
    given = {
        "frontend": application.url,
        "backend": application.url,
        "redeploy": script(application, "assert os.environ['REDEPLOY_NUMBER'] == n; (folder / 'worker').write_text('ours' + n)"),
        "unhealthy": script(application, "sys.exit(1)"),
        "plain-redeploy": script(
            application,
            "(folder / 'down').touch(); time.sleep(0.3); (folder / 'worker').write_text('plain' + n); (folder / 'down').unlink()",
        ),
        "redeployments": "2",
        "settle": "0.3",
        "rate": "50",
        "start-timeout": "1",
        "log-dir": str(application.folder / "logs"),
        **{name.replace("_", "-"): value for name, value in hooks.items()},
    }
    arguments = [word for name, value in given.items() for word in (f"--{name}", value)]
    try:
        code = redeploy.main(arguments)
    except SystemExit as error:
        code = error.code
    output = capsys.readouterr()
    return code, output.out, output.err


def test_ours_loses_nothing_and_plain_loses_some(application, capsys):
    code, output, _ = run(application, capsys)
    last = RESULT.fullmatch(output.splitlines()[-1])
    assert "problem" not in output
    assert (code, last[1]) == (0, "0")
    assert int(last[2]) > 10
    assert "ours: redeploy 2" in output and "ours: never healthy" in output and "plain: redeploy 2" in output
    assert "status not 2xx or 3xx (503)" in output
    listed = (application.folder / "logs/plain-failures.txt").read_text()
    assert listed.count("  at ") == int(last[2])


def test_a_lost_request_of_ours_is_an_exit_code(application, capsys):
    down = script(
        application, "(folder / 'down').touch(); time.sleep(0.3); (folder / 'down').unlink(); (folder / 'worker').write_text('x' + n)"
    )
    code, output, _ = run(application, capsys, redeploy=down)
    assert code == 1
    assert int(RESULT.fullmatch(output.splitlines()[-1])[1]) > 10


@pytest.mark.parametrize(
    "hooks, problem",
    [
        ({"redeploy": "pass"}, "problem: Redeployment 1 of ours replaced nothing: w0 answered before and after it."),
        ({"redeploy": "sys.exit(4)"}, "problem: Redeployment 1 of ours failed: its command ended with 4; see its log."),
        ({"unhealthy": "pass"}, "problem: The release of ours that cannot get healthy was reported as deployed."),
        (
            {"unhealthy": "(folder / 'worker').write_text('bad'); sys.exit(1)"},
            "problem: The release of ours that cannot get healthy changed who answers, from ours2 to bad.",
        ),
    ],
)
def test_a_step_that_does_not_do_what_it_says_is_a_problem(application, capsys, hooks, problem):
    code, output, _ = run(application, capsys, **{name: script(application, text) for name, text in hooks.items()})
    assert code == 1
    assert problem in output.splitlines()
    assert RESULT.fullmatch(output.splitlines()[-1])


def test_a_message_that_was_acknowledged_and_is_gone_is_a_problem(application, capsys):
    application.forgets = True
    code, output, _ = run(application, capsys)
    assert code == 1
    assert re.search(r"problem: Of \d+ acknowledged messages, ours lost [1-9]\d*, doubled 0 and left 0 gaps\.", output)


def test_an_application_that_does_not_answer_cannot_be_measured(application, capsys):
    application.down.touch()
    code, _, errors = run(application, capsys)
    assert code == 3
    assert errors == (
        f"Cannot measure ours: {application.url} and {application.url} did not both answer within 1 s (status not 2xx or 3xx: 503 for /).\n"
    )


def test_plain_that_cannot_start_is_removed_again(application, capsys):
    start, stop = script(application, "sys.exit(5)"), script(application, "(folder / 'stopped').touch()")
    code, _, errors = run(application, capsys, plain_start=start, plain_stop=stop)
    assert code == 3
    assert errors == "Cannot start the application the plain way: its command ended with 5; see its log.\n"
    assert (application.folder / "stopped").exists()


def test_a_command_that_hangs_is_ended(application, capsys, monkeypatch):
    monkeypatch.setattr(redeploy, "_PROGRESS_EVERY", 0.2)
    hanging = script(application, "(folder / 'pid').write_text(str(os.getpid())); time.sleep(60)")
    code, output, errors = run(application, capsys, redeploy=hanging, command_timeout="0.5")
    assert code == 3
    assert errors.startswith("The command for ours redeploy 1 did not end within 0.5 s; its log is ")
    assert "ours redeploy 1: running for 0 s" in output
    with pytest.raises(ProcessLookupError):
        redeploy.os.kill(int((application.folder / "pid").read_text()), 0)


@pytest.mark.parametrize(
    "hooks, sentence",
    [
        ({"frontend": "http://10.1.2.3:3000"}, "Refused to send load to 10.1.2.3: it is not a loopback address"),
        ({"rate": "0"}, "--rate must be above 0 and at most 2000"),
        ({"redeployments": "0"}, "--redeployments must be from 1 to 50"),
    ],
)
def test_bad_arguments(application, capsys, hooks, sentence):
    code, _, errors = run(application, capsys, **hooks)
    assert code == 2
    assert sentence in errors


def test_a_command_that_does_not_exist(application, capsys):
    code, _, errors = run(application, capsys, redeploy="/no/such/program {n}")
    assert (code, errors) == (3, "Cannot run '/no/such/program' for ours redeploy 1: No such file or directory.\n")
