"""METRICS_PORT: what a process tells of itself, to whom may know."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from structlog.testing import capture_logs

from media_jobs.runtime import metrics_server
from media_jobs.runtime.metrics_server import MetricsServer
from media_jobs.services import metrics
from tests.e2e.service import wait_until
from tests.measuring.metrics import parse
from tests.servers import free_ports


@contextmanager
def serving(port: int) -> Iterator[MetricsServer]:
    server = MetricsServer(metrics.own_metrics, port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.join(30)


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


def get(port: int, path: str = "/metrics", **headers: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=30)


def test_it_tells_of_its_process_and_of_nothing_else(port: int, settings) -> None:
    with serving(port) as server:
        wait_until(lambda: server.is_listening, 30, "the port")
        found = parse(get(port).text)
        assert found["process_resident_memory_bytes"] > 1_000_000
        assert "queue_depth" not in found
        assert get(port, "/v1/images").status_code == 404
        settings.METRICS_TOKEN = "s3cret"
        assert (get(port).status_code, get(port).headers["WWW-Authenticate"]) == (401, "Bearer")
        assert get(port, Authorization="Bearer s3cret").status_code == 200


def test_a_port_that_is_taken_is_waited_for_and_keeps_nobody_from_working(port: int, monkeypatch) -> None:
    monkeypatch.setattr(metrics_server, "_AGAIN_S", 0.05)
    with capture_logs() as logged, socket.create_server(("127.0.0.1", port)) as taken, serving(port) as server:
        wait_until(lambda: logged, 30, "a line in the log")
        assert (logged[0]["event"], logged[0]["port"]) == ("metrics_port_unavailable", port)
        assert not server.is_listening
        taken.close()
        wait_until(lambda: server.is_listening, 30, "the port")
        assert get(port).status_code == 200
