"""Whether a derivative is what a run would make now, and why not: all in SQL, without looking at a file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, UUIDField

from media_jobs.models import EngineVersion, Preset
from media_jobs.states import DerivativeState, Staleness

_PK: "UUIDField[UUID, UUID]" = UUIDField()


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


def reasons(presets: Iterable[Preset], engine: str) -> dict[Staleness, Q]:
    """Return for each reason the condition on a derivative that it is stale for it.

    presets: the versions to compare with, each with its renditions; only derivatives of their names are meant.
    engine: the version of the engine to compare with; empty: nothing is stale for it.
    """
    fresh = [Q(preset=pk, rendition__in=names) for pk, names in _fresh(presets).items()]
    never = Q(pk__in=[])
    return {
        Staleness.RECIPE: ~reduce(or_, fresh, never),
        Staleness.ENGINE: ~Q(engine=engine) if engine else never,
        Staleness.OVERRIDES: ~Q(overrides_digest=F("original__overrides_digest")),
        Staleness.RIGHTS: ~Q(rights_digest=F("original__rights_digest")),
    }


def count(owner: str = "") -> StaleCounts:
    """Count what is stale under the current versions of all presets, by one query over the derivatives.

    owner: of images of this caller; empty: of all.
    """
    presets = list(Preset.objects.filter(current=True).prefetch_related("renditions"))
    named, name_values = _either("d.preset_name", {p.name: [r.name for r in p.renditions.all()] for p in presets})
    fresh, fresh_values = _either("d.preset_id", _fresh(presets))
    engine = current_engine()
    of_owner = "JOIN media_jobs_original o ON o.id = d.original_id AND o.owner = %s" if owner else ""
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT.format(fresh=fresh, named=named, of_owner=of_owner),
            [*fresh_values, engine, engine, *([owner] if owner else []), DerivativeState.CURRENT.value, *name_values],
        )
        current, stale, *because = cursor.fetchone()
    return StaleCounts(current, stale, dict(zip(Staleness, because, strict=True)))


#: Most originals have neither overrides nor rights: only the others are joined, and outwards, which the ORM cannot do.
_COUNT = """
SELECT count(*), count(*) FILTER (WHERE recipe OR engine OR overrides OR rights), count(*) FILTER (WHERE recipe),
       count(*) FILTER (WHERE engine), count(*) FILTER (WHERE overrides), count(*) FILTER (WHERE rights)
FROM (
    SELECT NOT ({fresh}) AS recipe,
           d.engine <> %s AND %s <> '' AS engine,
           d.overrides_digest <> COALESCE(special.overrides_digest, '') AS overrides,
           d.rights_digest <> COALESCE(special.rights_digest, '') AS rights
    FROM media_jobs_derivative d {of_owner}
    LEFT JOIN media_jobs_original special
           ON special.id = d.original_id AND (NOT (special.overrides_digest = '') OR NOT (special.rights_digest = ''))
    WHERE d.state = %s AND ({named})
) compared
"""


def _either(column: str, renditions: Mapping[Any, Sequence[str]]) -> tuple[str, list[Any]]:
    """Return as SQL that `column` is a key and the rendition among its names, for any of them; and the values."""
    parts, values = ["1 = 0"], []
    for key, names in renditions.items():
        parts.append(f"({column} = %s AND d.rendition IN ({', '.join(['%s'] * len(names))}))")
        values += [_PK.get_db_prep_value(key, connection) if isinstance(key, UUID) else key, *names]
    return " OR ".join(parts), values


def _fresh(presets: Iterable[Preset]) -> dict[UUID, list[str]]:
    """Return by the id of each version of these presets the renditions of which it says what the given one says."""
    fresh: dict[UUID, list[str]] = {}
    for preset in presets:
        now = {rendition.name: rendition.recipe() for rendition in preset.renditions.all()}
        for version in Preset.objects.filter(name=preset.name).prefetch_related("renditions"):
            same = [r.name for r in version.renditions.all() if now.get(r.name) == r.recipe()]
            if same:
                fresh[version.pk] = same
    return fresh
