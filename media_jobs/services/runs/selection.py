"""Which images a run is about, and what of each is to be made."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Self
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from media_jobs import selectors, staleness
from media_jobs.models import Derivative, Job, Original, Preset, ReprocessRun, RunListedImage, Tag
from media_jobs.states import DerivativeState, JobState, OriginalState, Staleness


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images. Each field narrows the choice, unless it is empty or False.

    prefix: of the original's key. states: of the newest job that was no run's, or that a run finished. tags: all of
    them. after, before: moments of the upload, the first included, the second not. listed: those whose ids the run was
    given. missing, stale: images of which a wanted rendition is missing, or stale for one of the reasons; then only
    such renditions are made. any_preset: also images that were never meant for the run's preset. refused: also files of
    which this version of the engine is known to make nothing.
    """

    prefix: str = ""
    states: tuple[JobState, ...] = ()
    tags: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    listed: bool = False
    missing: bool = False
    stale: tuple[Staleness, ...] = ()
    any_preset: bool = False
    refused: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the fields that say something."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: _plain(value) for name, value in values.items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        read: dict[str, Any] = {
            "states": lambda words: tuple(map(JobState, words)),
            "stale": lambda words: tuple(map(Staleness, words)),
            "tags": tuple,
            "after": datetime.fromisoformat,
            "before": datetime.fromisoformat,
        }
        return cls(**{name: read.get(name, lambda value: value)(value) for name, value in data.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(map(str, value)) if isinstance(value, tuple) else value


def images(run: ReprocessRun) -> QuerySet[Original]:
    """Return the originals that the run is about, as of now, in no order."""
    return narrowed(run, candidates(run))


def candidates(run: ReprocessRun) -> QuerySet[Original]:
    """Return those whose rows say that they may be meant, whatever has been made of them."""
    chosen = Selection.from_json(run.selection)
    rows = Original.objects.filter(state=OriginalState.ACTIVE, deleted_at=None)
    if run.images_of:
        rows = rows.filter(owner=run.images_of)
    if chosen.prefix:
        rows = rows.filter(key__startswith=chosen.prefix)
    if chosen.after:
        rows = rows.filter(created_at__gte=chosen.after)
    if chosen.before:
        rows = rows.filter(created_at__lt=chosen.before)
    for tag in chosen.tags:
        rows = rows.filter(Exists(Tag.objects.filter(original=OuterRef("pk"), name=tag)))
    if chosen.listed:
        rows = rows.filter(Exists(RunListedImage.objects.filter(run=run, image=OuterRef("pk"))))
    return rows


def narrowed(run: ReprocessRun, rows: QuerySet[Original]) -> QuerySet[Original]:
    """Return those of `rows` that are meant by what has been made of them so far."""
    chosen = Selection.from_json(run.selection)
    if not chosen.any_preset and (other := _other_presets(run.preset)):
        of_preset = Job.objects.filter(original=OuterRef("pk"), preset__name=run.preset.name)
        of_others = Job.objects.filter(original=OuterRef("pk"), preset__in=other)
        rows = rows.filter(Exists(of_preset) | ~Exists(of_others))
    if chosen.states:
        newer = selectors.telling_jobs().filter(original=OuterRef("original"), id__gt=OuterRef("id"))
        latest = selectors.telling_jobs().filter(~Exists(newer), original=OuterRef("pk"), state__in=chosen.states)
        rows = rows.filter(Exists(latest))
    if not chosen.refused and (chosen.missing or chosen.stale) and (engine := staleness.current_engine()):
        rows = rows.exclude(refused_by=engine)
    wrong: list[Q] = []
    if chosen.missing:
        wrong += [Q(~Exists(_made(run).filter(rendition=name))) for name in run.wanted]
    if chosen.stale:
        wrong.append(Q(Exists(_made(run).filter(stale_for(run, chosen.stale), rendition__in=run.wanted))))
    return rows.filter(reduce(or_, wrong)) if wrong else rows


def stale_for(run: ReprocessRun, because: Collection[Staleness]) -> Q:
    """Return the condition on a derivative that the run would make another one, for one of these reasons."""
    why = staleness.reasons([run.preset], staleness.current_engine())
    return reduce(or_, (why[reason] for reason in because))


def to_make(run: ReprocessRun, originals: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return for each of these images which of the wanted renditions are to be made now, perhaps none.

    Without `missing` and `stale` that is all of them.
    """
    chosen = Selection.from_json(run.selection)
    if not (chosen.missing or chosen.stale):
        return {pk: list(run.wanted) for pk in originals}
    current = Derivative.objects.filter(
        original__in=originals, preset_name=run.preset.name, rendition__in=run.wanted, state=DerivativeState.CURRENT
    )
    there = set(current.values_list("original", "rendition"))
    stale = set()
    if chosen.stale:
        stale = set(current.filter(stale_for(run, chosen.stale)).values_list("original", "rendition"))
    return {
        pk: [
            name
            for name in run.wanted
            if (pk, name) in stale or (chosen.missing and (pk, name) not in there)
        ]
        for pk in originals
    }  # fmt: skip


def _made(run: ReprocessRun) -> QuerySet[Derivative]:
    return Derivative.objects.filter(
        original=OuterRef("pk"), preset_name=run.preset.name, state=DerivativeState.CURRENT
    )


def _other_presets(preset: Preset) -> list[Preset]:
    """Return the versions of other presets that any job was made with."""
    # One look into an index for each; in one statement PostgreSQL would read that of all jobs.
    others = Preset.objects.exclude(name=preset.name)
    return [other for other in others if Job.objects.filter(preset=other).order_by("preset_id").values("pk")[:1]]
