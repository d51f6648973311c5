"""The database's part of `/metrics`: a fixed number of statements, whatever its tables hold."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import StrEnum

import structlog
from django.db import Error as DatabaseError
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from media_jobs.adapters import database
from media_jobs.models import Job
from media_jobs.services.metrics import ledger, presence
from media_jobs.states import DURATION_BUCKETS_MS, JobState, Lane, Metric, SandboxEnd, Stage, StoredKind

log = structlog.get_logger(__name__)

#: Whoever asks does not wait for longer.
_LIMIT_S = 3.0
_FINAL = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
_STAGES = (Stage.FETCHING, Stage.RENDERING, Stage.STORING)


class DatabaseCollector(Collector):
    """What all hosts tell alike; take the maximum of it, or scrape one of them."""

    def collect(self) -> Iterator[Family]:
        try:
            with database.in_a_hurry(_LIMIT_S):
                found = [*_counted(_Totals(ledger.totals())), *_workers(), _oldest_queued()]
        except DatabaseError as error:
            log.warning("metrics_without_database", error=type(error).__name__)
            database.discard_connection(error)
            found = []
        up = "Whether the database answers; without it all that it counts is missing."
        yield GaugeMetricFamily("database_up", up, value=bool(found))
        yield from found

    def describe(self) -> list[Family]:
        """Return nothing: the database may not be there yet when the collector is registered."""
        return []


class _Totals:
    """How all metrics stand; 0 for what has never been counted."""

    def __init__(self, totals: ledger.Totals) -> None:
        self._totals = totals

    def count(self, metric: Metric, label: str = "") -> int:
        return self._of(metric, label, None)[0]

    def sum(self, metric: Metric, label: str = "") -> int:
        return self._of(metric, label, None)[1]

    def durations(self, metric: Metric, label: str = "") -> tuple[list[tuple[str, float]], float]:
        """Return the buckets, each with all that is in those before it, and the sum in seconds."""
        buckets, so_far, sum_ms = [], 0, 0
        for bound in (*DURATION_BUCKETS_MS, None):
            count, ms = self._of(metric, label, bound)
            so_far, sum_ms = so_far + count, sum_ms + ms
            buckets.append(("+Inf" if bound is None else str(bound / 1000), float(so_far)))
        return buckets, sum_ms / 1000

    def _of(self, metric: Metric, label: str, le_ms: int | None) -> tuple[int, int]:
        return self._totals.get((metric, label, le_ms), (0, 0))


def _counted(totals: _Totals) -> Iterator[Family]:
    jobs = CounterMetricFamily("jobs", "Jobs that came to an end, by how; a retry ends once more.", labels=["status"])
    restarts = CounterMetricFamily("sandbox_restarts", "Decoders that were replaced, by why.", labels=["reason"])
    depth = GaugeMetricFamily("queue_depth", "Jobs that wait for a worker, by lane.", labels=["lane"])
    objects = GaugeMetricFamily("storage_objects", "Objects in the storage, by kind.", labels=["kind"])
    by_count: tuple[tuple[CounterMetricFamily | GaugeMetricFamily, Metric, Iterable[StrEnum]], ...] = (
        (jobs, Metric.JOBS, _FINAL),
        (restarts, Metric.SANDBOX_RESTARTS, SandboxEnd),
        (depth, Metric.QUEUE_DEPTH, Lane),
        (objects, Metric.STORAGE, StoredKind),
    )
    for family, metric, labels in by_count:
        for label in labels:
            family.add_metric([label], totals.count(metric, label))
        yield family
    sizes = GaugeMetricFamily("storage_bytes", "Their bytes.", labels=["kind"])
    for kind in StoredKind:
        sizes.add_metric([kind], totals.sum(Metric.STORAGE, kind))
    yield sizes
    uploaded, made = "Bytes of accepted uploads.", "Bytes of derivatives that were made."
    yield CounterMetricFamily("upload_bytes", uploaded, value=totals.sum(Metric.UPLOAD_BYTES))
    yield CounterMetricFamily("derivative_bytes", made, value=totals.sum(Metric.DERIVATIVE_BYTES))
    yield from _durations(totals)


def _durations(totals: _Totals) -> Iterator[Family]:
    took = HistogramMetricFamily("job_duration_seconds", "From a worker taking a job to its end, done or failed.")
    took.add_metric([], *totals.durations(Metric.JOB_DURATION))
    waited = HistogramMetricFamily("job_wait_seconds", "From when a job could be done to a worker taking it.")
    waited.add_metric([], *totals.durations(Metric.JOB_WAIT))
    about = "Of jobs that were done: fetching the original, rendering in the sandbox, storing what was made."
    stages = HistogramMetricFamily("stage_duration_seconds", about, labels=["stage"])
    for stage in _STAGES:
        stages.add_metric([stage], *totals.durations(Metric.STAGE_DURATION, stage))
    yield from (took, waited, stages)


def _workers() -> Iterator[Family]:
    """This host is among them in any case, so that a sum over all is never a sum over nothing."""
    about = "Workers that live, each of which does one job at a time."
    slots = GaugeMetricFamily("worker_slots", about, labels=["host"])
    busy = GaugeMetricFamily("worker_busy", "Those of them that have a job in hand.", labels=["host"])
    hosts = presence.hosts()
    if presence.this_host() not in {host.name for host in hosts}:
        hosts.append(presence.Host(presence.this_host(), 0, 0))
    for host in hosts:
        slots.add_metric([host.name], host.slots)
        busy.add_metric([host.name], host.busy)
    yield from (slots, busy)


def _oldest_queued() -> Family:
    about = "How long the job has waited that has waited longest, by lane."
    family = GaugeMetricFamily("oldest_queued_seconds", about, labels=["lane"])
    age = ExpressionWrapper(Now() - F("not_before"), DurationField())
    for lane in Lane:
        due = Job.objects.filter(state=JobState.QUEUED, lane=lane, not_before__lte=Now()).order_by("not_before")
        oldest = due.annotate(age=age).values_list("age", flat=True).first() or timedelta(0)
        family.add_metric([lane], oldest.total_seconds())
    return family
