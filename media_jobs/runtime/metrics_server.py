"""METRICS_PORT: what a process tells Prometheus of itself, at an address that the world need not reach."""

import socket
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

import structlog
from django.conf import settings
from django.db import connections
from prometheus_client import REGISTRY

from media_jobs.services import metrics
from media_jobs.services.jobs.worker import Worker
from media_jobs.services.metrics.own import SandboxCollector

log = structlog.get_logger(__name__)

#: A former process may still be about to end that listens on this port.
_AGAIN_S = 5.0
_PATIENCE_S = 10.0


class MetricsServer(threading.Thread):
    """Answers `/metrics` with what `exposition` returns; with METRICS_TOKEN set, only to its bearer.

    It must not keep a worker from its jobs: where the port is taken it says so, and tries again.
    """

    def __init__(self, exposition: Callable[[], bytes], port: int) -> None:
        super().__init__(name="metrics", daemon=True)
        self._exposition, self._port = exposition, port
        self._server: _Server | None = None
        self._stopped = threading.Event()

    @property
    def is_listening(self) -> bool:
        return self._server is not None

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._server = _Server(settings.METRICS_HOST, self._port, self._exposition)
            except OSError as error:
                log.warning("metrics_port_unavailable", port=self._port, error=error.strerror or str(error))
                self._stopped.wait(_AGAIN_S)
                continue
            with self._server:
                self._server.serve_forever()
            return

    def stop(self) -> None:
        self._stopped.set()
        if self._server:
            self._server.shutdown()


class _Server(ThreadingHTTPServer):
    def __init__(self, host: str, port: int, exposition: Callable[[], bytes]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.exposition = exposition
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Do as TCP servers do; HTTPServer's asks DNS for a name that nobody needs, and waits for it."""
        TCPServer.server_bind(self)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE_S
    server_version, sys_version = "gallimg", ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self._answer(404, b"Only /metrics is here.\n")
        elif settings.METRICS_TOKEN and not metrics.has_token(self.headers.get("Authorization", "")):
            self._answer(401, b"METRICS_TOKEN is asked for.\n")
        else:
            try:
                self._answer(200, self.server.exposition(), metrics.CONTENT_TYPE)
            finally:
                connections.close_all()  # those of this thread, which ends now

    def _answer(self, status: int, body: bytes, content_type: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are no news."""


def tell_of(workers: Callable[[], Iterable[Worker]]) -> None:
    """Have this process tell of the workers in it, which `workers` returns."""
    REGISTRY.register(SandboxCollector(workers))


def serve_own(workers: Callable[[], Iterable[Worker]], port: int) -> MetricsServer:
    """Start telling of this process, and of the workers in it."""
    tell_of(workers)
    server = MetricsServer(metrics.own_metrics, port)
    server.start()
    return server
