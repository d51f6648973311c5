"""Pages of pictures by a filter.

Each costs the same among a hundred and a million: it begins where the last one ended, and nothing counts them all.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.fields.json import KT

from media_jobs import selectors, staleness
from media_jobs.library import search
from media_jobs.library.filters import SIZES, Filter, Shown, Sort
from media_jobs.library.source_types import BY_AI
from media_jobs.models import Derivative, Job, Original, Preset, Tag
from media_jobs.states import DerivativeState, JobState

#: The field and the direction of each order; the id decides between equals.
_ORDERS = {
    Sort.NEWEST: ("", "-"),
    Sort.OLDEST: ("", ""),
    Sort.NAME: ("filename", ""),
    Sort.LARGEST: ("size_bytes", "-"),
}
_STATES = {Shown.FAILED: (JobState.FAILED,), Shown.CANCELLED: (JobState.CANCELLED,)}
_OPEN = (JobState.QUEUED, JobState.PROCESSING)


@dataclass(frozen=True, slots=True)
class Page:
    """Some pictures, each `loaded`. following: the cursor of the next page, empty after the last one."""

    pictures: list[Original]
    following: str


def matching(wanted: Filter) -> QuerySet[Original]:
    """Return the pictures that a filter means, in no order."""
    rows = selectors.restorable() if wanted.deleted else selectors.there()
    rows = _by_state(rows, wanted.state) if wanted.state else rows
    after, before = wanted.uploaded()
    plain: dict[str, Any] = {
        "created_at__gte": after,
        "created_at__lt": before,
        "owner": wanted.owner,
        "format__in": wanted.formats() if wanted.format else None,
    }
    rows = rows.filter(**{name: value for name, value in plain.items() if value})
    if wanted.preset:
        of_preset = Preset.objects.filter(name=wanted.preset).values("pk")
        rows = rows.filter(Exists(Job.objects.filter(original=OuterRef("pk"), preset__in=of_preset)))
    if wanted.tag:
        rows = rows.filter(Exists(Tag.objects.filter(original=OuterRef("pk"), name=wanted.tag)))
    if wanted.size:
        least, most = SIZES[wanted.size]
        rows = rows.filter(size_bytes__gte=least) if least else rows
        rows = rows.filter(size_bytes__lt=most) if most else rows
    if wanted.camera:
        rows = rows.filter(
            Q(metadata__cameraModel__icontains=wanted.camera) | Q(metadata__cameraMake__icontains=wanted.camera)
        )
    if wanted.licence:
        rows = rows.filter(licence__icontains=wanted.licence)
    if wanted.no_licence:
        rows = rows.filter(licence="")
    if wanted.no_credit:
        rows = rows.filter(creator="", credit="", copyright="")
    if wanted.ai:
        rows = rows.filter(digital_source_type__in=BY_AI)
    if wanted.stale:
        rows = rows.filter(_has_stale())
    return _by_words(rows, wanted.q) if wanted.q else rows


def page(wanted: Filter, *, cursor: str, size: int) -> Page:
    """Return `size` pictures at most, those after `cursor`; a cursor that says nothing begins at the first."""
    field, direction = _ORDERS[Sort(wanted.sort)]
    rows = matching(wanted)
    place = _read(cursor, field)
    if place:
        rows = rows.filter(_after(field, direction, place))
    order = [f"{direction}{field}", f"{direction}id"] if field else [f"{direction}id"]
    found = list(loaded(rows.order_by(*order))[: size + 1])
    following = _cursor(found[size - 1], field) if len(found) > size else ""
    return Page(found[:size], following)


def count(wanted: Filter, *, at_most: int) -> int:
    """Return how many pictures a filter means; stops counting at `at_most`."""
    if wanted.state in _STATES and wanted == Filter(state=wanted.state):  # few jobs, among many pictures
        jobs = _newest(_STATES[Shown(wanted.state)])
        jobs = jobs.filter(original__state__in=selectors.THERE, original__deleted_at=None)
        return jobs.order_by("-id").values("pk")[:at_most].count()
    return matching(wanted).order_by("-id").values("pk")[:at_most].count()


def loaded(rows: QuerySet[Original]) -> QuerySet[Original]:
    """Add what the newest job says as `latest_…`, and the current web versions, their key and size, as `pictures`."""
    newest = selectors.telling_jobs().filter(original=OuterRef("pk")).order_by("-id")
    current = Derivative.objects.filter(state=DerivativeState.CURRENT).order_by("-width_px", "-height_px", "id")
    current = current.only("original", "key", "rendition", "width_px", "height_px")  # hundreds are read for a page
    latest = {f"latest_{name}": Subquery(newest.values(name)[:1]) for name in ("state", "code", "detail")}
    return rows.annotate(**latest).prefetch_related(Prefetch("derivatives", queryset=current, to_attr="pictures"))


def cameras(at_most: int = 30) -> list[str]:
    """Return the cameras of the newest pictures, to be chosen from."""
    newest = Original.objects.order_by("-id").annotate(model=KT("metadata__cameraModel"))[:500]
    return sorted({model for model in newest.values_list("model", flat=True) if model}, key=str.lower)[:at_most]


def tags(at_most: int = 50) -> list[str]:
    """Return tags of the newest pictures, to be chosen from."""
    newest = Tag.objects.order_by("-original")[:1000].values_list("name", flat=True)
    return sorted(set(newest), key=str.lower)[:at_most]


def _by_state(rows: QuerySet[Original], state: str) -> QuerySet[Original]:
    jobs = selectors.telling_jobs()
    if state == Shown.NO_JOB:
        return rows.filter(~Exists(jobs.filter(original=OuterRef("pk"))))
    if state == Shown.DONE:  # nearly all are: those that are not are left out, one by one
        return rows.filter(Exists(_newest((JobState.DONE,)).filter(original=OuterRef("pk"))))
    if state == Shown.WAITING:
        return rows.filter(pk__in=jobs.filter(state__in=_OPEN).values("original"))
    return rows.filter(pk__in=_newest(_STATES[Shown(state)]).values("original"))


def _newest(states: Collection[JobState]) -> QuerySet[Job]:
    """Return the jobs in these states that say how their picture is: at most one of each."""
    jobs = selectors.telling_jobs()
    newer = jobs.filter(original=OuterRef("original"), id__gt=OuterRef("id"))
    return jobs.filter(~Exists(newer), state__in=states)


def _has_stale() -> Exists:
    presets = list(Preset.objects.filter(current=True).prefetch_related("renditions"))
    named = Q(pk__in=[])
    for preset in presets:
        named |= Q(preset_name=preset.name, rendition__in=[r.name for r in preset.renditions.all()])
    why = staleness.reasons(presets, staleness.current_engine())
    stale = Q(pk__in=[])
    for condition in why.values():
        stale |= condition
    current = Derivative.objects.filter(named, original=OuterRef("pk"), state=DerivativeState.CURRENT)
    return Exists(current.filter(stale))


def _by_words(rows: QuerySet[Original], q: str) -> QuerySet[Original]:
    by_number = search.by_number(q, ("pk",), ("sha256",))
    if by_number is not None and Original.objects.filter(by_number).exists():
        return rows.filter(by_number)
    named = Q(*(Q(filename__icontains=word) for word in q.split()))
    tagged = Q(Exists(Tag.objects.filter(Q(original=OuterRef("pk")), name=q)))
    return rows.filter(named | tagged | Q(creator__icontains=q) | Q(credit__icontains=q))


def _after(field: str, direction: str, place: tuple[Any, UUID]) -> Q:
    further = "lt" if direction else "gt"
    value, pk = place
    if not field:
        return Q(**{f"pk__{further}": pk})
    return Q(**{f"{field}__{further}": value}) | Q(**{field: value, f"pk__{further}": pk})


def _cursor(last: Original, field: str) -> str:
    value = getattr(last, field) if field else None
    return urlsafe_b64encode(json.dumps([value, str(last.pk)]).encode()).decode().rstrip("=")


def _read(cursor: str, field: str) -> tuple[Any, UUID] | None:
    """Return the place of a cursor of this order; None for all else."""
    try:
        value, pk = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        kind = {"filename": str, "size_bytes": int}.get(field)
        fits = value is None if kind is None else type(value) is kind and "\0" not in str(value)
        str(value).encode()  # half of a character is none
        return (value, UUID(pk)) if fits else None
    except (ValueError, TypeError, AttributeError, Base64Error, RecursionError):
        return None
