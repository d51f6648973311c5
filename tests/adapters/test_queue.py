"""RQ's lists of wake-ups: never longer than they may be, and gone or doubled without harm."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from uuid import UUID

import pytest
import redis
from django.conf import settings
from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.job import Job

from media_jobs.adapters import queue
from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

NAME = "bulk-0123456789ab"
LIST = f"rq:queue:{NAME}"
JOB = UUID(int=7)


pytestmark = pytest.mark.usefixtures("named_database")


def add(count: int, *, at_most: int = 10) -> int:
    return queue.enqueue_wakeups(Lane.BULK, count, at_most=at_most)


def waiting() -> int:
    return queue.lengths()[Lane.BULK]


def test_each_lane_has_a_list_of_its_own(valkey):
    add(2)
    assert queue.lengths() == {Lane.INTERACTIVE: 0, Lane.BULK: 2, Lane.HEAVY: 0}


def test_no_more_are_added_than_there_is_room_for(valkey):
    assert add(8) == 8
    assert add(8) == 2
    assert add(8) == 0
    assert waiting() == 10


@pytest.mark.parametrize("count", [0, -3])
def test_none_are_added_where_none_are_wanted(valkey, count):
    assert add(count) == 0
    assert valkey.keys() == []


def test_a_wakeup_names_the_lane_for_whoever_looks_by_rqs_tools(valkey):
    add(1)
    wakeups = Queue(NAME, connection=valkey, serializer="rq.serializers.JSONSerializer")
    [wakeup] = wakeups.jobs
    assert (wakeup.func_name, wakeup.args) == ("media_jobs.tasks.process_lane", ["bulk"])
    assert wakeup.description == "wake-up of the lane bulk"


def test_a_wakeup_that_is_dropped_leaves_nothing(valkey):
    add(1)
    queue.drop_wakeup(Lane.BULK)
    queue.drop_wakeup(Lane.BULK)
    assert waiting() == 0
    assert valkey.keys("rq:job:*") == []


def test_who_dies_in_between_leaves_nothing(valkey, monkeypatch):
    def die(pipeline: Pipeline) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "execute", die)
        with pytest.raises(KeyboardInterrupt):
            add(1)
    assert valkey.keys() == []


def test_a_list_that_changes_between_look_and_step_is_looked_at_again(valkey, monkeypatch):
    add(9)
    execute, quicker = Pipeline.execute, [1, 0]

    def somebody_is_quicker(pipeline: Pipeline) -> object:
        if pipeline.watching and quicker.pop(0):
            valkey.rpush(LIST, "another's")
        return execute(pipeline)

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "execute", somebody_is_quicker)
        assert add(1) == 0
    assert valkey.llen(LIST) == 10


def test_rqs_own_tools_show_the_job_in_work(valkey, monkeypatch):
    seen, trace = [], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    def work(lane: str) -> None:
        queue.describe_current_job(JOB, 2, traceparent=trace)
        [key] = valkey.keys("rq:job:*")
        seen.append(Job.fetch(key.decode().removeprefix("rq:job:"), connection=valkey, serializer=serializer))

    serializer = "rq.serializers.JSONSerializer"
    monkeypatch.setattr("media_jobs.tasks.process_lane", work)
    add(1)
    queues = [Queue(NAME, connection=valkey, serializer=serializer)]
    SimpleWorker(queues, connection=valkey, serializer=serializer).work(burst=True, logging_level="ERROR")
    [job] = seen
    assert job.description == f"job {JOB}, attempt 2"
    assert job.meta == {"job": str(JOB), "traceparent": trace}


def test_nothing_is_said_of_a_job_that_no_wakeup_led_to(unreachable_queue):
    queue.describe_current_job(JOB, 1)


def test_whatever_redis_says_when_it_is_away_has_one_name(unreachable_queue):
    for call in (queue.lengths, lambda: add(1), lambda: queue.drop_wakeup(Lane.BULK), queue.ping):
        with pytest.raises(QueueUnavailable):
            call()


def crowd(_: int) -> int:
    """One of several processes that add what they like and take what is there: the longest list seen."""
    longest = 0
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for n in range(60):
            add(3)
            longest = max(longest, client.llen(LIST))
            if n % 2:
                client.lpop(LIST)
    return longest


def test_many_processes_never_overfill_the_list(valkey):
    with ProcessPoolExecutor(6, mp_context=get_context("fork")) as pool:
        assert max(pool.map(crowd, range(6))) == 10
