"""What a process tells of itself and of its host, beside what prometheus_client tells of every process."""

import shutil
from collections.abc import Callable, Iterable, Iterator

import structlog
from django.conf import settings
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from media_jobs.services.jobs.worker import Worker
from media_jobs.services.metrics.presence import this_host

log = structlog.get_logger(__name__)


def count_answer(status: int) -> None:
    """Count what the server answers by itself among what Django answers, so that alerts see it."""
    from django_prometheus.middleware import Metrics  # noqa: PLC0415  (Django makes it with its middleware)

    Metrics.get_instance().responses_by_status.labels(status=str(status)).inc()


class DiskCollector(Collector):
    """The room on this host's disk."""

    def collect(self) -> Iterator[Family]:
        about = "Room in the data directory: temporary files, and the storage where it is files."
        free = GaugeMetricFamily("disk_free_bytes", about, labels=["host"])
        try:
            free.add_metric([this_host()], shutil.disk_usage(settings.DATA_DIR).free)
        except OSError as error:
            log.warning("disk_unknown", error=error.strerror)
        yield free

    def describe(self) -> list[Family]:
        """Say nothing when it is registered: a command may have no data directory, and no use for one."""
        return []


class SandboxCollector(Collector):
    """What the decoders of this process take. workers: returns those that live in it."""

    def __init__(self, workers: Callable[[], Iterable[Worker]]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Family]:
        made = (vars(worker).get("sandbox") for worker in self._workers())  # with the first picture, and not for this
        taken = sum(sandbox.resident_bytes for sandbox in made if sandbox)
        about = "Resident memory of this process’ decoders, one for each slot that has had a picture."
        yield GaugeMetricFamily("sandbox_resident_memory_bytes", about, value=taken)
