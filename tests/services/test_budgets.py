"""What an upload, a job and a poll cost in statements and calls is what docs/scaling.md says; nothing is timed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client
from rq import Queue, SimpleWorker

from media_jobs import tasks
from media_jobs.adapters import queue
from media_jobs.models import Job
from media_jobs.services.jobs import estimates, heartbeat, processing
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.heartbeat import LeaseHeartbeat
from media_jobs.services.jobs.transitions import Lease
from media_jobs.services.uploads import backlog
from media_jobs.states import JobState, Lane, Stage
from tests import images
from tests.api.uploading import form, post
from tests.factories import make_job, make_original
from tests.measuring.budgets import BUDGETS, Cost
from tests.measuring.counting import counted
from tests.servers.seaweed import another_bucket, use
from tests.working import claim

pytestmark = pytest.mark.django_db(transaction=True)

_UPLOAD, _LARGE, _JOB, _NEXT, _PROGRESS, _STAGE, _POLL, _POLL_DONE = BUDGETS
#: Behind the end of the picture, where nothing looks.
_PADDING = bytes(25_000_000)


@pytest.fixture(autouse=True)
def _nothing_is_due_by_the_clock(monkeypatch):
    """Nor on a busy machine: no job is a long one, and what is kept for a while is fresh."""
    monkeypatch.setattr(heartbeat, "REPORT_AFTER_S", 60.0)
    monkeypatch.setattr(heartbeat, "_ASK_EVERY_S", 60.0)
    monkeypatch.setattr(processing, "SLICE_S", 60.0)
    monkeypatch.setattr(backlog, "_FRESH_S", 600.0)
    monkeypatch.setattr(estimates, "_FRESH_S", 600.0)


@pytest.fixture
def cost(valkey) -> Callable[[Callable[[], object]], Cost]:
    def of(do: Callable[[], object]) -> Cost:
        with counted(valkey) as counts:
            do()
        return counts

    return of


def upload(padding: bytes = b"") -> str:
    """The address of its job."""
    answer = post(Client(), form(("file", "a.jpg", images.jpeg(64, 48) + padding)))
    assert answer.status_code == 202, answer.content
    return str(answer.headers["Location"])


def answer_wakeup() -> None:
    """As RQ's own worker does, whose timer, heartbeats and registries these are."""
    queues = queue.worker_queues()
    how = {"connection": queues[0].connection, "serializer": queues[0].serializer}
    delivered = Queue.dequeue_any(queues, timeout=None, **how)
    assert delivered
    workers.current().count_job(Lane.HEAVY, 0)  # so that none of that lane is looked for next
    worker = SimpleWorker(queues, **how)
    worker.execute_job(*delivered)


def measured(cost: Callable[[Callable[[], object]], Cost]) -> dict[str, Cost]:
    """Each for the second time: the first one connects, and reads what is kept."""
    client = Client()
    for _ in range(2):
        location = upload()
        answer_wakeup()
        client.get(location)
    found = {_UPLOAD: cost(upload), _LARGE: cost(lambda: upload(_PADDING))}
    tasks.process_lane(Lane.INTERACTIVE)
    upload()
    found[_JOB] = cost(answer_wakeup)
    for _ in range(2):
        upload()
    both = cost(answer_wakeup)
    found[_NEXT] = Cost(*(getattr(both, name) - getattr(found[_JOB], name) for name in Cost.__slots__))
    waiting = upload()
    found[_POLL] = cost(lambda: client.get(waiting))
    answer_wakeup()
    found[_POLL_DONE] = cost(lambda: client.get(waiting))
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.DONE}
    return found


def budgets(**without: int) -> dict[str, Cost]:
    return {what: replace(cost, **without) for what, cost in BUDGETS.items() if what not in (_PROGRESS, _STAGE)}


@pytest.mark.postgres  # with S3 it is counted on SQLite
def test_what_is_done_costs_what_the_page_says(cost, object_store):
    assert measured(cost) == budgets(s3=0)


def test_it_costs_so_many_calls_of_s3(cost, seaweed, settings):
    use(another_bucket(seaweed), settings)
    assert measured(cost) == budgets()


def test_a_long_job_says_how_far_it_is_by_one_statement_and_by_two_at_another_stage(cost, monkeypatch, object_store):
    job = claim(make_job(make_original()).pk, "a-worker")
    lease_heartbeat = LeaseHeartbeat(Lease(job.pk, "a-worker", job.attempt), workers.current())
    monkeypatch.setattr(heartbeat, "REPORT_AFTER_S", 0.0)
    lease_heartbeat.note(Stage.RENDERING, 20)
    assert cost(lease_heartbeat) == BUDGETS[_STAGE]
    lease_heartbeat.note(Stage.RENDERING, 40)
    assert cost(lease_heartbeat) == BUDGETS[_PROGRESS]
    assert cost(lease_heartbeat) == Cost()
