"""The whole service while its storage misbehaves, with the waits and time limits that it has in earnest."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.chaos.test_clock import preloaded
from tests.e2e.client import upload
from tests.e2e.service import ROOT, START_LIMIT_S, Service, photo, running, wait_until
from tests.e2e.stores import s3_settings
from tests.faults.injections import Fault, Injection
from tests.faults.messages import Operation
from tests.faults.proxy import FaultyProxy
from tests.servers.seaweed import SeaweedFS, s3_client, seaweedfs

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server() -> Iterator[SeaweedFS]:
    with seaweedfs() as started:
        yield started


@pytest.fixture(scope="module")
def healthy(server: SeaweedFS) -> Iterator[FaultyProxy]:
    with FaultyProxy(server.endpoint_url) as listening:
        yield listening


@pytest.fixture
def proxy(healthy: FaultyProxy) -> Iterator[FaultyProxy]:
    yield healthy
    healthy.heal()


@pytest.fixture(scope="module")
def behind(server: SeaweedFS, healthy: FaultyProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {**s3_settings(server), "S3_ENDPOINT": healthy.endpoint_url}
    with running(tmp_path_factory.mktemp("behind") / "data", settings) as started:
        yield started


def nothing_is_unfinished(server: SeaweedFS) -> bool:
    client = s3_client(server.endpoint_url, server.worker)
    uploads = client.list_multipart_uploads(Bucket=server.bucket).get("Uploads", [])
    client.close()
    return not uploads


def test_a_storage_with_hiccups_of_all_kinds_delays_and_loses_nothing(behind, proxy, server):
    faults = [
        Injection(Fault.SLOW_DOWN, Operation.PUT_OBJECT, "full/", times=2),
        Injection(Fault.LOST, Operation.PUT_OBJECT, "originals/", nth=2),
        Injection(Fault.RESET, Operation.UPLOAD_PART, nth=2),
        Injection(Fault.LOST, Operation.COMPLETE_UPLOAD),
        Injection(Fault.CUT_ANSWER, Operation.GET_OBJECT, "originals/", times=2),
        Injection(Fault.CUT_REQUEST, Operation.PUT_OBJECT, "thumb/"),
        Injection(Fault.DAMAGED_REQUEST, Operation.PUT_OBJECT, "small/"),
        Injection(Fault.DAMAGED_ANSWER, Operation.GET_OBJECT, "originals/", nth=6),
    ]
    for fault in faults:
        proxy.inject(fault)
    pictures = [*(photo() for _ in range(6)), photo(4000, 3000) + bytes(9_000_000)]  # past one part
    with ThreadPoolExecutor(3) as pool:
        jobs = list(pool.map(behind.finished, pool.map(behind.send, pictures)))
    assert [job["status"] for job in jobs] == ["done"] * len(pictures)
    assert all(fault.happened for fault in faults), faults
    for derivative in (derivative for job in jobs for derivative in job["derivatives"]):
        fetched = httpx.get(derivative["url"])
        assert (fetched.status_code, len(fetched.content)) == (200, derivative["bytes"])
    behind.manage("housekeeping", "--older-than", "0")
    assert nothing_is_unfinished(server)


def test_a_bucket_that_is_gone_is_said_to_clients_and_probes_and_work_goes_on_once_it_is_back(behind, proxy):
    waiting = behind.send(photo(4000, 3000))
    proxy.inject(Injection(Fault.NO_BUCKET, times=None))
    refused = upload(behind.url, photo())
    assert (refused.status_code, refused.json()["code"]) == (503, "bucket_missing")
    assert int(refused.headers["Retry-After"]) > 0
    wait_until(lambda: not behind.is_ready(), 60, "the service to notice it")
    assert "bucket" in httpx.get(f"{behind.url}/readyz").text
    proxy.heal()
    wait_until(behind.is_ready, 60, "the service to be ready")
    assert behind.upload()["status"] == "done"
    assert behind.finished(waiting)["status"] == "done"


def test_a_host_whose_clock_is_wrong_learns_of_it_and_harms_nothing(behind, server):
    clock = {"LD_PRELOAD": preloaded(), "FAKETIME": "+2h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    kept = subprocess.run(
        [sys.executable, "manage.py", "housekeeping", "--older-than", "60"],
        cwd=ROOT,
        env={**os.environ, **behind.env, **clock},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=START_LIMIT_S,
        text=True,
        check=False,
    )
    said = " ".join((kept.stdout + kept.stderr).split())
    assert kept.returncode != 0, said
    assert "storage_clock_skewed" in said
    assert "the clock of this host" in said
    assert behind.upload()["status"] == "done"
