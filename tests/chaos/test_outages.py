"""Outages of the machine that are no picture's fault: each costs time, and no accepted upload ends in its code."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.chaos.world.harness import photos, scaled, world
from tests.e2e.service import Service, wait_until

#: As they are by default: not one attempt more than users have.
USUAL = {"LEASE_S": "60", "MAX_ATTEMPTS": "3"}
UPLOADS = scaled(30, 90)
UNWRITABLE_FOR_S = scaled(10, 30)
LOCKED_FOR_S = 30
#: Of a line of the log.
MOST_BYTES = 40_000

#: Without what root may do to files that are closed to it.
_AS_ALL_OTHERS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """Nothing in that folder and those within can be written, made or removed."""
    modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")] if path.is_dir()}
    for path in modes:
        path.chmod(0o500)
    try:
        yield
    finally:
        for path, mode in modes.items():
            with suppress(FileNotFoundError):
                path.chmod(mode)


def test_workers_wait_while_their_folder_cannot_be_written(tmp_path):
    is_root = os.geteuid() == 0
    if is_root and subprocess.run([*_AS_ALL_OTHERS, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("as root it needs setpriv: apt-get install util-linux")
    with world(tmp_path, USUAL, launcher=_AS_ALL_OTHERS if is_root else ()) as made:
        with made.uploads(photos(UPLOADS, large_every=5)):
            wait_until(lambda: len(made.jobs()) >= UPLOADS // 3, 60, "some work")
            with unwritable(tmp_path / "data" / "work"):
                made.send(photos(1)[0])  # uploads are accepted all the while, and there is work for sure
                wait_until(lambda: '"event": "paused"' in made.service.logs, 60, "a worker that waits")
                ready = httpx.get(f"{made.service.url}/readyz", timeout=30)
                assert (ready.status_code, ready.json()["degraded"]) == (200, ["work"])
                time.sleep(UNWRITABLE_FOR_S)
        made.assert_all_done()
        codes = {event["data"].get("code") for event in made.history() if event["type"] == "retry_due"}
        assert codes <= {"workspace_unavailable"}
        assert max(job["attempt"] for job in made.jobs().values()) <= 3
        assert max(map(len, made.service.logs.splitlines())) < MOST_BYTES
        made.assert_invariants()


def test_no_upload_fails_while_somebody_holds_the_lock_of_sqlite(tmp_path):
    (temporary := tmp_path / "tmp").mkdir()
    env = {**USUAL, "DATABASE_URL": "", "TMPDIR": str(temporary), "MIN_FREE_DISK_MB": "0"}
    service = Service(tmp_path / "data", env)
    try:
        service.start()
        with ThreadPoolExecutor(4) as pool:
            sent = [pool.submit(accepted, service, content) for content in photos(UPLOADS)]
            wait_until(lambda: sum(one.done() for one in sent) >= UPLOADS // 3, 60, "some uploads")
            with closing(sqlite3.connect(tmp_path / "data" / "gallimg.sqlite3", timeout=60)) as other:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(LOCKED_FOR_S)
                other.rollback()
            jobs = [one.result() for one in sent]
        found = [service.finished(job_id) for job_id in jobs]
        assert [job for job in found if job["status"] != "done"] == []
        assert max(map(len, service.logs.splitlines())) < MOST_BYTES
        assert service.stop() == 0
    finally:
        service.kill()


def accepted(service: Service, content: bytes) -> str:
    """Send a picture until it is accepted; its job's id. While the database is locked it is told to come again."""
    give_up_at = time.monotonic() + 240
    while time.monotonic() < give_up_at:
        with suppress(httpx.TransportError):
            files = {"file": ("photo.jpg", content)}
            answer = httpx.post(f"{service.url}/v1/images", files=files, timeout=90)
            if answer.status_code == 202:
                return str(answer.json()["jobId"])
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable"), answer.text
        time.sleep(0.5)
    raise AssertionError("never accepted")
