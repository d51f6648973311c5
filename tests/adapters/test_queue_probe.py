"""What is wrong with REDIS_URL is said at the start, in one line and without a password."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from media_jobs.adapters.queue_probe import QueueUnusable, probe_queue
from tests.servers import Server, free_ports, temporary_folder, valkey_binary
from tests.servers.certificates import Authority, tls_relay

PASSWORD = "hunter2"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """That of a Valkey server with a password."""
    [found] = free_ports(1)
    with temporary_folder() as folder:
        options = {"port": str(found), "bind": "127.0.0.1", "save": "", "dir": str(folder), "requirepass": PASSWORD}
        command = [str(valkey_binary()), *(part for name, value in options.items() for part in (f"--{name}", value))]
        server = Server("Valkey", command, folder)
        with redis.Redis(port=found, password=PASSWORD) as client:
            server.wait_until(client.ping, redis.exceptions.ConnectionError)
        try:
            yield found
        finally:
            server.stop()


@pytest.fixture
def complaint(settings: Any) -> Any:
    def probe(url: str) -> str:
        """What is said of it; nothing where all is well."""
        settings.EMBEDDED_QUEUE = False
        settings.RQ_QUEUES = {"interactive": {"URL": url}}
        try:
            probe_queue()
        except QueueUnusable as error:
            said = str(error)
            assert re.match(r"REDIS_URL: [^\n]+$", said)
            assert not re.search("hunter|wr0ng", said)
            return said
        return ""

    return probe


def test_what_is_right_is_not_spoken_of(complaint, port):
    assert complaint(f"redis://:{PASSWORD}@127.0.0.1:{port}/0") == ""


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://127.0.0.1:{port}/0", "user or password are wrong"),
        ("redis://:wr0ng@127.0.0.1:{port}/0", "user or password are wrong"),
        ("redis://wr0ng:hunter2@127.0.0.1:{port}/0", "user or password are wrong"),
        ("redis://:hunter2@127.0.0.1:{port}/99", "it has no database of this number"),
        ("redis://:hunter2@127.0.0.1:{port}/0?hunter=wr0ng", "not understood"),
        ("redis://:hunter2@127.0.0.1:{port}/0?socket_timeout=hunter", "not understood"),
        ("rediss://:hunter2@127.0.0.1:{port}/0", "it does not speak TLS; write redis:// for rediss://"),
    ],
)
def test_what_is_wrong_is_named(complaint, port, url, says):
    assert says in complaint(url.format(port=port))


def test_certificates_are_judged_by_whom_one_trusts(complaint, port, tmp_path: Path):
    authority = Authority(tmp_path)
    with tls_relay(port, authority.context("127.0.0.1")) as relayed, stranger(port, tmp_path) as other:
        url = f"rediss://:{PASSWORD}@127.0.0.1:{relayed}/0"
        assert "its certificate is not trusted" in complaint(url)
        assert "ssl_ca_certs" in complaint(url)
        assert complaint(f"{url}?ssl_ca_certs={authority.file}") == ""
        assert "another host name" in complaint(
            f"rediss://:{PASSWORD}@127.0.0.1:{other}/0?ssl_ca_certs={authority.file}"
        )
        assert "which speaks TLS; write rediss://" in complaint(f"redis://:{PASSWORD}@127.0.0.1:{relayed}/0")


@contextmanager
def stranger(port: int, folder: Path) -> Iterator[int]:
    """A server with a certificate for another name, signed by the same authority."""
    context: ssl.SSLContext = Authority(folder).context("queue.example.org")
    with tls_relay(port, context) as relayed:
        yield relayed


def test_a_server_that_does_not_answer_is_no_reason_not_to_start(complaint):
    with capture_logs() as logs:
        assert complaint("redis://127.0.0.1:1/0") == ""
        assert complaint("redis://gallimg-no-such-host.invalid:6379/0") == ""
    assert [entry["event"] for entry in logs] == ["queue_unreachable"] * 2
