"""What people do with jobs."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from media_jobs import selectors
from media_jobs.adapters import queue
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS, staff
from media_jobs.errors import LeaseLost, WrongState
from media_jobs.models import Job, JobEvent
from media_jobs.services.jobs import lifecycle, publishing
from media_jobs.services.jobs.lifecycle import CancelOutcome, RetryOutcome
from media_jobs.services.jobs.transitions import Lease
from media_jobs.states import DerivativeState, JobState, Lane
from tests import working
from tests.factories import make_derivative, make_failed_job, make_job, make_original, make_rendered

pytestmark = pytest.mark.django_db

CURATOR = staff(7)


def history(job: Job) -> list[tuple[int, str, str]]:
    return list(job.events.values_list("number", "type", "actor"))


def numbers_are_gapless() -> bool:
    jobs = Job.objects.all()
    return all(list(job.events.values_list("number", flat=True)) == list(range(1, job.last_event + 1)) for job in jobs)


# --- one job ---------------------------------------------------------------------------------------


def test_a_waiting_job_that_is_cancelled_is_never_begun():
    job = lifecycle.cancel(make_job().pk, actor=CURATOR)
    assert (job.state, job.finished_at is not None) == (JobState.CANCELLED, True)
    assert history(job)[-1] == (2, "cancelled", "staff:7")
    assert list(selectors.due(Lane.INTERACTIVE)) == []


def test_what_the_worker_of_a_cancelled_job_has_made_no_longer_counts():
    job = working.claim(make_job().pk, "a")
    lifecycle.cancel(job.pk, actor=ANONYMOUS)
    with pytest.raises(LeaseLost):
        publishing.publish(Lease(job.pk, "a", 1), job, make_rendered(), [], usage=None, took={"duration_ms": 1})
    job.refresh_from_db()
    assert (job.state, job.lease_until) == (JobState.CANCELLED, None)


def test_cancelling_twice_is_cancelling_once():
    job = make_job()
    first = lifecycle.cancel(job.pk, actor=ANONYMOUS)
    second = lifecycle.cancel(job.pk, actor=ANONYMOUS)
    assert (second.state, second.finished_at) == (JobState.CANCELLED, first.finished_at)
    assert len(history(job)) == 2


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED])
def test_what_is_over_cannot_be_cancelled(state):
    job = make_job(state=state, code="undecodable")
    with pytest.raises(WrongState, match=state):
        lifecycle.cancel(job.pk, actor=ANONYMOUS)
    assert len(history(job)) == 1


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_a_retry_starts_clean_with_new_attempts_in_the_same_lane(state, settings):
    settings.MAX_ATTEMPTS = 4
    spent = {"attempt": 3, "max_attempts": 3, "lane": Lane.HEAVY, "traceback": "Traceback …", "progress": 50}
    job = lifecycle.retry(make_failed_job(state=state, **spent).pk, actor=CURATOR)
    assert (job.state, job.lane, job.stage, job.progress) == (JobState.QUEUED, Lane.HEAVY, "waiting", 0)
    assert (job.attempt, job.max_attempts) == (3, 7)
    assert (job.code, job.detail, job.traceback, job.finished_at) == ("", "", "", None)
    assert history(job)[-1] == (2, "retried", "staff:7")


def test_a_retry_queues_behind_what_its_owner_has_waiting():
    failed, waits = make_failed_job(), make_job()
    assert lifecycle.retry(failed.pk, actor=CURATOR).queue_position > waits.queue_position


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.DONE])
def test_what_neither_failed_nor_was_cancelled_is_not_retried(state):
    job = make_job(state=state)
    with pytest.raises(WrongState, match=state):
        lifecycle.retry(job.pk, actor=ANONYMOUS)
    assert len(history(job)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_retry_adds_a_wakeup(valkey):
    lifecycle.retry(make_failed_job().pk, actor=CURATOR)
    assert queue.lengths()[Lane.INTERACTIVE] == 1


# --- many ------------------------------------------------------------------------------------------


def test_retry_all_reports_what_it_left_alone():
    make_failed_job(), make_failed_job(), make_job(state=JobState.DONE), make_job(state=JobState.CANCELLED)
    assert lifecycle.retry_all(Job.objects.all(), actor=CURATOR) == RetryOutcome(queued=3, left=1)
    assert Job.objects.filter(state=JobState.QUEUED).count() == 3
    assert numbers_are_gapless()


def test_cancel_all_reports_what_it_left_alone():
    make_job(), make_failed_job(), make_job(state=JobState.DONE), make_job(state=JobState.CANCELLED)
    working.claim(make_job(lane=Lane.HEAVY).pk, "a")
    assert lifecycle.cancel_all(Job.objects.all(), actor=CURATOR) == CancelOutcome(cancelled=2, left=3)
    assert Job.objects.filter(state=JobState.CANCELLED).count() == 3
    assert numbers_are_gapless()


def test_the_history_names_who_retried():
    job = make_failed_job()
    lifecycle.retry_all(Job.objects.filter(pk=job.pk), actor=CURATOR)
    assert history(job)[-1] == (2, "retried", "staff:7")


def test_all_batches_of_all_lanes_are_done(monkeypatch):
    monkeypatch.setattr(lifecycle, "_BATCH", 2)
    jobs = [make_failed_job(lane=lane, traceback="…") for lane in Lane for _ in range(5)]
    assert lifecycle.retry_all(Job.objects.all(), actor=CURATOR) == RetryOutcome(queued=15, left=0)
    assert numbers_are_gapless()
    after = {job.pk: job for job in Job.objects.all()}
    assert [after[job.pk].lane for job in jobs] == [job.lane for job in jobs]
    assert {job.traceback for job in after.values()} == {""}


def test_many_jobs_take_few_statements(django_assert_max_num_queries):
    one = make_failed_job()
    like_it = {"original": one.original, "preset": one.preset, "wanted": [], "state": JobState.FAILED, "code": "x"}
    Job.objects.bulk_create(Job(**like_it) for _ in range(600))
    with django_assert_max_num_queries(60):
        lifecycle.retry_all(Job.objects.all(), actor=CURATOR)
    assert Job.objects.filter(state=JobState.QUEUED).count() == 601


def test_retrying_many_of_one_owner_does_not_put_another_behind_them():
    """Each of the owner's jobs has a position of its own, in every batch."""
    for _ in range(7):
        make_job(make_original(stored=False, owner="many"), state=JobState.CANCELLED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifecycle, "_BATCH", 3)
        lifecycle.retry_all(Job.objects.all(), actor=CURATOR)
    assert len(set(Job.objects.values_list("queue_position", flat=True))) == 7
    of_another = make_job(make_original(stored=False, owner="one"))
    in_order = [job.pk for job in selectors.due(Lane.INTERACTIVE)]
    assert in_order.index(of_another.pk) <= 1


@pytest.mark.django_db(transaction=True)
def test_two_curators_at_once_retry_each_job_once(monkeypatch):
    monkeypatch.setattr(lifecycle, "_BATCH", 5)
    for _ in range(20):
        make_failed_job()
    together = Barrier(2)

    def retry(who: int) -> RetryOutcome:
        try:
            together.wait(60)
            return lifecycle.retry_all(Job.objects.all(), actor=staff(who))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(retry, range(2)))
    assert sum(outcome.queued for outcome in outcomes) == 20
    assert JobEvent.objects.filter(type="retried").count() == 20
    assert numbers_are_gapless()


@pytest.mark.django_db(transaction=True)
def test_events_of_many_know_their_transaction_where_readers_need_it():
    make_failed_job()
    lifecycle.retry_all(Job.objects.all(), actor=CURATOR)
    queued, retried = (event.transaction_id for event in JobEvent.objects.order_by("id"))
    if connection.vendor == "postgresql":
        assert queued is not None
        assert retried is not None
        assert retried > queued
    else:
        assert retried is None


# --- what the storage has lost ---------------------------------------------------------------------


def made_job(*, lose: int = 0) -> Job:
    """A job that is done, of whose derivatives the storage has lost some."""
    job = make_job(make_original(), state=JobState.DONE, attempt=1)
    made = [make_derivative(job, name, content=name.encode(), state=DerivativeState.CURRENT) for name in job.wanted]
    for derivative in made[:lose]:
        store(Role.WORKER).delete(derivative.key)
    return job


def test_a_done_job_is_queued_again_only_where_its_files_are_gone(client):
    whole, broken = made_job(), made_job(lose=1)
    assert client.post(f"/v1/jobs/{whole.pk}/retry").status_code == 409
    answer = client.post(f"/v1/jobs/{broken.pk}/retry")
    assert (answer.status_code, answer.json()["jobId"]) == (202, str(broken.pk))
    assert [Job.objects.get(pk=job.pk).state for job in (whole, broken)] == [JobState.DONE, JobState.QUEUED]


def test_repair_finds_what_is_gone_and_queues_it_behind_all_uploads(capsys):
    _, broken, hopeless = made_job(), made_job(lose=4), made_job(lose=1)
    store(Role.WORKER).delete(hopeless.original.key)
    with pytest.raises(CommandError, match=f"(?s)Originals missing: 1.*{hopeless.original.key}"):
        call_command("repair", "--dry-run")
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.DONE}
    with pytest.raises(CommandError, match="Originals missing: 1"):
        call_command("repair")
    said = capsys.readouterr().out
    assert "Images: 3. Derivatives missing: 5." in said
    assert "Jobs would be queued: 1." in said
    assert "Jobs queued: 1." in said
    queued = Job.objects.get(state=JobState.QUEUED)
    assert (queued.pk, queued.lane) == (broken.pk, Lane.BULK)
    assert history(queued)[-1][1:] == ("retried", "system")
    assert numbers_are_gapless()
