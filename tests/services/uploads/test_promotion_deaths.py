"""Wherever a worker dies or freezes while it makes an original of an upload, the next one goes on from there."""

import pytest

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import UploadMissing
from media_jobs.models import DirectUpload, Job, Original
from media_jobs.services.jobs.attempt import Attempt
from media_jobs.services.uploads import promotion
from media_jobs.services.uploads.promotion import promote_upload
from media_jobs.states import JobState, OriginalState
from tests import working
from tests.forms import send
from tests.services.housekeeping.helpers import ago, do, objects
from tests.services.jobs.threads import Gate, at_work, decoders_of_threads
from tests.services.uploads.promoting import (
    OTHER,
    PHOTO,
    Dead,
    after,
    assert_done,
    die,
    housekeep,
    lose,
    put,
    uploaded,
    work,
)
from tests.working import named

#: `make test-all` runs them.
pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("each_storage")]

STEPS = ["_arrived", "_pin", "_keep", "_activate"]


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_dies_after_any_step_leaves_what_the_next_one_goes_on_from(step, tmp_path, monkeypatch):
    _, job = uploaded()
    after(monkeypatch, step, die)
    with pytest.raises(Dead):
        work(job)
    lose(job)
    assert_done(work(job), PHOTO, tmp_path)
    housekeep()
    assert_done(job, PHOTO, tmp_path)
    assert not any(key.startswith("uploads/") for key in objects())
    assert not DirectUpload.objects.exists()


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_dies_and_a_form_that_is_used_again_never_mix(step, tmp_path, monkeypatch):
    """Whatever was pinned stays; before that, the later file counts."""
    opened, job = uploaded()
    after(monkeypatch, step, die)
    with pytest.raises(Dead):
        work(job)
    lose(job)
    send(opened.form, OTHER)
    job = work(job)
    if step == "_pin":  # nobody has its bytes any more
        assert (job.state, job.code) == (JobState.FAILED, "upload_changed")
        assert [key for key in objects() if not key.startswith("uploads/")] == []
    else:
        assert_done(job, OTHER if step == "_arrived" else PHOTO, tmp_path)


def test_what_was_stored_before_its_worker_died_needs_no_upload_any_more(tmp_path, monkeypatch):
    opened, job = uploaded()
    after(monkeypatch, "_keep", die)
    with pytest.raises(Dead):
        work(job)
    store(Role.WORKER).delete(opened.upload.key)
    lose(job)
    assert_done(work(job), PHOTO, tmp_path)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_frozen_worker_that_goes_on_late_harms_nobody(step, tmp_path, monkeypatch):
    """Another one has its job meanwhile, and has come to the end of it."""
    gate = Gate()
    _, job = uploaded()
    with decoders_of_threads(monkeypatch):
        with monkeypatch.context() as patched:
            after(patched, step, gate.pass_through)
            frozen = at_work(job.pk)
            gate.wait_for_arrival()
            lose(job)
        work(job)
        gate.open()
        frozen.ended()
    assert_done(job, PHOTO, tmp_path)
    assert [event.type for event in job.events.all()].count("done") == 1


@pytest.mark.django_db(transaction=True)
def test_a_winner_whose_upload_the_frozen_one_took_away_finds_what_that_has_made_of_it(tmp_path, monkeypatch):
    """The second one has read the row before the first, thought dead, comes to its end."""
    _, job = uploaded()
    stale = Original.objects.get()
    frozen = working.claim(job.pk, "frozen")
    attempt = Attempt(frozen, named("frozen"))
    promote_upload(frozen.original, tmp_path / "frozen", lease=attempt.lease, heartbeat=attempt.heartbeat)
    lose(job)
    taken = working.claim(job.pk, "second")
    attempt = Attempt(taken, named("second"))
    promote_upload(stale, tmp_path / "second", lease=attempt.lease, heartbeat=attempt.heartbeat)
    assert (tmp_path / "second").read_bytes() == PHOTO
    assert (stale.state, stale.size_bytes) == (OriginalState.ACTIVE, len(PHOTO))


def test_who_comes_after_it_was_given_up_leaves_nothing(tmp_path):
    _, job = uploaded()
    taken = working.claim(job.pk, "frozen")
    attempt = Attempt(taken, named("frozen"))
    late = promotion._Promotion(taken.original, tmp_path / "late", attempt.lease, attempt.heartbeat)
    late._keep(late._arrived(DirectUpload.objects.get()))
    Job.objects.update(state=JobState.CANCELLED, lease_until=None, finished_at=ago(days=8))
    DirectUpload.objects.update(created_at=ago(days=8))
    do("staging")
    put(taken.original.key, PHOTO)  # it was still at it
    with pytest.raises(UploadMissing):
        late._activate()
    assert objects() == []
