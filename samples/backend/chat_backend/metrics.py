"""What Prometheus is told; counts, and measures nothing itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.process_collector import ProcessCollector

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The application's series, in a registry of their own. Durations are seconds."""

    def __init__(self, *, version: str, colour: str):
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        # Labels as Prometheus' own HTTP instrumentation has them; a route is its pattern, so that their number is known.
        labels = ("method", "route", "code")
        self.requests = Counter("http_requests", "Answered requests.", labels, registry=self.registry)
        self.latency = Histogram("http_request_duration_seconds", "Time to answer.", labels, buckets=_BUCKETS, registry=self.registry)
        self.in_flight = Gauge("http_requests_in_flight", "Requests that are being answered.", registry=self.registry)
        self.websockets = Gauge("websocket_connections", "Open WebSocket connections.", registry=self.registry)
        self.messages = Counter("chat_messages", "Messages taken, by what became of them.", ("result",), registry=self.registry)
        self.ready = Gauge("service_ready", "1 when the last readiness check passed, else 0.", registry=self.registry)
        Info("build", "What runs here.", registry=self.registry).info({"version": version, "colour": colour})

    def render(self) -> bytes:
        """The exposition in Prometheus' text format."""
        return generate_latest(self.registry)
