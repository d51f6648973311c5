"""How long it will take is estimated from how long it took."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media_jobs.models import Job
from media_jobs.services.jobs import estimates
from media_jobs.services.uploads import backlog
from media_jobs.states import JobState, Lane
from tests.factories import make_job, make_original

pytestmark = pytest.mark.django_db


def done(*durations_ms: int, worker: str = "a", ago_s: float = 0, **fields: Any) -> None:
    """A finished job for each duration, all ended at the same time."""
    ended = timezone.now() - timedelta(seconds=ago_s)
    for duration_ms in durations_ms:
        made: dict[str, Any] = {"state": JobState.DONE, "worker": worker, "finished_at": ended, **fields}
        make_job(duration_ms=duration_ms, **made)


def at_work(worker: str, **fields: Any) -> Job:
    lease = timezone.now() + timedelta(minutes=1)
    return make_job(state=JobState.PROCESSING, worker=worker, lease_until=lease, **fields)


def test_without_any_history_it_is_five_seconds():
    assert estimates.remaining_ms(make_job()) == 5_000


def test_with_nobody_before_it_a_job_takes_as_long_as_the_median_of_the_latest():
    done(100, 300, 90_000)
    assert estimates.remaining_ms(make_job()) == 300


def test_only_the_latest_fifty_count():
    done(*[90_000] * 60, ago_s=600)
    done(*[200] * 50)
    assert estimates.remaining_ms(make_job()) == 200


def test_every_job_ahead_adds_to_it():
    done(1_000)
    jobs = [make_job() for _ in range(4)]
    assert [estimates.remaining_ms(job) for job in jobs] == [1_000, 2_000, 3_000, 4_000]


def test_workers_share_what_is_ahead():
    done(1_000, worker="a")
    done(1_000, worker="b")
    at_work("b"), at_work("c"), at_work("d")
    jobs = [make_job() for _ in range(9)]
    assert estimates.remaining_ms(jobs[-1]) == 3_000  # eight before it, four workers


def test_workers_that_are_long_gone_do_not_count():
    for number in range(10):
        done(1_000, worker=f"old-{number}", ago_s=3_600)
    done(1_000, worker="new")
    jobs = [make_job() for _ in range(3)]
    assert estimates.remaining_ms(jobs[-1]) == 3_000


def test_who_comes_by_turn_waits_less_than_who_came_first_with_many():
    done(1_000)
    for _ in range(5):
        last_of_many = make_job()
    of_another = make_job(make_original(stored=False, owner="somebody else"))
    assert estimates.remaining_ms(of_another) < estimates.remaining_ms(last_of_many)


def test_lanes_have_a_pace_of_their_own_and_borrow_one_where_they_have_none():
    done(20_000, lane=Lane.HEAVY, worker="h")
    done(1_000)
    heavy, bulk = make_job(lane=Lane.HEAVY), make_job(lane=Lane.BULK)
    assert estimates.remaining_ms(make_job()) == 1_000
    assert estimates.remaining_ms(heavy) == 20_000
    assert 1_000 <= estimates.remaining_ms(bulk) <= 20_000


def test_a_retry_that_is_not_due_yet_says_so():
    done(1_000)
    job = make_job(not_before=timezone.now() + timedelta(minutes=2))
    assert 100_000 < estimates.remaining_ms(job) <= 121_000


def test_the_rest_of_a_job_at_work_shrinks_as_it_goes():
    done(1_000)
    assert estimates.remaining_ms(at_work("a", progress=80)) == 200
    assert estimates.remaining_ms(at_work("a", progress=100)) == 1


def test_beyond_a_thousand_nobody_counts_one_by_one(monkeypatch):
    monkeypatch.setattr(estimates, "COUNTED_AHEAD", 3)
    monkeypatch.setattr(backlog, "waiting", lambda: 70)
    done(1_000)
    jobs = [make_job() for _ in range(6)]
    assert estimates.remaining_ms(jobs[-1]) == 71_000


def test_many_estimates_read_the_history_once(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(estimates, "_FRESH_S", 3600)
    done(1_000)
    job = make_job()
    with django_assert_num_queries(2 + 10):
        for _ in range(10):
            estimates.remaining_ms(job)
