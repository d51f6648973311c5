"""Whether a derivative is what a run would make now, and why not: all in SQL, without looking at a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Count, F, FilteredRelation, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from media_jobs.models import Derivative, EngineVersion, Preset
from media_jobs.states import DerivativeState, Staleness


@dataclass(frozen=True, slots=True)
class StaleCounts:
    """How many current derivatives there are that presets still name, how many of them are stale, and why.

    One may be stale for several reasons.
    """

    current: int
    stale: int
    because: dict[Staleness, int]


def current_engine() -> str:
    """Return the version of the imaging engine that was seen last; empty before the first picture."""
    return EngineVersion.objects.order_by("-seen_at").values_list("name", flat=True).first() or ""


def reasons(presets: Iterable[Preset], engine: str, *, original: str = "original") -> dict[Staleness, Q]:
    """Return for each reason the condition on a derivative that it is stale for it.

    presets: the versions to compare with, each with its renditions; only derivatives of their names are meant.
    engine: the version of the engine to compare with; empty: nothing is stale for it.
    original: by what name the query joins the original; one that is not joined has neither overrides nor rights.
    """
    fresh = [Q(preset=pk, rendition__in=names) for pk, names in _fresh(presets).items()]
    never = Q(pk__in=[])
    return {
        Staleness.RECIPE: ~reduce(or_, fresh, never),
        Staleness.ENGINE: ~Q(engine=engine) if engine else never,
        Staleness.OVERRIDES: ~Q(overrides_digest=Coalesce(F(f"{original}__overrides_digest"), Value(""))),
        Staleness.RIGHTS: ~Q(rights_digest=Coalesce(F(f"{original}__rights_digest"), Value(""))),
    }


def makeable(presets: Iterable[Preset]) -> QuerySet[Derivative]:
    """Return the current derivatives whose rendition these versions of presets still have."""
    named = [
        Q(preset_name=preset.name, rendition__in=[rendition.name for rendition in preset.renditions.all()])
        for preset in presets
    ]
    return Derivative.objects.filter(reduce(or_, named, Q(pk__in=[])), state=DerivativeState.CURRENT)


def count(owner: str = "") -> StaleCounts:
    """Count what is stale under the current versions of all presets, by one query over the derivatives.

    owner: of images of this caller; empty: of all.
    """
    presets = list(Preset.objects.filter(current=True).prefetch_related("renditions"))
    why = reasons(presets, current_engine(), original="_special")
    # Most originals have neither overrides nor rights: only the others are joined.
    special = ~Q(original__overrides_digest="") | ~Q(original__rights_digest="")
    rows = makeable(presets).annotate(_special=FilteredRelation("original", condition=special))
    counts = (rows.filter(original__owner=owner) if owner else rows).aggregate(
        current=Count("*"),
        stale=Count("rendition", filter=reduce(or_, why.values())),
        **{reason.value: Count("rendition", filter=condition) for reason, condition in why.items()},
    )
    return StaleCounts(counts["current"], counts["stale"], {reason: counts[reason.value] for reason in Staleness})


def _fresh(presets: Iterable[Preset]) -> dict[object, list[str]]:
    """Return by the id of each version of these presets the renditions of which it says what the given one says."""
    fresh: dict[object, list[str]] = {}
    for preset in presets:
        now = {rendition.name: rendition.recipe() for rendition in preset.renditions.all()}
        for version in Preset.objects.filter(name=preset.name).prefetch_related("renditions"):
            same = [r.name for r in version.renditions.all() if now.get(r.name) == r.recipe()]
            if same:
                fresh[version.pk] = same
    return fresh
