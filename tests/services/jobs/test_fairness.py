"""Within a lane nobody's many jobs keep somebody else's one waiting."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
import redis
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from media_jobs import selectors
from media_jobs.adapters import queue
from media_jobs.callers import SYSTEM
from media_jobs.models import Job
from media_jobs.services.jobs import dispatch, lifecycle, transitions
from media_jobs.services.jobs.claiming import claim_next
from media_jobs.services.jobs.transitions import move, waiting
from media_jobs.services.uploads import intake
from media_jobs.states import JobState, Lane
from tests import working
from tests.factories import make_failed_job, make_original
from tests.working import named

pytestmark = pytest.mark.django_db


def upload(owner: str, *, lane: Lane = Lane.INTERACTIVE) -> Job:
    original = make_original(stored=False, owner=owner)
    preset = selectors.current_preset("gallformers")
    job = intake.create_job(original, preset=preset, caller=SYSTEM, lane=lane)
    job.refresh_from_db()
    return job


def backlog(owner: str, count: int) -> list[Job]:
    """`count` jobs of one owner: as `upload` would make them, but quickly."""
    template = upload(owner)
    same = {
        f.attname: getattr(template, f.attname)
        for f in Job._meta.concrete_fields
        if f.name not in {"id", "queue_position"}
    }
    first = template.queue_position + 1
    return [template, *Job.objects.bulk_create(Job(**same, queue_position=first + n) for n in range(count - 1))]


def take(valkey: redis.Redis) -> UUID | None:
    """What a worker that is woken takes next."""
    job = claim_next(Lane.INTERACTIVE, named("worker"))
    return job.pk if job else None


def owners(jobs: Sequence[UUID | None]) -> str:
    names = dict(Job.objects.values_list("pk", "owner"))
    return "".join(names[job] if job else "-" for job in jobs)


def test_one_upload_is_next_however_many_somebody_else_has_sent(settings, valkey):
    settings.QUEUE_SIZE = 10
    backlog("A", 200)
    dispatch.top_up()
    assert queue.lengths()[Lane.INTERACTIVE] == 10
    theirs = upload("B")
    take(valkey)  # a worker finishes what it has in hand, and takes what is there
    assert take(valkey) == theirs.pk


def test_three_callers_take_turns(settings, valkey):
    settings.QUEUE_SIZE = 10
    backlog("A", 40)
    dispatch.top_up()
    backlog("B", 40)
    backlog("C", 3)
    order = owners([take(valkey) for _ in range(83)])
    assert [order[: 3 + 3 * n].count("C") for n in range(3)] == [1, 2, 3], order
    assert all(abs(order[:n].count("A") - order[:n].count("B")) <= 1 for n in range(len(order))), order
    assert (order.count("A"), order.count("B"), take(valkey)) == (40, 40, None)


def test_a_newcomer_does_not_overtake_whoever_waits_at_the_same_position(settings, valkey):
    settings.QUEUE_SIZE = 4
    backlog("A", 5)
    dispatch.top_up()
    for name in "BCD":
        upload(name)
    assert owners([take(valkey) for _ in range(8)]) == "ABCDAAAA"


def test_one_callers_jobs_are_done_in_the_order_in_which_they_came(settings, valkey):
    settings.QUEUE_SIZE = 3
    jobs = [upload("A") for _ in range(7)]
    dispatch.top_up()
    assert [take(valkey) for _ in jobs] == [job.pk for job in jobs]


def test_who_has_had_much_done_is_not_punished_for_it_later():
    jobs = [*backlog("A", 20), *backlog("B", 25)]
    Job.objects.filter(pk__in=[job.pk for job in jobs[:40]]).update(state=JobState.DONE)
    assert upload("A").queue_position == upload("C").queue_position == min(job.queue_position for job in jobs[40:])


def test_each_lane_has_positions_of_its_own():
    backlog("A", 5)
    assert upload("A", lane=Lane.BULK).queue_position == 0


@pytest.mark.django_db(transaction=True)
def test_only_uploads_at_the_very_same_time_share_a_position():
    def some(_: int) -> None:
        try:
            for _ in range(5):
                with transaction.atomic():
                    upload("A")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(some, range(4)))
    positions = Counter(Job.objects.values_list("queue_position", flat=True))
    assert sum(positions.values()) == 20
    assert sorted(positions) == list(range(len(positions)))
    assert max(positions.values()) <= 4


def due_again(job: Job, *, after_s: float = 0) -> None:
    working.claim(job.pk, "worker")
    wait = waiting(Lane(job.lane), after_s=after_s)
    assert move(job.pk, Q(), "retry_due", actor=SYSTEM, **wait)


def test_a_retry_is_next_when_its_time_has_come(settings, valkey):
    settings.QUEUE_SIZE = 3
    failed, *others = backlog("A", 10)
    due_again(failed, after_s=60)
    dispatch.top_up()
    assert take(valkey) == others[0].pk
    Job.objects.filter(pk=failed.pk).update(not_before=timezone.now() - timedelta(seconds=1))
    assert take(valkey) == failed.pk
    assert take(valkey) == others[1].pk


def test_a_retry_is_next_even_if_everybody_else_started_again_from_nothing(settings, valkey):
    """Positions start again at nought once nobody waits; a retry may have been waiting since long before."""
    settings.QUEUE_SIZE = 3
    *before, failed = backlog("A", 300)
    due_again(failed, after_s=60)
    Job.objects.filter(pk__in=[job.pk for job in before]).update(state=JobState.DONE)
    later = [upload("B"), upload("B")]
    assert [job.queue_position for job in later] == [0, 1]
    Job.objects.filter(pk=failed.pk).update(not_before=timezone.now() - timedelta(seconds=1))
    dispatch.top_up()
    assert take(valkey) == failed.pk


@pytest.mark.parametrize("after_s", [60, -1], ids=["that waits", "that is due"])
def test_a_retry_does_not_hold_positions_down(after_s):
    failed, *others = backlog("A", 100)
    due_again(failed, after_s=after_s)
    Job.objects.filter(pk__in=[job.pk for job in others[:50]]).update(state=JobState.DONE)
    assert upload("B").queue_position == others[50].queue_position


def test_what_a_person_queues_again_takes_its_turn_behind_its_owners_others(valkey):
    backlog("A", 3)
    again = make_failed_job(owner="A")
    lifecycle.retry_all(Job.objects.filter(pk=again.pk), actor=SYSTEM)
    again.refresh_from_db()
    assert again.queue_position == 3


def test_the_position_of_an_empty_lane_is_nought():
    job = upload("A")
    Job.objects.filter(pk=job.pk).update(queue_position=transitions.front_position(Lane.BULK))
    job.refresh_from_db()
    assert job.queue_position == 0
