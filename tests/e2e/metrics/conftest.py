"""A web process and two workers, each started by itself, as on three hosts."""

import json
import os
import signal
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.databases import database
from tests.e2e.service import Service, photo, wait_until
from tests.measuring.metrics import Samples, fallen, parse
from tests.servers import free_ports, valkey

#: What of `/metrics` is kept in the database. What else there is begins at zero with each process.
KEPT = (
    "jobs_total",
    "job_duration",
    "job_wait",
    "stage_duration",
    "upload_bytes",
    "derivative_bytes",
    "sandbox_restarts",
)

_TRUTH = """
import json
from collections import Counter
from django.db.models import F, Sum
from media_jobs.models import Derivative, Job, JobEvent, Original
from media_jobs.states import JobState
def of(rows, field="size_bytes"):
    return [rows.count(), rows.aggregate(n=Sum(field))["n"] or 0]
done = Job.objects.filter(state=JobState.DONE)
ended = Job.objects.filter(state__in=["done", "failed"])
events = Counter(JobEvent.objects.values_list("type", flat=True))
print("TRUTH", json.dumps({
    "events": events,
    "queued": Counter(Job.objects.filter(state="queued").values_list("lane", flat=True)),
    "original": of(Original.objects.filter(size_bytes__gt=0).exclude(state="staged")),
    "derivative": of(Derivative.objects.filter(state="current")),
    "replaced": of(Derivative.objects.filter(state="replaced")),
    "stages": {"fetching": of(done, "fetch_ms"), "rendering": of(done, "render_ms"), "storing": of(done, "store_ms")},
    "durations": [ended.count(), sum((job.finished_at - job.started_at).total_seconds() for job in ended)],
    "waits": sum((job.started_at - job.not_before).total_seconds() for job in Job.objects.exclude(started_at=None)),
}))
"""


class Site:
    """web: what answers. Each scrape is compared with the one before: no counter may have fallen."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.ports = free_ports(3)
        shared = {**env, "GALLIMG_DATA": str(folder / "data"), "LOG_LEVEL": "info"}
        self.web = Service(folder / "data", {**shared, "METRICS_PORT": str(self.ports[0])}, command="web")
        self.workers = [
            Service(folder / f"worker{number}", {**shared, "METRICS_PORT": str(port)}, command="worker")
            for number, port in enumerate(self.ports[1:], start=1)
        ]
        self._seen: Samples = {}

    def start_workers(self) -> None:
        for worker in self.workers:
            if not worker.started:
                worker.launch()
        wait_until(lambda: self.slots() == len(self.workers), 120, "two workers")

    def stop_workers(self) -> None:
        for worker in self.workers:
            if worker.started:
                assert worker.stop(signal.SIGTERM) == 0, worker.logs
                worker._process = None

    def slots(self) -> float:
        return sum(value for name, value in self.scrape().items() if name.startswith("worker_slots"))

    def busy(self) -> float:
        return sum(value for name, value in self.scrape().items() if name.startswith("worker_busy"))

    def scrape(self) -> Samples:
        found = parse(httpx.get(f"{self.web.url}/metrics", timeout=30).raise_for_status().text)
        kept = {name: value for name, value in found.items() if name.startswith(KEPT)}
        assert fallen(self._seen, kept) == {}
        self._seen = kept
        return found

    def of_worker(self, number: int) -> Samples:
        return parse(httpx.get(f"http://127.0.0.1:{self.ports[number]}/metrics", timeout=30).raise_for_status().text)

    def truth(self) -> dict[str, Any]:
        """What the tables say."""
        said = self.web.manage("shell", "--no-imports", "-c", textwrap.dedent(_TRUTH))
        return json.loads(said.partition("TRUTH ")[2])  # type: ignore[no-any-return]

    def ask(self, method: str, path: str) -> httpx.Response:
        return httpx.request(method, f"{self.web.url}{path}", timeout=30)

    def scraped(self, is_so: Callable[[Samples], object], what: str) -> Samples:
        """The first scrape of which that is true."""
        wait_until(lambda: is_so(self.scrape()), 120, what)
        return self.scrape()

    def kill_sandboxes(self) -> int:
        """End what the workers have started."""
        pids = [pid for worker in self.workers for pid in worker.pids()]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return len(pids)

    @cached_property
    def broken(self) -> bytes:
        """A JPEG of which the second half is missing, and all that would be needed to make anything of it."""
        return photo()[:300]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        queue = stack.enter_context(valkey())
        found = Site(
            tmp_path_factory.mktemp("site"), {"DATABASE_URL": stack.enter_context(database()), "REDIS_URL": queue.url}
        )
        for service in (found.web, *found.workers):
            stack.callback(service.kill)
        found.web.launch()
        wait_until(found.web.is_ready, 300, "the web process")
        yield found
