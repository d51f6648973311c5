"""Runs and their images for tests, and somebody who works on them in this thread."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from media_jobs.callers import SYSTEM
from media_jobs.models import Derivative, Job, Original, ReprocessRun, RunItem
from media_jobs.services.jobs import processing
from media_jobs.services.jobs import worker as workers
from media_jobs.services.runs import driving, lifecycle, moves
from media_jobs.services.runs.selection import Selection
from media_jobs.states import DerivativeState, Lane, RunItemState
from tests import working
from tests.factories import make_job, make_original

DRIVER = "test-driver"


def uploaded(content: bytes, **fields: Any) -> Original:
    """An original whose first job is over."""
    original = make_original(content, **fields)
    working.run(make_job(original).pk)
    original.refresh_from_db()
    return original


def make_run(preset: str = "gallformers", **fields: Any) -> ReprocessRun:
    """A draft over the chosen images: all of them by default."""
    chosen = {name: fields.pop(name) for name in Selection.__slots__ if name in fields}
    return lifecycle.create(owner=SYSTEM, preset=preset, selection=Selection(**chosen), **fields)


def confirmed(**fields: Any) -> ReprocessRun:
    return lifecycle.confirm(make_run(**fields).pk, actor=SYSTEM)


def work(run: ReprocessRun, *, turns: int = 100) -> ReprocessRun:
    """Drive the run and do its jobs, until there is nothing to drive any more."""
    for _ in turns_of(run, turns=turns):
        pass
    return moves.read(run.pk)


def turns_of(run: ReprocessRun, *, turns: int = 100) -> Iterator[ReprocessRun]:
    for _ in range(turns):
        now = drive(run)
        yield now
        if now.state not in driving.ACTIVE:
            return
        for lane in Lane:
            while processing.process_next(lane, workers.current()):
                pass
    raise AssertionError(f"the run goes on for ever: {moves.read(run.pk).state}")


def drive(run: ReprocessRun) -> ReprocessRun:
    """One turn, whoever held the run before."""
    ReprocessRun.objects.filter(pk=run.pk, by="workers").update(lease_until=None)
    driving.drive(run.pk, DRIVER)
    return moves.read(run.pk)


def ledger(run: ReprocessRun) -> dict[str, int]:
    """How many images of the run are in each state, as the lines say."""
    states = list(run.items.values_list("state", flat=True))
    return {state.value: states.count(state) for state in RunItemState if state in states}


def lines(run: ReprocessRun) -> dict[Any, tuple[str, str]]:
    """State and code of each image of the run."""
    return {item.original_id: (item.state, item.code) for item in RunItem.objects.filter(run=run)}


def current(original: Original) -> dict[str, Derivative]:
    made = Derivative.objects.filter(original=original, state=DerivativeState.CURRENT)
    return {row.rendition: row for row in made}


def rows(original: Original) -> list[dict[str, Any]]:
    """All that the database says of the image's derivatives, those of former runs included."""
    found: QuerySet[Derivative, Any] = Derivative.objects.filter(original=original).order_by("id").values()
    return list(found)


def jobs(run: ReprocessRun) -> list[Job]:
    return list(Job.objects.filter(run=run).order_by("id"))
