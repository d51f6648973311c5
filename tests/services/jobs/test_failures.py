"""Who is to blame decides what follows from a failed attempt."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media_jobs import errors
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import (
    DecoderCrashed,
    DecoderFailed,
    DecoderKilled,
    DecoderTimeout,
    KeyBeingDeleted,
    MediaError,
    StorageUnavailable,
    TooMuchMemory,
    Undecodable,
    WorkspaceFull,
)
from media_jobs.models import Job
from media_jobs.pipeline.values import Usage
from media_jobs.services import object_deletion
from media_jobs.services.jobs import failures, outage
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import JobState, Lane
from tests import images, working
from tests.factories import make_job, make_original, make_rendered

pytestmark = pytest.mark.django_db

TOO_MUCH = TooMuchMemory(needed_bytes=2**31, limit_bytes=2**30)
TIMEOUT = DecoderTimeout(limit_s=120)
KILLED = DecoderKilled("it was killed from outside")
FAILED = DecoderFailed("it ended with exit code 3")


class Decoder:
    """Stands in for the sandbox: raises the outcomes in turn, and renders where one is None."""

    usage = Usage(wall_ms=1, cpu_ms=1, peak_bytes=1)
    pid = None

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)

    def render(self, request: object, **_: object) -> Any:
        if outcome := self.outcomes.pop(0):
            raise outcome
        return make_rendered()

    def close(self) -> None: ...


@pytest.fixture
def outcomes(monkeypatch):
    """What the attempts come to, one after the other, whatever the lane."""

    def use(*these: Exception | None) -> None:
        decoder = Decoder(*these)
        monkeypatch.setattr(workers.current(), "sandbox", decoder)
        monkeypatch.setattr(Worker, "new_sandbox", lambda *_: decoder)

    return use


def run(job: Job) -> Job:
    """The job after one more attempt, whenever that was due."""
    Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(not_before=timezone.now() - timedelta(seconds=1))
    working.run(job.pk)
    return Job.objects.select_related("original").get(pk=job.pk)


def last_event(job: Job) -> tuple[str, dict[str, Any]]:
    event = job.events.last()
    assert event
    return event.type, event.data


@pytest.mark.parametrize("error", [Undecodable(), DecoderCrashed("it crashed, signal 11")])
def test_the_files_fault_is_final_at_once(outcomes, error):
    outcomes(error)
    job = run(make_job(make_original()))
    assert (job.state, job.attempt, job.code) == (JobState.FAILED, 1, error.code)
    assert (job.stage, job.progress) == ("rendering", 15)


def test_the_servers_fault_waits_longer_from_attempt_to_attempt_and_ends_after_the_last(outcomes, settings):
    settings.MAX_ATTEMPTS = 6
    outcomes(*[StorageUnavailable("reading a file")] * 6)
    job = make_job(make_original(), max_attempts=6)
    waits = []
    for attempt in range(1, 6):
        began_at = timezone.now()
        job = run(job)
        assert (job.state, job.attempt, job.lane) == (JobState.QUEUED, attempt, Lane.INTERACTIVE)
        waits.append(last_event(job)[1]["wait_s"])
        assert job.not_before > began_at + timedelta(seconds=waits[-1] - 1)
    for wait_s, middle_s in zip(waits, [5, 30, 120, 600, 600], strict=True):
        assert 0.8 * middle_s <= wait_s <= 1.2 * middle_s
    job = run(job)
    assert (job.state, job.attempt, job.code) == (JobState.FAILED, 6, "storage_unavailable")


def test_waits_are_spread_over_their_whole_range():
    job = make_job(attempt=1)
    waits = [failures.backoff_s(job) for _ in range(300)]
    assert 4 <= min(waits) < 4.5
    assert 5.5 < max(waits) <= 6


def test_waits_begin_anew_when_a_person_grants_more_attempts():
    job = make_job(attempt=4, max_attempts=6)
    assert failures.backoff_s(job) <= 6


@pytest.mark.parametrize("error", [TOO_MUCH, TIMEOUT, KILLED])
def test_what_was_too_much_for_the_machine_is_next_on_the_heavy_lane(outcomes, error):
    outcomes(error, None)
    make_job(lane=Lane.HEAVY, queue_position=7)
    job = run(make_job(make_original()))
    assert (job.state, job.lane) == (JobState.QUEUED, Lane.HEAVY)
    assert Job.objects.filter(state=JobState.QUEUED, lane=Lane.HEAVY).order_by("queue_position", "pk").first() == job
    assert job.not_before <= timezone.now()
    assert run(job).state == JobState.DONE


@pytest.mark.parametrize("error", [TOO_MUCH, TIMEOUT])
def test_what_is_too_much_for_the_heavy_lane_too_is_final(outcomes, error):
    outcomes(error, error)
    job = run(run(make_job(make_original())))
    assert (job.state, job.attempt, job.lane, job.code) == (JobState.FAILED, 2, Lane.HEAVY, error.code)


def test_a_killed_decoder_is_tried_on_the_heavy_lane_until_the_attempts_are_used_up(outcomes):
    outcomes(KILLED, KILLED, KILLED)
    job = run(run(make_job(make_original())))
    assert (job.state, job.lane, job.attempt) == (JobState.QUEUED, Lane.HEAVY, 2)
    assert job.not_before > timezone.now()
    job = run(job)
    assert (job.state, job.attempt, job.code) == (JobState.FAILED, 3, "decoder_killed")


@pytest.mark.parametrize("bug", [FAILED, ZeroDivisionError("of ours")])
def test_a_bug_is_tried_once_more_and_its_traceback_kept(outcomes, bug):
    outcomes(bug, None)
    job = run(make_job(make_original()))
    assert (job.state, job.lane) == (JobState.QUEUED, Lane.INTERACTIVE)
    assert job.traceback.startswith("Traceback (most recent call last):")
    assert f"{type(bug).__name__}: {bug}" in job.traceback
    assert run(job).state == JobState.DONE


@pytest.mark.parametrize("bug", [FAILED, ZeroDivisionError("of ours")])
def test_a_second_bug_is_final(outcomes, bug):
    outcomes(bug, bug)
    job = run(run(make_job(make_original())))
    assert (job.state, job.attempt) == (JobState.FAILED, 2)
    assert job.code in ("decoder_failed", "internal_error")
    assert "ours" not in job.detail  # what a bug says is not for everybody


def test_of_a_long_traceback_the_end_is_kept_whatever_is_in_it(outcomes):
    outcomes(RuntimeError("a\0b" + "…" * 10_000 + "\ud800 the end"))
    job = run(make_job(make_original()))
    assert job.traceback.endswith("? the end\n")
    assert 8_000 < len(job.traceback.encode()) <= failures.TRACEBACK_BYTES


def test_what_the_decoder_said_last_is_kept_with_the_traceback(outcomes):
    error = DecoderFailed("it ended with exit code 3")
    error.add_note("The decoder said last:\nsomething about memory")
    outcomes(error)
    assert "something about memory" in run(make_job(make_original())).traceback


@pytest.mark.parametrize("error", [StorageUnavailable("x"), TOO_MUCH, KILLED, ZeroDivisionError(), Undecodable()])
def test_the_last_attempt_is_the_last_whoever_is_to_blame(outcomes, error):
    outcomes(error)
    assert run(make_job(make_original(), max_attempts=1)).state == JobState.FAILED


def test_the_history_says_of_every_attempt_why_whose_fault_where_and_when_next(outcomes):
    outcomes(TIMEOUT, KILLED, ZeroDivisionError())
    job = run(run(run(make_job(make_original()))))
    history = [
        (event.type, *(event.data[name] for name in ("attempt", "code", "blame", "lane")), event.data["wait_s"] is None)
        for event in job.events.filter(type__in=["retry_due", "failed"])
    ]
    assert history == [
        ("retry_due", 1, "render_timeout", "machine", "heavy", False),
        ("retry_due", 2, "decoder_killed", "machine", "heavy", False),
        ("failed", 3, "internal_error", "bug", "heavy", True),
    ]
    assert all(event.data["detail"].endswith(".") for event in job.events.filter(type="retry_due"))


def test_a_poison_file_does_not_block_the_good_one_behind_it(outcomes):
    outcomes(KILLED, None)
    poison, good = make_job(make_original()), make_job(make_original(b"\xff\xd8\xff another"))
    run(poison)
    assert run(good).state == JobState.DONE


def test_a_disk_that_is_full_is_the_servers_fault(monkeypatch):
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    job = run(make_job(make_original()))
    assert (job.state, job.code) == (JobState.QUEUED, "disk_full")


@pytest.mark.parametrize("place", ["hashlib.file_digest", "fcntl.flock", "tempfile.mkdtemp"])
def test_whatever_the_host_refuses_in_an_attempt_is_its_own_fault(monkeypatch, place):
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    job = make_job(make_original(images.jpeg()))
    with monkeypatch.context() as patch:
        patch.setattr(place, refuse)
        job = run(job)
    assert (job.state, job.code) == (JobState.QUEUED, "workspace_unavailable")
    assert workers.current().suspects_outage


def test_a_key_that_is_being_deleted_is_waited_for_and_fails_no_job(outcomes):
    job = make_job(make_original())
    outcomes(*[KeyBeingDeleted() for _ in range(6)])
    for attempt in range(1, 7):
        before = timezone.now()
        job = run(job)
        assert (job.state, job.code, job.attempt) == (JobState.QUEUED, "key_being_deleted", attempt)
        assert job.not_before >= before + timedelta(seconds=object_deletion.DEAD_AFTER_S - 1)
        Job.objects.filter(pk=job.pk).update(not_before=before)


@pytest.mark.parametrize("kind", [errors.ObjectMissing, errors.PrivacyLeak, errors.ReadsNotConfigured])
def test_what_is_not_the_files_fault_is_tried_again(outcomes, kind):
    outcomes(kind("x"))
    job = run(make_job(make_original()))
    assert (job.state, job.code) == (JobState.QUEUED, kind.code)


def test_what_the_storage_failed_is_taken_up_again_only_when_the_storage_is_back(outcomes, monkeypatch):
    outcomes(None)

    def away() -> None:
        raise StorageUnavailable("asking for a sign of life")

    job = make_job(make_original(), code="storage_unavailable", attempt=1)
    monkeypatch.setattr(store(Role.WORKER), "check", away)
    for _ in range(5):
        job = run(job)
    assert (job.state, job.attempt) == (JobState.QUEUED, 1)
    monkeypatch.undo()
    assert outage.reason() == ""
    monkeypatch.setattr(workers.current(), "sandbox", Decoder(None))
    assert run(job).state == JobState.DONE


def test_outages_are_distinguished_from_other_failures():
    outages: set[type[MediaError]] = {
        StorageUnavailable,
        WorkspaceFull,
        KeyBeingDeleted,
        errors.StorageFull,
        errors.OriginalChanged,
    }
    assert {failures.is_outage(kind.code) for kind in outages} == {True}
    others: list[type[MediaError]] = [Undecodable, DecoderKilled, DecoderTimeout, DecoderFailed, errors.WorkerLost]
    assert {failures.is_outage(kind.code) for kind in others} == {False}
    assert not failures.is_outage("")
