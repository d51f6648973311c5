"""What must never be, the database itself refuses."""

import pytest
from django.db import IntegrityError, transaction

from media_jobs.models import Derivative, Job, JobEvent, Original, Preset
from media_jobs.states import MOVES, DerivativeState, JobState, OriginalState, may_become
from tests.factories import make_derivative, make_job, make_original

pytestmark = pytest.mark.django_db


def refused(change) -> bool:
    try:
        with transaction.atomic():
            change()
    except IntegrityError:
        return True
    return False


def test_a_state_that_does_not_exist():
    make_job()
    assert refused(lambda: Job.objects.update(state="almost"))
    assert refused(lambda: Original.objects.update(state="almost"))


def test_processing_without_a_lease():
    make_job()
    assert refused(lambda: Job.objects.update(state=JobState.PROCESSING))


def test_failing_without_a_code():
    make_job()
    assert refused(lambda: Job.objects.update(state=JobState.FAILED))


def test_an_active_original_without_bytes():
    make_original(stored=False)
    assert refused(lambda: Original.objects.update(size_bytes=0))
    assert refused(lambda: Original.objects.update(state=OriginalState.ACTIVE, sha256=""))


def test_two_current_derivatives_of_one_rendition():
    job = make_job()
    make_derivative(job, content=b"a", state=DerivativeState.CURRENT)
    assert refused(lambda: make_derivative(job, content=b"b", state=DerivativeState.CURRENT))


def test_an_empty_derivative():
    make_derivative(make_job())
    assert refused(lambda: Derivative.objects.update(size_bytes=0))


def test_one_event_number_twice():
    job = make_job()
    assert refused(lambda: JobEvent.objects.create(job=job, number=1, type="queued", actor="x"))


def test_two_current_versions_of_a_preset():
    assert refused(lambda: Preset.objects.create(name="gallformers", version=2, current=True))


def test_every_state_has_its_moves():
    assert set(MOVES) == set(JobState)
    assert may_become(JobState.QUEUED) == [JobState.PROCESSING, JobState.FAILED, JobState.CANCELLED]
