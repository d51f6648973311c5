"""What a run will probably cost: counted, and else reckoned from what the latest jobs took."""

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Avg, Count, Sum

from media_jobs.models import Derivative, Job, ReprocessRun
from media_jobs.services.runs import selection
from media_jobs.states import DerivativeState, JobState

_SAMPLE = 500


@dataclass(frozen=True, slots=True)
class Estimate:
    """images: how many. exact: whether they were counted, rather than reckoned from a sample.

    cpu_s: processor time of rendering. read_bytes: of originals. write_bytes: of new derivatives. requests: to the
    storage. peak_bytes: of old and new derivatives side by side.
    """

    images: int
    exact: bool
    cpu_s: float
    read_bytes: int
    write_bytes: int
    requests: int
    peak_bytes: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def estimate(run: ReprocessRun) -> Estimate:
    """Reckon what the run would cost if it began now."""
    found = selection.images(run).aggregate(images=Count("pk"), bytes=Sum("size_bytes"))
    images, read = found["images"], found["bytes"] or 0
    latest = Job.objects.filter(state=JobState.DONE, preset__name=run.preset.name, cpu_ms__isnull=False)
    cpu_ms = Job.objects.filter(pk__in=latest.order_by("-id").values("pk")[:_SAMPLE]).aggregate(mean=Avg("cpu_ms"))
    made = Derivative.objects.filter(
        preset_name=run.preset.name, rendition__in=run.wanted, state=DerivativeState.CURRENT
    )
    sizes = Derivative.objects.filter(pk__in=made.order_by("-id").values("pk")[:_SAMPLE])
    each = sizes.aggregate(mean=Avg("size_bytes"))["mean"] or 0
    write = int(each * images * len(run.wanted))
    return Estimate(
        images=images,
        exact=True,
        cpu_s=round((cpu_ms["mean"] or 0) * images / 1000, 1),
        read_bytes=read,
        write_bytes=write,
        requests=images * (1 + len(run.wanted)),
        peak_bytes=2 * write,
    )
