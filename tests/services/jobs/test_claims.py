"""One worker at a time holds a job, and only its results count."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from media_jobs.errors import LeaseLost
from media_jobs.models import Derivative, Job
from media_jobs.services.jobs import publishing, transitions
from media_jobs.services.jobs.transitions import Lease
from media_jobs.states import MOVES, JobState
from tests import working
from tests.factories import make_job, make_rendered

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_job():
    job = make_job()

    def try_it(number: int) -> bool:
        try:
            working.claim(job.pk, f"worker-{number}")
        except working.NotDue:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_it, range(8))) == 1
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.PROCESSING, 1)
    assert [event.type for event in job.events.all()] == ["queued", "claimed"]


def test_a_claim_counts_the_attempt_and_takes_a_lease():
    job = working.claim(make_job().pk, "a")
    assert (job.state, job.attempt, job.worker) == (JobState.PROCESSING, 1, "a")
    job.refresh_from_db()
    assert (job.state, job.attempt, job.worker) == (JobState.PROCESSING, 1, "a")
    assert job.lease_until is not None
    assert job.lease_until > timezone.now() + timedelta(seconds=30)


def test_a_retry_is_not_claimed_before_its_time():
    job = make_job(not_before=timezone.now() + timedelta(minutes=1))
    with pytest.raises(working.NotDue):
        working.claim(job.pk, "a")


@pytest.mark.parametrize("state", [JobState.DONE, JobState.CANCELLED, JobState.FAILED])
def test_a_finished_job_is_not_claimed_again(state):
    job = make_job(state=state, code="undecodable" if state == JobState.FAILED else "")
    with pytest.raises(working.NotDue):
        working.claim(job.pk, "a")


def test_who_lost_the_lease_changes_nothing():
    job = working.claim(make_job().pk, "slow")
    Job.objects.filter(pk=job.pk).update(worker="quick", attempt=2)
    with pytest.raises(LeaseLost):
        publishing.publish(Lease(job.pk, "slow", 1), job, make_rendered(), [], usage=None, took={"duration_ms": 1})
    job.refresh_from_db()
    assert (job.state, job.worker) == (JobState.PROCESSING, "quick")
    assert job.original.width_px is None
    assert not Derivative.objects.exists()


def test_events_are_numbered_without_gaps():
    job = working.claim(make_job().pk, "a")
    publishing.publish(Lease(job.pk, "a", 1), job, make_rendered(), [], usage=None, took={"duration_ms": 1})
    assert list(job.events.values_list("number", "type")) == [(1, "queued"), (2, "claimed"), (3, "done")]


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("target", JobState)
def test_only_the_moves_of_the_table_are_possible(state, target):
    """Whatever a caller asks for, `move` knows the table."""
    job = make_job(state=state, worker="a", lease_until=timezone.now(), code="x")
    moved = transitions.move(job.pk, Q(), "tried", actor="test", state=target)
    assert moved == (target in MOVES[state])
