"""A whole story over the Instrlabs API and NATS, with real servers that die in the middle of it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import images
from tests.e2e.service import ROOT, Service, running, wait_until
from tests.servers import die_with_parent
from tests.servers.nats import NatsServer, nats_server

pytestmark = pytest.mark.e2e

_SET_UP = """
from media_jobs.callers import SYSTEM, Scope
from media_jobs.models import Product
from media_jobs.services.access import api_keys
Product.objects.create(name="plates", preset="gallformers", open_to_all=True, failed_days=1)
row, key = api_keys.create("a program", scopes=list(Scope), by=SYSTEM, acts_for_users=True)
print(row.prefix, key)
"""
_CLEAN_UP = """
from datetime import timedelta
from media_jobs.models import Job
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping.tasks import task_named
for job in Job.objects.filter(state="failed"):
    Job.objects.filter(pk=job.pk).update(finished_at=job.finished_at - timedelta(days=2))
housekeeping.run(only=[task_named("retention")], wait_s=60)
"""
_TOLD = """
from media_jobs.models import JobEvent
from media_jobs.states import TOLD
print(*(f"{e.job_id}|{e.number}" for e in JobEvent.objects.filter(type__in=TOLD).order_by("job", "number")))
"""


@pytest.fixture(scope="module")
def nats() -> Iterator[NatsServer]:
    with nats_server() as server:
        yield server


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, nats: NatsServer) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("story") / "data", {"NATS_URI": nats.url}) as started:
        yield started


def shell(service: Service, code: str) -> str:
    return service.manage("shell", "--no-imports", "-c", code)


@pytest.fixture(scope="module")
def key(service: Service) -> tuple[str, str]:
    """Prefix and whole of the key of a program that acts for its users."""
    prefix, whole = shell(service, _SET_UP).split()
    return prefix, whole


@pytest.fixture
def ada(service: Service, key: tuple[str, str]) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key[1]}", "X-User-ID": "ada"}
    with httpx.Client(base_url=service.url, headers=headers, timeout=60) as client:
        yield client


def data(answer: httpx.Response) -> Any:
    body = answer.json()
    assert body["errors"] is None, body
    return body["data"]


def send(ada: httpx.Client, *contents: bytes) -> str:
    """Make an instruction with these files; its address."""
    made = data(ada.post("/instructions", json={"productId": "plates"}))
    address = f"/instructions/{made['id']}"
    files = [("files", (f"{number}.jpg", content)) for number, content in enumerate(contents)]
    assert data(ada.post(f"{address}/details", files=files))["accepted"] == len(contents)
    return address


def is_over(ada: httpx.Client, address: str) -> bool:
    try:
        return data(ada.get(address))["status"] in ("DONE", "FAILED")
    except httpx.TransportError:
        return False


def notified(nats: NatsServer, subject: str = "notifications.sse") -> dict[str, list[int]]:
    """The numbers of each job's events as a consumer sees them that knows what it had already."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for _, payload in nats.stored(subject):
        message = json.loads(payload)
        last = numbers[message["jobId"]][-1:] or [0]
        if message["number"] > last[0]:
            numbers[message["jobId"]].append(message["number"])
    return dict(numbers)


def told(service: Service) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for line in shell(service, _TOLD).split():
        job, number = line.split("|")
        found[job].append(int(number))
    return dict(found)


def all_is_told(service: Service, nats: NatsServer, jobs: list[str]) -> None:
    """Every event of these jobs has come, each in its order."""
    wanted = {job: numbers for job, numbers in told(service).items() if job in jobs}
    assert set(wanted) == set(jobs)
    wait_until(lambda: {job: notified(nats).get(job) for job in jobs} == wanted, 60, "all notifications")


def jobs_of(ada: httpx.Client, address: str) -> list[str]:
    return [item["jobId"] for item in data(ada.get(f"{address}/details"))["items"]]


def kill(service: Service, kind: str) -> None:
    for pid in service.pids(kind):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def following(ada: httpx.Client, seen: list[dict[str, Any]], *, jobs: int) -> Iterator[None]:
    """Read the stream of the user's events meanwhile, until so many jobs have ended."""
    ready = threading.Event()

    def read() -> None:
        ends = 0
        with httpx.stream("GET", str(ada.base_url.join("/v1/events")), headers=ada.headers, timeout=60) as answer:
            for line in answer.iter_lines():
                ready.set()
                if line.startswith('data: {"jobId'):
                    seen.append(json.loads(line.removeprefix("data: ")))
                    ends += seen[-1]["type"] in ("done", "failed")
                    if ends == jobs:
                        return

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert ready.wait(60)
    yield
    thread.join(60)
    assert not thread.is_alive()


def test_the_story(service: Service, nats: NatsServer, ada: httpx.Client) -> None:
    good = [images.jpeg(64 + number, 48) for number in range(4)]
    streamed: list[dict[str, Any]] = []
    with following(ada, streamed, jobs=5):
        address = send(ada, *good, images.jpeg(640, 480)[:2000])
        jobs = jobs_of(ada, address)
        wait_until(lambda: is_over(ada, address), 120, "the end of the files")
        all_is_told(service, nats, jobs)
    assert {e["number"] for e in streamed if e["jobId"] == jobs[0]} >= set(notified(nats)[jobs[0]])
    found = data(ada.get(address))
    assert (found["status"], found["counts"]["done"], found["counts"]["failed"]) == ("FAILED", 4, 1)
    assert [i["id"] for i in data(ada.get("/instructions", params={"status": "FAILED"}))["items"]] == [found["id"]]
    assert found["id"] not in [i["id"] for i in data(ada.get("/instructions", params={"status": "DONE"}))["items"]]

    broken, *processed = data(ada.get(f"{address}/details"))["items"]
    assert broken["error"]["code"] in ("truncated", "undecodable")
    for detail, content in zip(reversed(processed), good, strict=True):
        url = f"{address}/details/{detail['id']}/file"
        assert ada.get(url, params={"variant": "original"}).content == content
        assert ada.get(url, params={"variant": "thumb"}).content.startswith(b"\xff\xd8")
        part = ada.get(url, params={"variant": "original"}, headers={"Range": "bytes=3-7"})
        assert (part.status_code, part.content) == (206, content[3:8])
        link = ada.get(url, params={"redirect": "true", "variant": "original"}).headers["Location"]
        assert httpx.get(link).content == content

    shell(service, _CLEAN_UP)
    gone, *left = data(ada.get(f"{address}/details"))["items"]
    assert (gone["cleaned"], gone["status"], gone["error"]) == (True, "FAILED", broken["error"])
    assert [detail["cleaned"] for detail in left] == [False] * 4
    url = f"{address}/details/{gone['id']}/file"
    assert ada.get(url, params={"variant": "original"}).json()["errors"][0]["code"] == "file_cleaned"


@pytest.mark.parametrize("also", ["nothing", "relay"])
def test_nothing_is_lost_when_nats_dies_in_the_middle(
    service: Service, nats: NatsServer, ada: httpx.Client, also: str
) -> None:
    jobs = []
    first = send(ada, images.jpeg(64, 48))
    nats.stop(signal.SIGKILL)
    if also == "relay":
        kill(service, "worker")
    addresses = [first, *(send(ada, images.jpeg(64, 48), images.png(8, 8)) for _ in range(3))]
    for address in addresses:
        wait_until(lambda address=address: is_over(ada, address), 120, "the end of the files")  # type: ignore[misc]
        jobs += jobs_of(ada, address)
    nats.start()
    if also == "relay":
        kill(service, "worker")
    last = send(ada, images.jpeg(64, 48))
    wait_until(lambda: is_over(ada, last), 120, "the end of the last file")
    all_is_told(service, nats, [*jobs, *jobs_of(ada, last)])
    asked = notified_of_work(nats)
    assert set(jobs) <= asked


def notified_of_work(nats: NatsServer) -> set[str]:
    return {message.get("jobId", "") for message in (json.loads(p) for _, p in nats.stored("image.requests"))}


def test_a_request_that_comes_thrice_while_its_consumers_die_becomes_one_job(
    service: Service, nats: NatsServer, ada: httpx.Client, key: tuple[str, str], tmp_path: Path
) -> None:
    content, log = images.jpeg(70, 50), tmp_path / "latest"
    begun = ada.post("/v1/uploads", json={"filename": "a.jpg", "contentType": "image/jpeg"}).json()
    stored = httpx.post(begun["url"], data=begun["fields"], files={"file": ("a.jpg", content)})
    assert stored.status_code == 204
    body = {"key": begun["fields"]["key"], "product": "plates", "userId": "ada"}
    before = data(ada.get("/instructions"))["total"]

    def consume() -> subprocess.Popen[bytes]:
        with log.open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "manage.py", "consume_image_requests"],
                cwd=ROOT,
                env={**os.environ, **service.env, "NATS_OWNER": f"key:{key[0]}"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=err,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
            )

    consumers = [consume()]
    try:
        for _ in range(3):
            nats.publish("image.requests", json.dumps(body).encode())
            consumers[-1].kill()
            consumers.append(consume())
        wait_until(lambda: data(ada.get("/instructions"))["total"] > before, 120, "the job")
        newest = f"/instructions/{data(ada.get('/instructions'))['items'][0]['id']}"
        wait_until(lambda: is_over(ada, newest), 120, "the end of the file")
        nats.publish("image.requests", json.dumps(body).encode())
        wait_until(lambda: "consumer_ready" in log.read_text(), 60, "the latest consumer")  # one before it had the job
        consumers[-1].terminate()
        assert consumers[-1].wait(60) == 0
    finally:
        for consumer in consumers:
            consumer.kill()
            consumer.wait()
    assert data(ada.get("/instructions"))["total"] == before + 1
    [detail] = data(ada.get(f"{newest}/details"))["items"]
    assert (detail["status"], detail["original"]["bytes"]) == ("DONE", len(content))
