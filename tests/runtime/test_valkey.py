"""The embedded queue server: private, durable, quiet."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from media_jobs.runtime import valkey
from media_jobs.runtime.valkey import EmbeddedValkey, ValkeyUnusable

_RUN = """
import sys
from pathlib import Path
from media_jobs.runtime.valkey import EmbeddedValkey
server = EmbeddedValkey(Path(sys.argv[1]), Path(sys.argv[2]))
server.prepare()
server.run()
"""


@pytest.fixture
def embedded(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedValkey:
    folder = tmp_path_factory.mktemp("v")
    return EmbeddedValkey(folder / "own" / "valkey.sock", folder / "valkey")


@pytest.fixture
def start(embedded: EmbeddedValkey) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    """Starts the server and waits until it answers."""
    processes: list[subprocess.Popen[bytes]] = []

    def run() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", _RUN, str(embedded.socket_path), str(embedded.directory)]
        process = subprocess.Popen(command)
        processes.append(process)
        deadline = time.monotonic() + 30
        while not embedded.answers():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return process

    yield run
    for process in processes:
        process.kill()
        process.wait()


def test_nobody_else_can_open_the_socket(embedded: EmbeddedValkey, start: Callable[[], object]) -> None:
    start()
    assert stat.S_IMODE(embedded.socket_path.stat().st_mode) == 0o700
    assert stat.S_IMODE(embedded.socket_path.parent.stat().st_mode) == 0o700
    with redis.Redis(unix_socket_path=str(embedded.socket_path)) as client:
        assert client.config_get("port") == {"port": "0"}


def test_what_it_was_given_survives_its_violent_death(
    embedded: EmbeddedValkey, start: Callable[[], "subprocess.Popen[bytes]"]
) -> None:
    first = start()
    with redis.Redis(unix_socket_path=str(embedded.socket_path)) as client:
        client.rpush("rq:queue:interactive", "a job")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not embedded.answers()
    start()
    with redis.Redis(unix_socket_path=str(embedded.socket_path)) as client:
        assert client.lrange("rq:queue:interactive", 0, -1) == [b"a job"]


def test_its_log_does_not_grow_for_ever(embedded: EmbeddedValkey, start: Callable[[], object]) -> None:
    embedded.directory.mkdir(parents=True)
    embedded.log_path.write_bytes(b"x" * (valkey.LOG_LIMIT_BYTES + 1))
    start()
    assert embedded.log_path.stat().st_size < valkey.LOG_LIMIT_BYTES
    assert sum(path.stat().st_size for path in embedded.directory.glob("valkey.log*")) < 2 * valkey.LOG_LIMIT_BYTES


def test_a_machine_without_a_server_gets_a_sentence_on_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ValkeyUnusable, match="REDIS_URL"):
        valkey.find_server()


def test_a_server_on_the_path_serves_where_no_package_has_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    named = tmp_path / "redis-server"
    named.write_text("#!/bin/sh\n")
    named.chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    assert valkey.find_server() == named
