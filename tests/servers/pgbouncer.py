"""PgBouncer in transaction mode before a PostgreSQL server: Debian's own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.servers import Server, free_ports, temporary_folder


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """The URL of the same database behind a pooler, which gives a connection for a transaction and no longer."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("needs PgBouncer: apt-get install pgbouncer")
    parts = urlsplit(url)
    [port] = free_ports(1)
    with temporary_folder() as folder:
        config = folder / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n* = host={parts.hostname} port={parts.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"pool_mode = transaction\nauth_type = any\nmax_client_conn = 200\ndefault_pool_size = 4\n"
        )
        config.write_text(config.read_text().replace("* = ", f"* = user={parts.username} "))
        config.chmod(0o644)
        server = Server("PgBouncer", [program, str(config)], folder, unprivileged=True)
        pooled = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}"))
        server.wait_until(lambda: psycopg.connect(pooled).close(), psycopg.OperationalError)
        try:
            yield pooled
        finally:
            server.stop()
