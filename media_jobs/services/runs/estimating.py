"""What a run will probably cost: counted where that is quick, else reckoned from a sample and from the latest jobs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet, Sum
from django.db.models.expressions import RawSQL

from media_jobs.models import Derivative, Job, Original, Preset, ReprocessRun
from media_jobs.services.runs import selection
from media_jobs.states import DerivativeState, JobState

#: Up to so many images what has been made of each is looked at; of more, of a sample.
_COUNTED = 20_000
_SAMPLE = 5_000
#: Of so many is it asked which renditions are to be made.
_LOOKED_AT = 500
#: So many of the latest jobs, and of the latest derivatives of each rendition, tell what the next ones take.
_LATEST = 200


@dataclass(frozen=True, slots=True)
class Estimate:
    """images: how many. exact: whether they were counted, rather than reckoned from a sample.

    cpu_s: processor time of rendering. read_bytes: of originals. write_bytes: of new derivatives. requests: to the
    storage. peak_bytes: of old and new derivatives side by side. None: there is nothing to go by.
    """

    images: int
    exact: bool
    cpu_s: float | None
    read_bytes: int
    write_bytes: int | None
    requests: int
    peak_bytes: int | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def estimate(run: ReprocessRun) -> Estimate:
    """Reckon what the run would cost if it began now."""
    images, read_bytes, exact, some = _size(run)
    made, replaced = _shares(run, some)
    sizes = _sizes(run)
    known = all(name in sizes for name in made)
    write = round(images * sum(sizes[name] * share for name, share in made.items())) if known else None
    old = round(images * sum(sizes[name] * share for name, share in replaced.items())) if known else 0
    return Estimate(
        images=images,
        exact=exact,
        cpu_s=_cpu_s(run, read_bytes),
        read_bytes=read_bytes,
        write_bytes=write,
        requests=round(images * (1 + sum(made.values()))),
        peak_bytes=None if write is None else write + old,
    )


def _size(run: ReprocessRun) -> tuple[int, int, bool, list[UUID]]:
    """Return number and bytes of the images, whether they were counted, and some of them."""
    candidates = selection.candidates(run)
    images, size_bytes = _sum(candidates)
    meant = selection.narrowed(run, candidates)
    if meant is candidates or images <= _COUNTED:
        if meant is not candidates:
            images, size_bytes = _sum(meant)
        return images, size_bytes, True, list(meant.values_list("pk", flat=True)[:_LOOKED_AT])
    sample = candidates.filter(pk__in=_sample(images))
    of, _ = _sum(sample)
    found, found_bytes = _sum(meant.filter(pk__in=_sample(images)))
    share = images / max(of, 1)
    some = meant.filter(pk__in=_sample(images)).values_list("pk", flat=True)[:_LOOKED_AT]
    return round(found * share), round(found_bytes * share), False, list(some)


def _sum(rows: QuerySet[Original]) -> tuple[int, int]:
    found = rows.aggregate(images=Count("*"), bytes=Sum("size_bytes"))
    return found["images"], found["bytes"] or 0


def _sample(of: int) -> RawSQL:
    """Return the ids of about _SAMPLE originals, the same each time for the same `of`, the number of rows."""
    table = Original._meta.db_table
    if connection.vendor == "postgresql":
        per_cent = min(100.0, 100 * _SAMPLE / of)
        return RawSQL(f"SELECT id FROM {table} TABLESAMPLE SYSTEM (%s) REPEATABLE (1)", [per_cent])  # noqa: S608, S611  (the table's own name)
    every = max(1, of // _SAMPLE)
    return RawSQL(f"SELECT id FROM {table} WHERE rowid %% %s = 0", [every])  # noqa: S608, S611  (the table's own name)


def _shares(run: ReprocessRun, images: Sequence[UUID]) -> tuple[dict[str, float], dict[str, float]]:
    """Return for each rendition of how many of these images it is to be made, and to be replaced, as shares."""
    made: Counter[str] = Counter()
    replaced: Counter[str] = Counter()
    there = set(
        Derivative.objects.filter(
            original__in=images, preset_name=run.preset.name, state=DerivativeState.CURRENT
        ).values_list("original", "rendition")
    )
    for image, names in selection.to_make(run, images).items():
        made.update(names)
        replaced.update(name for name in names if (image, name) in there)
    count = max(1, len(images))
    return {name: n / count for name, n in made.items()}, {name: n / count for name, n in replaced.items()}


def _sizes(run: ReprocessRun) -> dict[str, float]:
    """Return how large the latest derivatives of each rendition are, in bytes; none of which there is none."""
    means = {}
    versions = sorted(Preset.objects.filter(name=run.preset.name), key=lambda version: version != run.preset)
    for name in run.wanted:
        for version in versions:
            rows = Derivative.objects.filter(preset=version, rendition=name, state=DerivativeState.CURRENT)
            # In the order of their index, or PostgreSQL may look for them among all.
            sizes = rows.order_by("preset_id", "rendition", "engine").values_list("size_bytes", flat=True)[:_LATEST]
            if found := list(sizes):
                means[name] = fmean(found)
                break
    return means


def _cpu_s(run: ReprocessRun, read_bytes: int) -> float | None:
    """Return what so many bytes of originals take, as those of the latest jobs of this preset did."""
    done = Job.objects.filter(state=JobState.DONE, finished_at__isnull=False, cpu_ms__isnull=False)
    latest = done.order_by("-finished_at").values("pk", "preset__name")[: 5 * _LATEST]
    ids = [job["pk"] for job in latest if job["preset__name"] == run.preset.name][:_LATEST]
    spent = Job.objects.filter(pk__in=ids).aggregate(cpu_ms=Sum("cpu_ms"), bytes=Sum("original__size_bytes"))
    return round(spent["cpu_ms"] / 1000 * read_bytes / spent["bytes"], 1) if spent["bytes"] else None
