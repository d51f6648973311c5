"""What must never be, the database itself refuses."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from media_jobs.models import Derivative, Job, JobEvent, Original, Preset, Rendition
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


def originals() -> QuerySet[Original]:
    """Without the care that `Original.objects` takes: the database is asked."""
    return QuerySet(Original)


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


@pytest.mark.parametrize(
    "columns",
    [
        {"rotation": 45},
        {"orientation": 9},
        {"orientation": 0},
        {"focus_x": 0.5},
        {"focus_y": 0.5},
        {"focus_x": 1.1, "focus_y": 0.5},
        {"focus_x": 0.5, "focus_y": -0.1},
        {"focus_x": float("nan"), "focus_y": 0.5},
    ],
)
def test_an_original_seen_in_a_way_that_does_not_exist(columns):
    make_original(stored=False)
    assert refused(lambda: originals().update(**columns))


@pytest.mark.parametrize("columns", [{"rotation": 270}, {"orientation": 8}, {"focus_x": 0, "focus_y": 1}])
def test_an_original_seen_in_a_way_that_does_exist(columns):
    make_original(stored=False)
    assert not refused(lambda: originals().update(**columns))


@pytest.mark.parametrize(
    "columns",
    [{"crop": "left"}, {"chroma": "4:1:1"}, {"effort": 10}, {"fit": "stretch"}, {"format": "svg"}, {"quality": 0}],
)
def test_a_rendition_that_cannot_be_made(columns):
    assert refused(lambda: Rendition.objects.update(**columns))


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
    assert may_become(JobState.QUEUED) == [
        JobState.PROCESSING,
        JobState.FAILED,
        JobState.CANCELLED,
        JobState.DONE,
    ]
