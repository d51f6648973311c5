"""Who may take how much of a host's memory, among threads and processes."""

import fcntl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import pytest

from media_jobs.adapters.decoder import host_memory
from media_jobs.adapters.decoder.host_memory import Grant, HostMemory, own_bytes
from media_jobs.ports import no_heartbeat
from tests.adapters.decoder.running import ROOT
from tests.e2e.service import wait_until

MIB = 1_048_576
HOLDER = """
import sys
from pathlib import Path
from media_jobs.adapters.decoder.host_memory import HostMemory
memory = HostMemory(Path(sys.argv[1]), lambda: 200 * 1_048_576)
with memory.reserved(100 * 1_048_576, None, lambda: None):
    print("in", flush=True)
    sys.stdin.readline()
"""


class Stopped(Exception):
    """What a worker raises in its heartbeat."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_memory, "_PATIENCE_S", 0.1)


def stop() -> None:
    raise Stopped


def is_locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def memory_with(folder: Path, left_mb: int) -> HostMemory:
    return HostMemory(folder, lambda: left_mb * MIB)


def test_where_there_is_plenty_nobody_counts(tmp_path: Path) -> None:
    with memory_with(tmp_path, 100_000).reserved(50_000 * MIB, None, stop) as grant:
        assert grant == Grant(None)
    assert list(tmp_path.iterdir()) == []


def test_others_wait_until_what_is_reserved_comes_back(tmp_path: Path) -> None:
    memory, entered = memory_with(tmp_path, 216), threading.Event()

    def second() -> None:
        with memory.reserved(150 * MIB, None, no_heartbeat) as grant:
            assert grant == Grant(150 * MIB)
            entered.set()

    waiting = threading.Thread(target=second)
    with memory.reserved(100 * MIB, None, no_heartbeat) as grant:
        assert grant == Grant(100 * MIB)
        waiting.start()
        assert not entered.wait(0.5), "200 MB are not enough for both"
    assert entered.wait(30)
    waiting.join()
    assert [path.name for path in tmp_path.iterdir()] == ["memory.lock"]


def test_two_that_fit_go_at_once(tmp_path: Path) -> None:
    memory, together = memory_with(tmp_path, 216), threading.Barrier(2)

    def hold() -> None:
        with memory.reserved(100 * MIB, None, no_heartbeat):
            together.wait(30)

    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not together.broken


def test_what_a_decoder_has_taken_is_counted_once(tmp_path: Path) -> None:
    """By the system, which has it among what is used."""
    program = "import sys\nsys.stdin.readline()\nheld = bytearray(60 << 20)\nprint(flush=True)\nsys.stdin.readline()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as decoder:
        assert decoder.stdin
        assert decoder.stdout
        with memory_with(tmp_path, 96).reserved(80 * MIB, decoder.pid, no_heartbeat):
            before = own_bytes(decoder.pid)
            decoder.stdin.write(b"\n")
            decoder.stdin.flush()
            decoder.stdout.readline()
            assert own_bytes(decoder.pid) - before >= 60 * MIB
            (other,) = memory_with(tmp_path, 36)._others()
            assert 0 < other.outstanding_bytes <= 20 * MIB
        decoder.kill()


def test_who_is_alone_gets_what_there_is(tmp_path: Path) -> None:
    with memory_with(tmp_path, 116).reserved(300 * MIB, None, no_heartbeat) as grant:
        assert grant == Grant(100 * MIB, fits=False)


def test_after_a_vain_wait_the_next_one_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = memory_with(tmp_path, 116)
    with memory.reserved(300 * MIB, None, no_heartbeat):
        pass
    monkeypatch.setattr(host_memory, "_PATIENCE_S", 10_000.0)
    with memory.reserved(300 * MIB, None, stop) as grant:
        assert not grant.fits


def test_the_dead_hold_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"in\n"
        memory = memory_with(tmp_path, 200)
        with pytest.raises(Stopped), memory.reserved(100 * MIB, None, stop):
            pass
        holder.kill()
        holder.wait()
        with memory.reserved(100 * MIB, None, no_heartbeat) as grant:
            assert grant.fits
    assert [path.name for path in tmp_path.iterdir()] == ["memory.lock"]


def test_who_waits_is_not_overtaken(tmp_path: Path) -> None:
    memory, order = memory_with(tmp_path, 216), []

    def want(megabytes: int) -> None:
        with memory.reserved(megabytes * MIB, None, no_heartbeat):
            order.append(megabytes)

    threads = [threading.Thread(target=want, args=(megabytes,)) for megabytes in (190, 10)]
    with memory.reserved(100 * MIB, None, no_heartbeat), (tmp_path / "memory.lock").open() as gate:
        threads[0].start()
        wait_until(lambda: is_locked(gate), 30, "the large one to wait")
        threads[1].start()
        time.sleep(0.3)
        assert order == [], "the small one would fit beside the first"
    for thread in threads:
        thread.join()
    assert order == [190, 10]
