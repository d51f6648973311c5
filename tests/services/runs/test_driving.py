"""A run's turns: who takes them, when it stops, what it makes way for, and what two runs do with one image."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from media_jobs.callers import SYSTEM
from media_jobs.errors import WrongState
from media_jobs.models import Job, Original, ReprocessRun, RunItem
from media_jobs.services import engines
from media_jobs.services.images import deletion
from media_jobs.services.jobs import lifecycle as job_lifecycle
from media_jobs.services.jobs import processing
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import Worker
from media_jobs.services.runs import claiming, driving, filling, lifecycle, moves, rate, throttle
from media_jobs.staleness import current_engine
from media_jobs.states import JobState, Lane, RunBy, RunItemState, RunState
from tests import images
from tests.factories import make_job, make_original
from tests.services.runs.working import confirmed, drive, ledger, lines, make_run, uploaded, work
from tests.working import named
from tests.working import run as do_job

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(300, 200)


def put_off(run: ReprocessRun, **ages: timedelta) -> None:
    """Have these moments of the run be so long ago."""
    now = timezone.now()
    ReprocessRun.objects.filter(pk=run.pk).update(**{field: now - age for field, age in ages.items()})


def end_jobs(run: ReprocessRun, state: RunItemState, count: int) -> None:
    """Have so many images of the run end, without work."""
    items = run.items.filter(state__in=[RunItemState.WORKING, RunItemState.TODO]).order_by("original")[:count]
    for item in items:
        code = "undecodable" if state == RunItemState.FAILED else ""
        RunItem.objects.filter(pk=item.pk).update(state=state, code=code)


def stored(count: int) -> list[Original]:
    return [make_original(stored=False) for _ in range(count)]


# --- two runs, and a person -----------------------------------------------------------------------


def test_two_runs_over_one_image_do_it_one_after_the_other(photo):
    original = uploaded(photo)
    first, second = confirmed(), confirmed()
    assert lines(first)[original.pk][0] == "working"
    assert lines(second)[original.pk][0] == "todo"
    assert work(first).done == 1
    assert work(second).done == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        RunItem.objects.update(state=RunItemState.WORKING)


def test_what_needs_nothing_any_more_is_skipped_and_says_why(photo):
    whole, deleted, bad = uploaded(photo), make_original(photo), make_original(b"\xff\xd8\xff\xe0 no picture")
    run = make_run(missing=True)
    ReprocessRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING, total=3, filled_at=timezone.now())
    RunItem.objects.bulk_create(RunItem(run=run, original=original) for original in (whole, deleted, bad))
    deletion.delete(deleted.pk, actor=SYSTEM)
    run = work(run)
    assert lines(run)[whole.pk] == ("skipped", "nothing_to_do")
    assert lines(run)[deleted.pk] == ("skipped", "image_deleted")
    assert lines(run)[bad.pk][0] == "failed"
    assert (run.total, run.skipped, run.failed) == (3, 2, 1)


def test_a_file_that_this_engine_refuses_is_not_tried_for_ever(photo):
    uploaded(photo)
    bad = make_original(b"\xff\xd8\xff\xe0 not a picture")
    assert work(confirmed(missing=True)).failed == 1
    bad.refresh_from_db()
    assert (bad.refused_code, bad.refused_by) == (Job.objects.get(original=bad).code, current_engine())
    assert work(confirmed(missing=True)).total == 0
    assert work(confirmed(missing=True, refused=True)).failed == 1
    engines.note("gallimg-99 libvips-9.9.9")
    assert work(confirmed(missing=True)).failed == 1


def test_a_job_that_a_person_tries_again_moves_its_line_when_it_is_done(photo):
    original = make_original(photo)
    run = confirmed()
    job = Job.objects.get(run=run)
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, code="undecodable")
    run.items.update(state=RunItemState.FAILED, code="undecodable")
    run = drive(run)
    assert (run.state, run.failed, run.done) == (RunState.FINISHED, 1, 0)
    job_lifecycle.retry(job.pk, actor=SYSTEM)
    do_job(job.pk)
    run = work(lifecycle.roll_back(run.pk, actor=SYSTEM))
    assert (run.failed, run.done, run.rolled_back, lines(run)[original.pk][0]) == (0, 0, 1, "rolled_back")


def test_a_job_that_somebody_cancels_is_skipped(photo):
    uploaded(photo)
    run = confirmed()
    job_lifecycle.cancel(Job.objects.get(run=run, state=JobState.QUEUED).pk, actor=SYSTEM)
    run = drive(run)
    assert (run.state, ledger(run), run.skipped) == (RunState.FINISHED, {"skipped": 1}, 1)


# --- stopping -------------------------------------------------------------------------------------


def test_a_pause_waits_for_what_is_in_work_and_is_forced_after_five_minutes():
    stored(2)
    run = confirmed()
    job = Job.objects.filter(run=run).first()
    assert job
    held = {"state": JobState.PROCESSING, "worker": "hangs", "lease_until": timezone.now() + timedelta(hours=1)}
    Job.objects.filter(pk=job.pk).update(attempt=1, **held)
    run = lifecycle.pause(run.pk, actor=SYSTEM)
    assert (run.state, ledger(run)) == (RunState.PAUSING, {"todo": 1, "working": 1})
    put_off(run, state_since=timedelta(minutes=4.9))
    assert drive(run).state == RunState.PAUSING
    put_off(run, state_since=timedelta(minutes=5.1))
    run = drive(run)
    assert (run.state, ledger(run)) == (RunState.PAUSED, {"todo": 2})
    assert Job.objects.get(pk=job.pk).state == JobState.CANCELLED


def test_cancelling_skips_what_is_left_and_can_be_taken_back(photo):
    done = uploaded(photo)
    run = confirmed()
    assert processing.process_next(Lane.BULK, workers.current())
    make_original(photo)
    run = lifecycle.cancel(run.pk, actor=SYSTEM)
    assert (run.state, run.done, run.left) == (RunState.CANCELLED, 1, 0)
    run = work(lifecycle.roll_back(run.pk, actor=SYSTEM))
    assert lines(run)[done.pk] == ("rolled_back", "")


def test_too_many_failures_stop_a_run_and_ask_a_person():
    stored(60)
    run = confirmed()
    end_jobs(run, RunItemState.DONE, 20)
    end_jobs(run, RunItemState.FAILED, 4)
    assert drive(run).state == RunState.RUNNING
    end_jobs(run, RunItemState.FAILED, 3)
    run = drive(drive(run))
    assert (run.state, run.code) == (RunState.PAUSED, "too_many_failures")
    assert "7 of the latest 27 images failed" in run.detail
    run = drive(lifecycle.resume(run.pk, actor=SYSTEM))
    assert (run.state, run.code, run.failed) == (RunState.RUNNING, "", 7)


def test_what_failed_long_ago_counts_for_little():
    stored(1)
    run = confirmed()
    ReprocessRun.objects.filter(pk=run.pk).update(recent_done=150, recent_failed=60)
    run.items.update(state=RunItemState.DONE)
    ReprocessRun.objects.filter(pk=run.pk).update(filled_at=None)
    drive(run)
    run.refresh_from_db()
    assert (run.recent_done, run.recent_failed) == (76, 30)


def test_a_run_moves_only_where_its_state_allows_it(photo):
    uploaded(photo)
    run = make_run()
    for verb in (lifecycle.pause, lifecycle.resume, lifecycle.accept, lifecycle.roll_back):
        with pytest.raises(WrongState):
            verb(run.pk, actor=SYSTEM)
    assert moves.read(run.pk).state == RunState.DRAFT


# --- by a command ---------------------------------------------------------------------------------


def test_a_command_works_by_itself_and_is_interrupted_when_it_is_gone(photo):
    uploaded(photo), uploaded(photo)
    run = lifecycle.confirm(make_run(by=RunBy.COMMAND).pk, actor=SYSTEM, worker="command")
    assert not Job.objects.filter(run=run).exists()
    worker = named("child-1")
    job = claiming.claim_next(run.pk, worker)
    assert job
    assert (job.state, job.worker, job.attempt, job.lane) == (JobState.PROCESSING, "child-1", 1, Lane.BULK)
    assert driving.drive(run.pk, "a worker of the service") is None
    assert moves.read(run.pk).state == RunState.RUNNING
    put_off(run, lease_until=timedelta(seconds=1))
    driving.drive_all("a worker of the service")
    assert moves.read(run.pk).state == RunState.INTERRUPTED
    assert claiming.claim_next(run.pk, named("child-2")) is None
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    run = work(lifecycle.resume(run.pk, actor=SYSTEM))
    assert (run.state, run.by, run.done) == (RunState.FINISHED, RunBy.WORKERS, 2)


def test_a_command_takes_what_comes_back_first(photo):
    uploaded(photo), uploaded(photo)
    run = lifecycle.confirm(make_run(by=RunBy.COMMAND).pk, actor=SYSTEM, worker="command")
    first = claiming.claim_next(run.pk, named("child-1"))
    assert first
    Job.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    driving.drive(run.pk, "command")
    again = claiming.claim_next(run.pk, named("child-2"))
    assert again
    assert (again.pk, again.attempt, again.worker) == (first.pk, 2, "child-2")


# --- making way -----------------------------------------------------------------------------------


def test_a_rate_is_kept_and_only_ten_seconds_of_it_are_caught_up():
    """At two a minute nothing becomes due while this runs."""
    stored(30)
    run = confirmed(rate_per_minute=2)
    assert begun(drive(run)) == 1
    put_off(run, next_at=timedelta(seconds=1))
    assert begun(drive(drive(run))) == 2
    ReprocessRun.objects.filter(pk=run.pk).update(rate_per_minute=60)
    put_off(run, next_at=timedelta(hours=1))
    ReprocessRun.objects.filter(pk=run.pk).update(throttled_until=None)
    run = moves.read(run.pk)
    assert rate.take(run, 64) == 11


def begun(run: ReprocessRun) -> int:
    return Job.objects.filter(run=run).count()


@pytest.mark.parametrize(
    ("hours", "at", "quiet"),
    [
        ("08:00-18:00", "07:59", False),
        ("08:00-18:00", "08:00", True),
        ("08:00-18:00", "18:00", False),
        ("22:00-06:00", "23:30", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "12:00", False),
        ("", "12:00", False),
    ],
)
def test_quiet_hours_may_go_past_midnight(hours, at, quiet, monkeypatch):
    moment = timezone.now().replace(hour=int(at[:2]), minute=int(at[3:]), second=0, microsecond=0)
    monkeypatch.setattr(timezone, "localtime", lambda: moment)
    assert rate.in_quiet_hours(hours) is quiet


def test_in_quiet_hours_nothing_is_begun():
    stored(2)
    now = timezone.now()
    hours = f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    assert begun(confirmed(quiet_hours=hours)) == 0


def test_while_uploads_wait_a_run_moves_one_by_one_and_ever_slower(settings):
    stored(9)
    run = confirmed()
    Job.objects.filter(run=run).delete()
    RunItem.objects.update(state=RunItemState.TODO, job=None)
    waiting = make_job()
    long_ago = timezone.now() - timedelta(seconds=11)
    Job.objects.filter(pk=waiting.pk).update(created_at=long_ago, not_before=long_ago)
    waits = []
    for jobs in (1, 2, 3):
        run = drive(run)
        assert (begun(run), run.throttle_reason) == (jobs, "uploads_wait")
        waits.append(run.throttle_s)
        drive(run)
        assert begun(run) == jobs, "it waits"
        put_off(run, throttled_until=timedelta(seconds=1))
        Job.objects.filter(run=run).update(state=JobState.DONE)
        run.items.filter(state=RunItemState.WORKING).update(state=RunItemState.DONE)
    assert waits == [2.0, 4.0, 8.0]
    Job.objects.filter(pk=waiting.pk).update(state=JobState.DONE)
    run = drive(run)
    assert (run.throttle_s, run.throttle_reason, begun(run)) == (0, "", 9)


@pytest.mark.parametrize(("statement_s", "free", "reason"), [(0.6, 2**40, "database_slow"), (0, 1, "disk_nearly_full")])
def test_while_database_or_disk_suffer_nothing_is_begun(statement_s, free, reason, monkeypatch, settings):
    settings.MIN_FREE_DISK_BYTES = 100
    monkeypatch.setattr(throttle, "_free_bytes", lambda: free)
    stored(2)
    run = make_run()
    assert throttle.window(run, statement_s=statement_s) == 0
    assert moves.read(run.pk).throttle_reason == reason


def test_bulk_gets_its_share_of_the_time_and_uploads_the_rest(settings):
    settings.BULK_SHARE = 25
    worker = Worker()
    spent: dict[Lane, float] = {Lane.INTERACTIVE: 0.0, Lane.BULK: 0.0}
    longest = in_a_row = 0
    for _ in range(400):
        lane = worker.next_lanes()[0]
        if lane is Lane.HEAVY:
            continue
        took_s = {Lane.INTERACTIVE: 0.05, Lane.BULK: 0.3}[lane]
        worker.count_job(lane, took_s)
        spent[lane] += took_s
        in_a_row = in_a_row + 1 if lane is Lane.BULK else 0
        longest = max(longest, in_a_row)
    assert longest == 1
    assert spent[Lane.BULK] / sum(spent.values()) == pytest.approx(0.25, abs=0.02)


def test_without_a_share_bulk_waits(settings):
    settings.BULK_SHARE = 0
    worker = Worker()
    for _ in range(20):
        worker.count_job(Lane.INTERACTIVE, 1.0)
    assert not worker.bulk_is_next


# --- filling --------------------------------------------------------------------------------------


def test_a_ledger_is_filled_page_by_page_whoever_dies_between(monkeypatch):
    monkeypatch.setattr(filling, "PAGE", 2)
    originals = stored(5)
    run = make_run()
    ReprocessRun.objects.filter(pk=run.pk).update(last_image=originals[-1].pk)
    run.refresh_from_db()
    stale: Any = ReprocessRun.objects.select_related("preset").get(pk=run.pk)
    assert filling.fill_page(run)
    assert filling.fill_page(stale), "one that read the run before: it changes nothing"
    assert (run.total, stale.total, run.items.count()) == (2, 2, 2)
    assert filling.fill_page(stale)
    run.refresh_from_db()
    assert not filling.fill_page(run)
    assert (run.total, run.items.count(), run.filled_to) == (5, 5, originals[-1].pk)
    assert not filling.fill_page(run)


def test_a_run_over_nothing_ends_at_once():
    run = confirmed()
    assert (run.state, run.total) == (RunState.FINISHED, 0)
