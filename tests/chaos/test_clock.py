"""Leases and waits go by the database's clock, so that a worker whose own clock is wrong harms nobody."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.chaos.world.harness import World, photos, scaled, world
from tests.e2e.service import ROOT, wait_until
from tests.servers import die_with_parent

OFF_S = 90
LOAD_S = scaled(15, 60)
#: With fewer jobs a worker has taken hardly any part.
FEW = 4


def preloaded() -> str:
    """The library that makes a process see another time."""
    wrapper = shutil.which("faketime")
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")) if wrapper else []
    if not found:
        pytest.skip("no libfaketime: apt-get install faketime")
    return str(found[0])


@contextmanager
def worker(skewed: World, log: Path, *, off_s: int) -> Iterator[subprocess.Popen[bytes]]:
    """One more worker, whose wall clock is `off_s` ahead; time passes as fast for it as for everybody."""
    clock = {"LD_PRELOAD": preloaded(), "FAKETIME": f"{off_s:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with log.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=ROOT,
            env={**os.environ, **skewed.service.env, **clock},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
        )
    try:
        wait_until(lambda: "sandbox_ready" in log.read_text(), 60, "the second worker")
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_no_job_runs_twice_because_a_workers_clock_is_wrong(tmp_path):
    with world(tmp_path, {"WORKERS": "1", "LEASE_S": str(OFF_S - 30)}) as skewed:
        with (
            worker(skewed, tmp_path / "ahead.log", off_s=OFF_S) as ahead,
            worker(skewed, tmp_path / "behind.log", off_s=-OFF_S) as behind,
        ):
            until = time.monotonic() + LOAD_S
            while time.monotonic() < until or min(done_by(skewed, one) for one in (ahead, behind)) < FEW:
                skewed.send_all(photos(6, large_every=2))
            skewed.assert_all_done()
        events = skewed.history()
        assert {job["attempt"] for job in skewed.jobs().values()} == {1}
        assert "lease_expired" not in {event["type"] for event in events}
        for off_s, log in ((OFF_S, "ahead.log"), (-OFF_S, "behind.log")):
            assert wrong_by_s(tmp_path / log) == pytest.approx(off_s, abs=30)
        skewed.assert_invariants()


def done_by(skewed: World, worker: "subprocess.Popen[bytes]") -> int:
    """How many jobs it has done."""
    return sum(f"-{worker.pid}-" in event["actor"] for event in skewed.history() if event["type"] == "done")


def wrong_by_s(log: Path) -> float:
    """How far the clock that stamped the last line of `log` was ahead of the one that stamped the file."""
    stamp = json.loads(log.read_text().splitlines()[-1])["timestamp"]
    written_at = datetime.fromtimestamp(log.stat().st_mtime, UTC)
    return (datetime.fromisoformat(stamp) - written_at).total_seconds()
