"""Whatever is killed in the middle of the work, the service comes back and every accepted picture is done."""

import hashlib
import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
from gallimg_client import Job

from tests import images
from tests.e2e.client import upload, wait
from tests.e2e.service import Service, is_stopped, running, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Service]:
    """A service that notices lost workers within seconds, with or without slots in its web process."""
    settings = {"LEASE_S": "5", "MAX_ATTEMPTS": "5", "WORKERS_IN_WEB": request.param}
    with running(tmp_path_factory.mktemp("kills") / "data", settings) as started:
        yield started


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(4000, 3000, orientation=8)


def upload_until_accepted(url: str, photo: bytes) -> str:
    """Upload like a client that tries again until it has a 202."""
    for _ in range(100):
        try:
            response = upload(url, photo)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if response.status_code == 202:
            return str(response.json()["jobId"])
        time.sleep(0.1)
    raise AssertionError("no upload was accepted")


@pytest.mark.parametrize(
    ("quick", "victim"),
    [
        ("false", "worker"),
        *(pytest.param("false", kind, marks=pytest.mark.slow) for kind in ("sandbox", "web", "valkey")),
        ("true", "worker"),  # and web process in one
    ],
    indirect=["quick"],
)
def test_every_accepted_picture_is_done_whatever_is_killed(quick, photo, victim):
    with ThreadPoolExecutor(4) as pool:
        accepted = [pool.submit(upload_until_accepted, quick.url, photo) for _ in range(24)]
        first = accepted[0].result()
        wait_until(lambda: is_begun(quick.url, first), 60, "a worker to be at work")
        wait_until(lambda: kill(at_work(quick, victim)), 60, "somebody to kill in the middle of work", every_s=0.01)
        for _ in range(3):
            time.sleep(random.uniform(0.2, 0.6))
            kill(random.sample(found := at_work(quick, victim), k=min(1, len(found))))
        jobs = [wait(quick.url, future.result()) for future in accepted]
    assert [(job["status"], job.get("code")) for job in jobs] == [("done", None)] * len(jobs)
    for job in jobs:
        assert [d["name"] for d in job["derivatives"]] == ["full", "medium", "small", "thumb"]
    wait_until(quick.is_ready, 60, "the service to be ready again")
    if victim in ("sandbox", "worker"):
        assert most_attempts(quick, jobs) > 1  # else nothing was killed in the middle of anything
    assert_consistent(quick)


def is_begun(url: str, job_id: str) -> bool:
    return bool(httpx.get(f"{url}/v1/jobs/{job_id}", timeout=60).json()["stage"] != "queued")


def at_work(service: Service, kind: str) -> list[int]:
    """Those of a kind that have something to do: between two pictures a decoder has not."""
    if kind != "sandbox":
        return service.pids(kind)
    found = []
    for pid in service.pids(kind):
        with suppress(FileNotFoundError, ProcessLookupError):
            if not is_stopped(pid):
                found.append(pid)
    return found


def kill(pids: list[int]) -> int:
    """Kill them, and return how many they were."""
    for pid in pids:
        with suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(pid, signal.SIGKILL)
    return len(pids)


def most_attempts(service: Service, jobs: list[Job]) -> int:
    """How often the most unlucky of the jobs was tried."""
    ids = [job["jobId"] for job in jobs]
    ask = f"from media_jobs.models import Job; print(max(j.attempt for j in Job.objects.filter(pk__in={ids})))"
    return int(service.manage("shell", "--no-imports", "-c", ask))


def jobs_left(service: Service) -> int:
    ask = "from media_jobs.models import Job; print(Job.objects.filter(state__in=['processing', 'queued']).count())"
    return int(service.manage("shell", "--no-imports", "-c", ask))


def assert_consistent(service: Service) -> None:
    """Check, after housekeeping, that no job is in work, and that objects and rows name each other, byte for byte."""
    # A web process that was killed may have accepted a picture without its client hearing of it.
    wait_until(lambda: jobs_left(service) == 0, 60, "the end of every job")
    service.manage("housekeeping", "--older-than", "0")
    dump = (
        "from media_jobs.models import *\n"
        "print(*(f'{d.key}={d.sha256}' for d in Derivative.objects.all()))\n"
        "print(*(f'{o.key}={o.sha256}' for o in Original.objects.all()))\n"
    )
    derivatives, originals = service.manage("shell", "--no-imports", "-c", dump).splitlines()
    rows = dict(pair.split("=") for pair in (derivatives + " " + originals).split())
    keys = service.objects.keys()
    assert {key: hashlib.sha256(service.objects.read(key)).hexdigest() for key in keys} == rows
    assert service.objects.unfinished() == set()
