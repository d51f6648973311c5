"""A run's way from its description to its end, with the real sandbox and the real file store."""

import pytest

from media_jobs.callers import SYSTEM
from media_jobs.models import Job
from media_jobs.services.runs import driving, lifecycle
from media_jobs.states import JobState, Lane, RunState
from tests import images
from tests.factories import make_original
from tests.services.runs import working
from tests.services.runs.working import confirmed, ledger, make_run, uploaded, work

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(300, 200)


def test_a_run_makes_every_image_of_its_set_once(photo):
    originals = [uploaded(photo) for _ in range(3)]
    run = work(confirmed())
    assert (run.state, run.total, run.done, run.failed, run.skipped) == (RunState.FINISHED, 3, 3, 0, 0)
    assert ledger(run) == {"done": 3}
    assert sorted(job.original_id for job in working.jobs(run)) == sorted(original.pk for original in originals)
    assert {job.lane for job in working.jobs(run)} == {Lane.BULK}


def test_a_draft_does_nothing(photo):
    uploaded(photo)
    run = make_run()
    assert driving.drive(run.pk, "x") is None
    assert not Job.objects.filter(run=run).exists()
    assert run.estimate is not None
    assert run.estimate["images"] == 1


def test_the_set_is_frozen_when_it_is_confirmed(photo):
    first = uploaded(photo)
    run = confirmed()
    uploaded(photo)
    run = work(run)
    assert list(working.lines(run)) == [first.pk]


def test_pausing_takes_back_what_waits_and_going_on_does_the_rest(photo):
    for _ in range(3):
        uploaded(photo)
    run = confirmed()
    assert Job.objects.filter(run=run, state=JobState.QUEUED).exists()
    run = lifecycle.pause(run.pk, actor=SYSTEM)
    run = work(run) if run.state == RunState.PAUSING else run
    assert (run.state, ledger(run)) == (RunState.PAUSED, {"todo": 3})
    assert not Job.objects.filter(run=run, state=JobState.QUEUED).exists()
    run = work(lifecycle.resume(run.pk, actor=SYSTEM))
    assert (run.state, run.done) == (RunState.FINISHED, 3)


def test_a_file_of_which_nothing_can_be_made_is_failed_with_its_code(photo):
    bad = make_original(b"\xff\xd8\xff\xe0 not a picture at all")
    uploaded(photo)
    run = work(confirmed())
    assert (run.done, run.failed) == (1, 1)
    assert working.lines(run)[bad.pk] == ("failed", Job.objects.get(run=run, original=bad).code)
