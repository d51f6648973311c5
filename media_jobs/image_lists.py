"""Pages of a caller's images, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery

from media_jobs import selectors
from media_jobs.models import Derivative, Original, Tag
from media_jobs.states import DerivativeState, JobState


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which images. Each field narrows the choice, unless it is None or empty.

    states: of the newest job. tags: all of them. before, after: moments of the upload, the first included, the second
    not. deleted: instead of those that are there, those that can be restored.
    """

    states: Sequence[JobState] = ()
    tags: Sequence[str] = ()
    after: datetime | None = None
    before: datetime | None = None
    sha256: str = ""
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some images, each with `latest_state` of its newest job. following: the cursor of the next page, if any."""

    images: list[Original]
    following: UUID | None


def page(owner: str, wanted: Wanted, *, cursor: UUID | None, size: int) -> Page:
    """Return at most `size` images of `owner`, those after `cursor`; each once, whatever comes or goes meanwhile."""
    rows = _wanted(owner, wanted)
    if cursor:
        rows = rows.filter(pk__lt=cursor)
    found = list(_loaded(rows.order_by("-id"))[: size + 1])
    return Page(found[:size], found[size - 1].pk if len(found) > size else None)


def _wanted(owner: str, wanted: Wanted) -> QuerySet[Original]:
    rows = selectors.restorable() if wanted.deleted else selectors.there()
    rows = rows.filter(owner=owner)
    if wanted.states:
        newer = selectors.telling_jobs().filter(original=OuterRef("original"), id__gt=OuterRef("id"))
        latest = selectors.telling_jobs().filter(~Exists(newer), original=OuterRef("pk"), state__in=wanted.states)
        rows = rows.filter(Exists(latest))
    for tag in wanted.tags:
        rows = rows.filter(Exists(Tag.objects.filter(original=OuterRef("pk"), name=tag)))
    if wanted.after:
        rows = rows.filter(created_at__gte=wanted.after)
    if wanted.before:
        rows = rows.filter(created_at__lt=wanted.before)
    return rows.filter(sha256=wanted.sha256) if wanted.sha256 else rows


def _loaded(rows: QuerySet[Original]) -> QuerySet[Original]:
    """With all that is said of them: four statements, however many they are."""
    newest = selectors.telling_jobs().filter(original=OuterRef("pk")).order_by("-id")
    current = Derivative.objects.filter(state=DerivativeState.CURRENT).select_related("preset")
    current = current.prefetch_related("preset__renditions").order_by("preset_name", "-width_px", "rendition")
    pictures = Prefetch("derivatives", queryset=current, to_attr="pictures")
    return rows.annotate(latest_state=Subquery(newest.values("state")[:1])).prefetch_related(pictures, "tags")
