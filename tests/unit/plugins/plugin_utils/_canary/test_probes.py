# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes against a real HTTP server on loopback: colours, status codes, broken and closed connections, the rate."""

from __future__ import annotations

import http.server
import threading
import time

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import ANY, CANDIDATE, LIVE
from ansible_collections.bluegreen.aws.plugins.plugin_utils._canary.probes import Probes


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers = staticmethod(lambda _number: (200, "blue"))
    seen = 0
    headers_seen: list = []  # noqa: RUF012 - emptied by the fixture

    def do_GET(self):
        Handler.seen += 1
        Handler.headers_seen.append(dict(self.headers))
        status, colour = Handler.answers(Handler.seen)
        if status is None:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(status)
        if colour:
            self.send_header("X-App-Colour", colour)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.close_connection = status == 299  # closes without having said so

    def log_message(self, *_unused):
        pass


@pytest.fixture
def server():
    Handler.seen, Handler.headers_seen = 0, []
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}/api/info?x=1"
    found.shutdown()
    found.server_close()
    thread.join()


def probes(url, **options):
    signed = {"blue": LIVE, "green": CANDIDATE}
    return Probes(url, "X-App-Colour", signed, **{"rate": 200.0, "timeout_s": 2.0, **options})


def ask(url, answers, requests):
    Handler.answers = staticmethod(answers)
    one = probes(url)
    connection, totals = one._connect(), {}
    used = False
    for _request in range(requests):
        keep, _colour = one._ask(connection, used)
        used = keep
    connection.close()
    for sample in one.take():
        totals[sample.colour] = sample
    return totals


def test_answers_are_counted_by_colour(server):
    found = ask(server, lambda number: (200, "green" if number % 4 == 0 else "blue"), 20)
    assert (found[LIVE].requests, found[CANDIDATE].requests, found[ANY].requests) == (15, 5, 20)
    assert len(found[CANDIDATE].latencies_ms) == 5
    assert found[ANY].errors == 0


def test_status_codes_are_told_apart(server):
    found = ask(server, lambda number: ({1: 500, 2: 404, 3: 503}.get(number, 200), "green"), 10)
    assert (found[CANDIDATE].requests, found[CANDIDATE].errors, found[CANDIDATE].client_errors) == (10, 2, 1)


def test_an_answer_of_the_load_balancer_itself_has_no_colour(server):
    found = ask(server, lambda number: (502, None) if number == 3 else (200, "blue"), 10)
    assert (found[ANY].requests, found[ANY].errors) == (10, 1)
    assert found[LIVE].requests == 9


def test_a_connection_that_was_closed_while_idle_is_no_error(server):
    found = ask(server, lambda number: (299 if number == 5 else 200, "blue"), 10)
    assert (found[ANY].requests, found[ANY].errors) == (10, 0)


def test_a_connection_that_breaks_is_an_error(server):
    found = ask(server, lambda _number: (None, None), 3)
    assert (found[ANY].requests, found[ANY].errors) == (3, 3)


def test_nobody_there_is_an_error():
    one = probes("http://127.0.0.1:9/")
    assert one.once() is None
    sample, *others = one.take()
    assert [other.requests for other in others] == [0, 0]
    assert (sample.colour, sample.requests, sample.errors) == (ANY, 1, 1)


def test_nothing_asked_is_nothing_counted(server):
    assert probes(server).take() == []


def test_path_query_and_headers_are_sent(server):
    Handler.answers = staticmethod(lambda _number: (200, "blue"))
    assert probes(server, headers={"X-Wish": "7"}).once() == LIVE
    assert Handler.headers_seen[0]["X-Wish"] == "7"


def test_the_pace_is_kept_and_can_be_raised(server):
    Handler.answers = staticmethod(lambda _number: (200, "blue"))
    one = probes(server, rate=40.0)
    one.start()
    time.sleep(1.0)
    calm = sum(sample.requests for sample in one.take() if sample.colour == ANY)
    one.ask_more(4.0)
    time.sleep(1.0)
    one.stop()
    busy = sum(sample.requests for sample in one.take() if sample.colour == ANY)
    assert 15 <= calm <= 60, "forty a second, on a machine that may be busy"
    assert busy > 1.5 * calm
