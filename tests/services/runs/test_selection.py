"""Which images a run is about, and what of each is made."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from media_jobs.callers import SYSTEM
from media_jobs.errors import BadRequest, UnknownPreset
from media_jobs.models import Derivative, Job, Original, ReprocessRun
from media_jobs.services.images import deletion, editing, tagging
from media_jobs.services.runs import selection
from media_jobs.states import DerivativeState, JobState, Staleness
from tests.factories import make_derivative, make_job, make_original
from tests.services.runs.working import make_run

pytestmark = pytest.mark.django_db


def image(
    *, made: tuple[str, ...] = ("full", "medium", "small", "thumb"), state: str = "done", **fields: Any
) -> Original:
    """An image whose first job made these renditions."""
    original = make_original(stored=False, **fields)
    job = make_job(original, state=state, **({"code": "undecodable"} if state == JobState.FAILED else {}))
    for name in made:
        make_derivative(job, name, content=f"{original.pk}{name}".encode(), state=DerivativeState.CURRENT)
    return original


def chosen(run: ReprocessRun) -> set[Any]:
    return set(selection.images(run).values_list("pk", flat=True))


def of(**selected: Any) -> set[Any]:
    return chosen(make_run(**selected))


def test_without_a_filter_all_images_are_meant_that_are_there():
    there, deleted = image(), image()
    deletion.delete(deleted.pk, actor=SYSTEM)
    assert of() == {there.pk}


def test_by_prefix_tags_dates_and_owner():
    first = image(key="gall/one.jpg", owner="key:a")
    other = image(owner="key:b")
    tagging.add(first, ("oak", "leaf"))
    tagging.add(other, ("oak",))
    Original.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=2))
    yesterday = timezone.now() - timedelta(days=1)
    assert of(prefix="gall/") == {first.pk}
    assert of(prefix="originals/") == {other.pk}
    assert of(tags=("oak", "leaf")) == {first.pk}
    assert of(before=yesterday) == {first.pk}
    assert of(after=yesterday) == {other.pk}
    assert of(images_of="key:b") == {other.pk}


def test_by_ids_of_which_some_are_of_no_image():
    first, _ = image(), image()
    assert of(image_ids=[first.pk, first.pk, uuid4()]) == {first.pk}
    assert of(image_ids=[]) == set()


def test_by_state_of_the_newest_job_leaving_unfinished_runs_aside():
    failed, good = image(state="failed", made=()), image()
    run = make_run()
    Job.objects.filter(pk=make_job(good).pk).update(run=run, state=JobState.FAILED, code="undecodable")
    assert of(states=(JobState.FAILED,)) == {failed.pk}
    assert of(states=(JobState.DONE,)) == {good.pk}


def test_missing_only_means_what_has_not_every_wanted_rendition():
    whole, part, nothing = image(), image(made=("full", "thumb")), image(made=())
    run = make_run(missing=True)
    assert chosen(run) == {part.pk, nothing.pk}
    assert chosen(make_run(missing=True, renditions=["thumb"])) == {nothing.pk}
    assert selection.to_make(run, [whole.pk, part.pk]) == {whole.pk: [], part.pk: ["medium", "small"]}


def test_stale_only_means_what_would_become_another_file():
    fresh, restated, half = image(), image(), image()
    editing.change(restated.pk, actor=SYSTEM, rights={"creator": "Ada"})
    Derivative.objects.filter(original=half, rendition="small").update(rights_digest="x")
    run = make_run(stale=tuple(Staleness))
    assert chosen(run) == {restated.pk, half.pk}
    assert selection.to_make(run, [fresh.pk, half.pk]) == {fresh.pk: [], half.pk: ["small"]}
    assert of(stale=(Staleness.ENGINE,)) == set()


def test_images_of_another_preset_are_left_alone_unless_asked_for():
    mine, jobless = image(), make_original(stored=False)
    other = make_original(stored=False)
    make_job(other, preset="ingest", state=JobState.DONE)
    assert of() == {mine.pk, jobless.pk}
    assert of(any_preset=True) == {mine.pk, jobless.pk, other.pk}
    assert of(preset="ingest") == {other.pk, jobless.pk}


def test_what_is_asked_for_wrongly_is_refused_and_named():
    with pytest.raises(UnknownPreset):
        make_run("no-such-preset")
    with pytest.raises(BadRequest, match="has no rendition huge; it has full, medium, small, thumb"):
        make_run(renditions=["huge", "thumb"])
    with pytest.raises(BadRequest, match="look like 08:00-18:00"):
        make_run(quiet_hours="at night")


def test_a_selection_reads_as_it_was_written():
    said = selection.Selection(
        prefix="a/", states=(JobState.DONE,), tags=("x",), after=timezone.now(), missing=True, stale=(Staleness.RIGHTS,)
    )
    assert selection.Selection.from_json(said.to_json()) == said
    assert selection.Selection().to_json() == {}
