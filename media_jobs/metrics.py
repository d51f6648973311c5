"""Prometheus. What must survive restarts and is shared by all processes is counted in the database."""

from collections.abc import Iterator
from typing import cast

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from media_jobs.models import Job, Original, StoredEntry
from media_jobs.states import JobState, Lane, OriginalState, StoredKind

CONTENT_TYPE = CONTENT_TYPE_LATEST
_DURATION_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_FINAL = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class DatabaseCollector(Collector):
    """The four metrics of the Gallformers seed, and what is stored; read at each scrape, from any process."""

    def collect(self) -> Iterator[Metric]:
        yield _jobs_total()
        yield _queue_depth()
        yield _job_duration()
        yield _upload_bytes()
        yield from _stored()

    def describe(self) -> list[Metric]:
        """Return nothing: the database may not be there yet when the collector is registered."""
        return []


def exposition() -> bytes:
    """Everything in Prometheus' text format."""
    return generate_latest(REGISTRY)


def register() -> None:
    """Add the collector to the process's registry. Called once, at start."""
    REGISTRY.register(DatabaseCollector())


def _jobs_total() -> Metric:
    family = CounterMetricFamily("jobs", "Finished jobs by outcome.", labels=["status"])
    counts = dict(Job.objects.filter(state__in=_FINAL).order_by().values_list("state").annotate(n=Count("pk")))
    for state in _FINAL:
        family.add_metric([state.value], counts.get(state.value, 0))
    return family


def _queue_depth() -> Metric:
    family = GaugeMetricFamily("queue_depth", "Jobs that wait for a worker.", labels=["lane"])
    counts = dict(Job.objects.filter(state=JobState.QUEUED).order_by().values_list("lane").annotate(n=Count("pk")))
    for lane in Lane:
        family.add_metric([lane.value], counts.get(lane.value, 0))
    return family


def _job_duration() -> Metric:
    """Return the histogram of the time from a worker's claim to the end of the job."""
    buckets = {f"le_{i}": Count("pk", filter=Q(duration_ms__lte=le * 1000)) for i, le in enumerate(_DURATION_BUCKETS_S)}
    found = Job.objects.filter(state=JobState.DONE).aggregate(
        n=Count("pk"), total=Coalesce(Sum("duration_ms"), 0), **buckets
    )
    family = HistogramMetricFamily("job_duration_seconds", "From a worker taking a job to its end.")
    lines = [(str(le), float(found[f"le_{i}"])) for i, le in enumerate(_DURATION_BUCKETS_S)]
    family.add_metric([], [*lines, ("+Inf", float(found["n"]))], sum_value=cast(int, found["total"]) / 1000)
    return family


def _upload_bytes() -> Metric:
    total = Original.objects.filter(state=OriginalState.ACTIVE).aggregate(n=Coalesce(Sum("size_bytes"), 0))["n"]
    return CounterMetricFamily("upload_bytes", "Bytes of accepted uploads.", value=total)


def _stored() -> Iterator[Metric]:
    objects = GaugeMetricFamily("stored_objects", "Objects in the storage, by kind.", labels=["kind"])
    sizes = GaugeMetricFamily("stored_bytes", "Their bytes.", labels=["kind"])
    sums = StoredEntry.objects.order_by().values_list("kind").annotate(n=Sum("objects_more"), size=Sum("bytes_more"))
    found = {kind: (n, size) for kind, n, size in sums}
    for kind in StoredKind:
        n, size = found.get(kind, (0, 0))
        objects.add_metric([kind.value], n)
        sizes.add_metric([kind.value], size)
    yield objects
    yield sizes
