"""What people do with runs. A run changes by one conditional update; losing is WrongState."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs import selectors
from media_jobs.callers import Caller
from media_jobs.errors import BadRequest
from media_jobs.models import Original, Preset, ReprocessRun, RunListedImage
from media_jobs.services import changes
from media_jobs.services.runs import driving, estimating, moves, rate
from media_jobs.services.runs.selection import Selection
from media_jobs.states import RunBy, RunState

log = structlog.get_logger(__name__)

#: Ids are stored so many at a time.
_BATCH = 5_000
_ALL = Selection()


def create(
    *,
    owner: Caller,
    preset: str,
    renditions: Sequence[str] = (),
    selection: Selection = _ALL,
    images_of: str = "",
    image_ids: Iterable[UUID] | None = None,
    note: str = "",
    by: RunBy = RunBy.WORKERS,
    rate_per_minute: int | None = None,
    quiet_hours: str | None = None,
    failure_limit: int | None = None,
) -> ReprocessRun:
    """Describe a run and estimate it; nothing is done before `confirm`.

    renditions: names of the preset's current version, all by default. images_of: only images of this caller.
    image_ids: only these; read once, and they may be very many. quiet_hours, failure_limit: the settings' by default.
    Raises UnknownPreset, BadRequest.
    """
    version, wanted = wanted_of(preset, renditions)
    hours = settings.RUN_QUIET_HOURS if quiet_hours is None else quiet_hours
    if hours:
        rate.parse_hours(hours)
    if image_ids is not None:
        selection = Selection.from_json({**selection.to_json(), "listed": True})
    with transaction.atomic():
        run = ReprocessRun.objects.create(
            owner=owner.id,
            images_of=images_of,
            note=note,
            preset=version,
            wanted=wanted,
            selection=selection.to_json(),
            by=by,
            rate_per_minute=rate_per_minute,
            quiet_hours=hours,
            failure_limit=settings.RUN_FAILURE_LIMIT if failure_limit is None else failure_limit,
        )
        for ids in _pages(image_ids or ()):
            rows = (RunListedImage(run=run, image=image) for image in ids)
            RunListedImage.objects.bulk_create(rows, ignore_conflicts=True)
        changes.record(run, "described", actor=owner, after={"preset": str(version), "selection": run.selection})
    estimate(run)
    return run


def wanted_of(preset: str, renditions: Sequence[str]) -> tuple[Preset, list[str]]:
    """Return the preset's current version, and those of its renditions, all by default. Raises as `create`."""
    version = selectors.current_preset(preset)
    known = [rendition.name for rendition in version.renditions.all()]
    if unknown := set(renditions) - set(known):
        raise BadRequest(f"{preset} has no rendition {', '.join(sorted(unknown))}; it has {', '.join(known)}.")
    return version, [name for name in known if name in renditions or not renditions]


def estimate(run: ReprocessRun) -> estimating.Estimate:
    """Estimate the run anew, as of now, and store that with it while it is a draft."""
    found = estimating.estimate(run)
    run.estimate = found.to_json()
    ReprocessRun.objects.filter(pk=run.pk, state=RunState.DRAFT).update(estimate=run.estimate)
    return found


def confirm(run_id: UUID, *, actor: Caller, worker: str = "") -> ReprocessRun:
    """Freeze the set and begin: the first page of the ledger is written, and the first jobs are queued.

    worker: the command that works on it, and holds it as long as it calls `driving.drive` under this name. Raises
    WrongState, ReprocessRun.DoesNotExist.
    """
    newest = Original.objects.order_by("-pk").values_list("pk", flat=True).first()
    to: dict[str, Any] = {"last_image": newest, "confirmed_at": Now(), **moves.held(worker)}
    return _drive_now(_move(run_id, RunState.RUNNING, actor, only=Q(state=RunState.DRAFT), **to))


def pause(run_id: UUID, *, actor: Caller, code: str = "", detail: str = "") -> ReprocessRun:
    """Begin nothing more. It is `paused` once what is in work has ended. Raises WrongState."""
    if moves.read(run_id).state in (RunState.PAUSING, RunState.PAUSED):
        return moves.read(run_id)
    return _drive_now(_move(run_id, RunState.PAUSING, actor, code=code, detail=detail or f"By {actor.id}."))


def resume(run_id: UUID, *, actor: Caller, worker: str = "", by: RunBy | None = None) -> ReprocessRun:
    """Go on where it was. Raises WrongState.

    worker: the command that works on it from now on, as for `confirm`; by default the workers of the service do.
    """
    to: dict[str, Any] = {"recent_done": 0, "recent_failed": 0, "throttled_until": None, "throttle_s": 0}
    by = by or (RunBy.COMMAND if worker else RunBy.WORKERS)
    to |= {"by": by, "worker": "", "lease_until": None, **moves.held(worker)}
    stopped = Q(state__in=[RunState.PAUSING, RunState.PAUSED, RunState.INTERRUPTED])
    return _drive_now(_move(run_id, RunState.RUNNING, actor, only=stopped, **to))


def cancel(run_id: UUID, *, actor: Caller) -> ReprocessRun:
    """Stop for good. What is done stays, until it is rolled back; what is left is skipped. Raises WrongState."""
    run = moves.read(run_id)
    if run.state in (RunState.CANCELLING, RunState.CANCELLED):
        return run
    if run.state == RunState.DRAFT:
        return _move(run_id, RunState.CANCELLED, actor, detail=f"By {actor.id}.", ended_at=Now())
    return _drive_now(_move(run_id, RunState.CANCELLING, actor, detail=f"By {actor.id}."))


def accept(run_id: UUID, *, actor: Caller) -> ReprocessRun:
    """Say that what it made is good: what it replaced is removed once caches cannot ask for it any more."""
    return _move(run_id, RunState.ACCEPTED, actor, detail=f"By {actor.id}.", accepted_at=Now())


def roll_back(run_id: UUID, *, actor: Caller) -> ReprocessRun:
    """Take it back: image by image the derivatives of before become current again. Raises WrongState."""
    return _drive_now(_move(run_id, RunState.ROLLING_BACK, actor, detail=f"By {actor.id}."))


def _move(run_id: UUID, target: RunState, actor: Caller, *, only: Q | None = None, **to: Any) -> ReprocessRun:
    """Raises WrongState, ReprocessRun.DoesNotExist."""
    with transaction.atomic():
        before = str(moves.read(run_id).state)
        run = moves.move(run_id, target, only=only, **to)
        changes.record(run, "moved", actor=actor, before={"state": before}, after={"state": str(target)})
    log.info("run_moved", run=str(run_id), to=str(target), actor=actor.id)
    return run


def _pages(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    iterator = iter(ids)
    while page := list(islice(iterator, _BATCH)):
        yield page


def _drive_now(run: ReprocessRun) -> ReprocessRun:
    """Give it its next turn now. A worker would within seconds; so the answer says what came of it."""
    driving.drive(run.pk, run.worker if run.by == RunBy.COMMAND and run.worker else driving.name())
    return moves.read(run.pk)
