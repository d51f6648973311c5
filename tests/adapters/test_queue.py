"""RQ's lists: changed in one step or not at all, never longer than they may be."""

import random
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from uuid import UUID

import pytest
import redis
from django.conf import settings
from redis.client import Pipeline

from media_jobs.adapters import queue
from media_jobs.errors import QueueUnavailable
from media_jobs.states import Lane

LIST = "rq:queue:bulk"
JOBS = [UUID(int=number) for number in range(100)]


def announce(*jobs: UUID, at_most: int = 10) -> set[UUID]:
    """As the dispatcher does it: places are by number."""
    known = [*queue.waiting(Lane.BULK), *jobs]
    calls, places = dict.fromkeys(jobs, 1), {job: (job.int, job) for job in known}
    return queue.announce(Lane.BULK, calls, places, at_most=at_most)


def test_the_list_is_in_order_of_places_whoever_came_first(valkey):
    announce(JOBS[5], JOBS[7])
    announce(JOBS[9], JOBS[6], JOBS[2])
    assert queue.waiting(Lane.BULK) == [JOBS[n] for n in (2, 5, 6, 7, 9)]


def test_more_than_there_is_room_for_is_refused_as_a_whole(valkey):
    announce(*JOBS[:9])
    with pytest.raises(queue.ListChanged):
        announce(*JOBS[9:11])
    assert queue.waiting(Lane.BULK) == JOBS[:9]
    assert announce(JOBS[9]) == set()


def test_who_is_in_the_list_is_not_added_to_it(valkey):
    announce(JOBS[0])
    with pytest.raises(queue.ListChanged):
        announce(JOBS[0], JOBS[1])
    assert queue.waiting(Lane.BULK) == JOBS[:1]


def test_nobody_is_put_beside_somebody_of_unknown_place(valkey):
    announce(JOBS[0])
    with pytest.raises(queue.ListChanged):
        queue.announce(Lane.BULK, {JOBS[1]: 1}, {JOBS[1]: (1, JOBS[1])}, at_most=10)
    assert queue.waiting(Lane.BULK) == JOBS[:1]


def test_who_was_taken_just_now_is_passed_over_the_next_attempt_is_not(valkey):
    announce(JOBS[0])
    valkey.lpop(LIST)
    assert announce(JOBS[0], JOBS[1]) == {JOBS[0]}
    queue.announce(Lane.BULK, {JOBS[0]: 2}, {job: (job.int, job) for job in JOBS}, at_most=10)
    assert queue.waiting(Lane.BULK) == JOBS[:2]


def test_who_dies_in_between_leaves_nothing(valkey, monkeypatch):
    def die(pipeline: Pipeline) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "execute", die)
        with pytest.raises(KeyboardInterrupt):
            announce(JOBS[0])
    assert valkey.keys() == []


def test_a_list_that_changes_between_look_and_step_is_left_alone(valkey, monkeypatch):
    announce(JOBS[0])
    execute = Pipeline.execute

    def somebody_is_quicker(pipeline: Pipeline) -> object:
        valkey.lpop(LIST)
        return execute(pipeline)

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "execute", somebody_is_quicker)
        with pytest.raises(queue.ListChanged):
            announce(JOBS[1])
    assert queue.waiting(Lane.BULK) == []
    assert announce(JOBS[1]) == set()


def test_whatever_redis_says_when_it_is_away_has_one_name(unreachable_queue):
    with pytest.raises(QueueUnavailable):
        queue.waiting(Lane.BULK)
    with pytest.raises(QueueUnavailable):
        queue.announce(Lane.BULK, {JOBS[0]: 1}, {JOBS[0]: (0, JOBS[0])}, at_most=1)


def crowd(seed: int) -> tuple[int, list[UUID]]:
    """One of several processes that add what they like and take what is there: longest list seen, jobs taken."""
    chance = random.Random(seed)
    longest, taken = 0, []
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for _ in range(60):
            with suppress(queue.ListChanged):
                announce(*chance.sample(JOBS, 3))
            longest = max(longest, client.llen(LIST))
            if chance.random() < 0.5 and (rq_id := client.lpop(LIST)):
                taken.append(UUID(rq_id.decode().rpartition("-")[0]))
    return longest, taken


def test_many_processes_never_overfill_the_list_and_hand_out_nobody_twice(valkey):
    with ProcessPoolExecutor(6, mp_context=get_context("fork")) as pool:
        seen = list(pool.map(crowd, range(6)))
    taken = Counter(job for _, jobs in seen for job in jobs)
    assert 5 < max(longest for longest, _ in seen) <= 10
    assert sum(taken.values()) > 20
    assert set((taken + Counter(queue.waiting(Lane.BULK))).values()) == {1}
