"""The queue may deliver a job often, and a worker may sleep through its lease: one result counts."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from uuid import uuid4

import pytest
from rq import Queue

from tests.chaos.dying.crashing import Fault, Faults, Point
from tests.chaos.dying.faulty import faulty_world
from tests.chaos.world.harness import World, scaled
from tests.e2e.service import photo, wait_until

#: How often a job is delivered that should be delivered once.
TIMES = 40
ALL = ["full", "medium", "small", "thumb"]

#: Where a slot of the worker process is when it freezes. The other slots go on.
FROZEN = (
    Point("in the middle of rendering", "media_jobs.services.jobs.attempt.Attempt._note_output", "worker", nth=2,
          fault=Fault.FREEZE),
    Point("before the first object", "media_jobs.adapters.storage.files.FileStore._put", "worker", fault=Fault.FREEZE),
    Point("in the middle of an object", "media_jobs.adapters.storage.files.FileWriter.commit", "worker",
          fault=Fault.FREEZE),
    Point("after the last object", "media_jobs.adapters.storage.files.FileStore._put", "worker", after=True, nth=4,
          fault=Fault.FREEZE),
    Point("before publishing", "media_jobs.services.jobs.publishing.publish", "worker", fault=Fault.FREEZE),
)  # fmt: skip


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Faults]]:
    with faulty_world(tmp_path_factory.mktemp("deliveries"), *FROZEN, env={"WORKERS": "4"}) as made:
        yield made


def test_a_job_that_is_delivered_to_four_slots_at_once_is_done_once(faulty):
    world, _ = faulty
    [process] = world.service.pids("worker")
    wait_until(lambda: len(world.query("SELECT name FROM media_jobs_workerprocess")) == 4, 60, "four slots")
    for _ in range(scaled(5, 50)):
        os.kill(process, signal.SIGSTOP)
        job_id = world.send(photo(2400, 1800))
        deliver(world, times=TIMES)
        os.kill(process, signal.SIGCONT)
        world.assert_all_done()
        assert kinds(world, job_id)["claimed"] == kinds(world, job_id)["done"] == 1
        assert world.jobs()[job_id]["attempt"] == 1
        wait_until(partial(all_are_answered, world), 60, "all other deliveries")
        assert renditions(world, job_id) == ALL
    world.assert_invariants()
    assert world.service.pids("worker") == [process]


@pytest.mark.parametrize("point", FROZEN, ids=lambda point: point.name.replace(" ", "_"))
def test_what_a_worker_finishes_after_its_lease_is_thrown_away(faulty, point):
    world, faults = faulty
    faults.arm(point.name)
    job_id = world.send(photo())
    wait_until(lambda: faults.has_happened(point.name), 60, "a slot to freeze")
    world.assert_all_done()
    by_winner = world.jobs()[job_id]
    assert by_winner["attempt"] == 2
    assert renditions(world, job_id, state="current") == ALL
    process = faults.victim(point.name)
    faults.thaw(point.name)
    wait_until(partial(was_logged, world, "lease_lost", job_id), 60, "the late worker to notice")
    world.assert_invariants()
    assert world.jobs()[job_id] == by_winner
    assert renditions(world, job_id) == ALL
    assert kinds(world, job_id)["done"] == 1
    assert world.service.pids("worker") == [process]


def deliver(world: World, *, times: int) -> None:
    """Enqueue wake-ups, so many times."""
    with world.redis() as client:
        [name] = [key for key in client.smembers("rq:queues") if key.startswith(b"rq:queue:interactive-")]
        queue = Queue.from_queue_key(name.decode(), connection=client, serializer="rq.serializers.JSONSerializer")
        for _ in range(times):
            queue.enqueue_call("media_jobs.tasks.process_lane", args=("interactive",), job_id=uuid4().hex, result_ttl=0)


def all_are_answered(world: World) -> bool:
    with world.redis() as client:
        return not list(client.scan_iter("rq:queue:*", _type="list")) and not client.keys("rq:job:*")


def kinds(world: World, job_id: str) -> Counter[str]:
    return Counter(event["type"] for event in world.history(job_id))


def renditions(world: World, job_id: str, *, state: str = "") -> list[str]:
    """What there are rows of, whatever their state, or in this one."""
    statement = "SELECT rendition FROM media_jobs_derivative WHERE job_id = %s AND %s IN ('', state) ORDER BY rendition"
    return [row["rendition"] for row in world.query(statement, job_id, state)]


def was_logged(world: World, event: str, job_id: str, *, times: int = 1) -> bool:
    """Whether the service's log says so of the job, at least so often."""
    return sum(f'"{event}"' in line and job_id in line for line in world.service.logs.splitlines()) >= times
