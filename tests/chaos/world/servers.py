"""Servers that a test may stop, kill, empty and start again, at the same address each time.

Start them in the test's main thread: they die with the thread that started them.
"""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from tests.servers import Server, free_ports, postgres_command, temporary_folder, valkey_binary


class ValkeyServer:
    """A Valkey server that keeps an append-only file, as the service's own does, on a unix socket or a TCP port."""

    def __init__(self, folder: Path, *, tcp: bool = False) -> None:
        self._folder = folder
        self._server: Server | None = None
        self._socket = folder / "valkey.sock"
        self._port = free_ports(1)[0] if tcp else 0
        self.url = f"redis://127.0.0.1:{self._port}/0" if tcp else f"unix://{self._socket}"

    def start(self) -> None:
        options = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "unixsocket": str(self._socket),
            "save": "",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
        }
        command = [str(valkey_binary()), *(part for name, value in options.items() for part in (f"--{name}", value))]
        self._server = Server("Valkey", command, self._folder)
        with redis.Redis.from_url(self.url) as client:
            # It says that it is loading its file with a ResponseError of its own.
            self._server.wait_until(client.ping, redis.exceptions.RedisError)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        assert self._server
        self._server.stop(with_signal)

    def lose_its_file(self) -> None:
        """What a stopped server had kept is gone."""
        shutil.rmtree(self._folder / "appendonlydir")

    def empty(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class PostgresServer:
    """A PostgreSQL server that keeps what it has confirmed, whatever happens to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: Server | None = None
        port = free_ports(1)[0]
        durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
        self._command = postgres_command(folder, port, durable)
        self.url = f"postgresql://gallimg@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        self._server = Server("PostgreSQL", self._command, self._folder, unprivileged=True)
        self._server.wait_until(lambda: psycopg.connect(self.url).close(), psycopg.OperationalError)

    def stop(self, with_signal: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: connections are cut, then all is written (“fast”). SIGQUIT: as after a crash (“immediate”)."""
        assert self._server
        self._server.stop(with_signal)


@contextmanager
def running_valkey(*, tcp: bool = False) -> Iterator[ValkeyServer]:
    with temporary_folder() as folder:
        server = ValkeyServer(folder, tcp=tcp)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGKILL)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    with temporary_folder() as folder:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)
