"""An open-loop HTTP load: requests start on schedule whether or not earlier ones have answered, so that a stall cannot hide."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Result:
    """``answers`` counts requests by (status, body); ``failures`` lists what went wrong; latencies in seconds."""

    answers: dict = field(default_factory=dict)
    failures: list = field(default_factory=list)
    latencies: list = field(default_factory=list)

    @property
    def requests(self):
        return sum(self.answers.values()) + len(self.failures)

    @property
    def versions(self):
        return {body for _status, body in self.answers}


class Load:
    """Runs from ``with`` to its end against (port, path) targets in turn, ``rate`` requests a second in all."""

    def __init__(self, targets, rate=100.0):
        self._targets = targets
        self._rate = rate
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = []
        self.result = Result()

    def __enter__(self):
        self._pacer = threading.Thread(target=self._pace)
        self._pacer.start()
        return self.result

    def __exit__(self, *_exc):
        self._stop.set()
        self._pacer.join()
        for thread in self._threads:
            thread.join()

    def _pace(self):
        begun, number = time.monotonic(), 0
        while not self._stop.is_set():
            wait = begun + number / self._rate - time.monotonic()
            if wait > 0 and self._stop.wait(wait):
                return
            port, path = self._targets[number % len(self._targets)]
            thread = threading.Thread(target=self._one, args=(port, path))
            thread.start()
            self._threads.append(thread)
            number += 1

    def _one(self, port, path):
        begun = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read().decode()
            connection.close()
            problem = None if response.status == 200 else f"{response.status} {body}"
        except OSError as exc:
            problem = repr(exc)
        except http.client.HTTPException as exc:
            problem = repr(exc)
        with self._lock:
            self.result.latencies.append(time.monotonic() - begun)
            if problem:
                self.result.failures.append(problem)
            else:
                key = (response.status, body)
                self.result.answers[key] = self.result.answers.get(key, 0) + 1
