"""One process with one database: does what a line of JSON asks, and answers with a line of JSON.

{"fill": {"done": 1000, "queued": 100}}
{"measure": "claim", "times": 20}           seconds of each
{"plan": "claim"}                           its statements, and the tables that each reads from end to end
"""
# ruff: noqa: E402 - Django's models can be imported only when it is set up

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import django
import redis

django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from bench.children import scale_data, scale_runs
from bench.children.lines import answer_each
from bench.plans import whole_tables
from media_jobs.adapters import queue
from media_jobs.models import Job, Original
from media_jobs.services.jobs import dispatch
from media_jobs.services.jobs.claiming import claim_next
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import JobState, Lane

#: What is to be timed; what comes before and after it in its generator is not.
Act = Callable[[], object]
_JPEG = b"\xff\xd8\xff\xe0 a picture as far as the web process looks\xff\xd9"
_CHANCE = random.Random(4)


class Bed(scale_runs.Runs):
    """A filled database, and everything to be timed in it. Each operation leaves the database as it was."""

    def __init__(self, *, done: int, queued: int) -> None:
        self._done, self._queued, self._worker = done, queued, Worker()
        self._valkey = redis.Redis.from_url(settings.REDIS_URL)
        self._client, self._staff = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
        scale_data.fill(done=done, queued=queued)
        self._staff.force_login(User.objects.create_superuser("boss"))

    def accept(self) -> Iterator[Act]:
        """Accept an upload while the list is full, as it is for long with the large table."""
        dispatch.top_up()
        file = SimpleUploadedFile("gall.jpg", _JPEG + os.urandom(16), "image/jpeg")
        answers: list[Any] = []
        yield lambda: answers.append(self._client.post("/v1/images", {"file": file}))
        [answer] = answers
        assert answer.status_code == 202, answer.content
        Original.objects.get(jobs__pk=answer.json()["jobId"]).delete()

    def dispatch_all(self) -> Iterator[Act]:
        """Fill empty lists."""
        self._valkey.flushdb()
        yield lambda: _must(dispatch.top_up())

    def dispatch_one(self) -> Iterator[Act]:
        """Fill the place that a worker has made by answering a wake-up."""
        self._valkey.flushdb()
        dispatch.top_up()
        queue.drop_wakeup(Lane.INTERACTIVE)
        yield lambda: _must(dispatch.top_up(Lane.INTERACTIVE))

    def dispatch_none(self) -> Iterator[Act]:
        """Find all lists full, as after most uploads."""
        dispatch.top_up()
        yield dispatch.top_up

    def claim(self) -> Iterator[Act]:
        jobs: list[Job | None] = []
        yield lambda: jobs.append(claim_next(Lane.INTERACTIVE, self._worker))
        [job] = jobs
        assert job
        _put_back(job)

    def poll_done(self) -> Iterator[Act]:
        yield self._get(f"/v1/jobs/{self._job(self._done - self._done // 5 + 1, self._done)}")

    def poll_queued(self) -> Iterator[Act]:
        number = _CHANCE.randint(self._done + 1, self._done + self._queued)
        yield self._get(f"/v1/jobs/{self._job(number - (number % 20 == 0), number - (number % 20 == 0))}")

    def list(self) -> Iterator[Act]:
        yield self._get("/admin/media_jobs/job/", self._staff)

    def _job(self, first: int, last: int) -> UUID:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {scale_data.job_id(_CHANCE.randint(first, last))}")
            return UUID(str(cursor.fetchone()[0]))

    def _get(self, path: str, client: Client | None = None) -> Act:
        return lambda: _must((client or self._client).get(path).status_code == 200)


def _must(holds: bool) -> None:
    """What went wrong was perhaps quick."""
    assert holds


def _put_back(job: Job) -> None:
    waiting = {"state": JobState.QUEUED, "attempt": 0, "worker": "", "lease_until": None}
    Job.objects.filter(pk=job.pk).update(queue_position=job.queue_position, **waiting)


def measure(operation: Callable[[], Iterator[Act]]) -> float:
    """Seconds."""
    steps = operation()
    act = next(steps)
    begun = time.perf_counter()
    act()
    seconds = time.perf_counter() - begun
    next(steps, None)
    return seconds


def plan(operation: Callable[[], Iterator[Act]]) -> dict[str, list[str]]:
    """The statements of an operation, each with the tables that its plan reads from end to end."""
    steps = operation()
    plans = whole_tables(next(steps))
    next(steps, None)
    return {sql: sorted(tables) for sql, tables in plans.items()}


def main() -> None:
    queue.ping()
    bed: Any = None

    def answer(question: dict[str, Any]) -> object:
        nonlocal bed
        match question:
            case {"fill": numbers}:
                bed = Bed(**numbers)
                return []
            case {"measure": name, "times": times}:
                return [measure(getattr(bed, name)) for _ in range(times)]
            case {"plan": name}:
                return plan(getattr(bed, name))
        raise ValueError(question)

    answer_each(answer)


if __name__ == "__main__":
    main()
