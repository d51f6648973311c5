"""Mends what died: expired leases, uploads that nobody finished, objects that no row wants."""

from dataclasses import asdict, dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.adapters import workspace
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import SYSTEM
from media_jobs.errors import StorageUnavailable, WorkerLost
from media_jobs.models import Derivative, Job, Original
from media_jobs.services import dispatch
from media_jobs.services.publishing import KEEP_REPLACED
from media_jobs.services.transitions import failed, from_now, move, waiting, why
from media_jobs.states import DerivativeState, JobState, Lane, OriginalState

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """How many of each kind were mended or removed."""

    requeued: int = 0
    failed: int = 0
    uploads: int = 0
    derivatives: int = 0
    unfinished_writes: int = 0
    workspaces: int = 0


def run(*, older_than: timedelta | None = None) -> Swept:
    """All of it, once. `older_than` is the age of a leftover, by default CLEANUP_INTERVAL_MINUTES."""
    age = older_than if older_than is not None else timedelta(seconds=settings.CLEANUP_INTERVAL_S)
    requeued, gave_up = expire_leases()
    swept = Swept(
        requeued=requeued,
        failed=gave_up,
        uploads=sweep_uploads(age),
        derivatives=sweep_derivatives(age),
        unfinished_writes=store(Role.WORKER).sweep(older_than_s=age.total_seconds()),
        workspaces=sweep_workspaces(),
    )
    dispatch.wake()
    log.info("housekeeping_done", **asdict(swept))
    return swept


def expire_leases() -> tuple[int, int]:
    """Queue again what a silent worker held; fail what has used up its attempts. Returns how many of each."""
    requeued = gave_up = 0
    expired = Q(state=JobState.PROCESSING, lease_until__lt=Now())
    for job in Job.objects.filter(expired).only("id", "attempt", "max_attempts", "worker", "lane"):
        still = expired & Q(attempt=job.attempt, worker=job.worker)
        if job.attempt < job.max_attempts:
            data = {"worker": job.worker}
            requeued += move(job.pk, still, "lease_expired", actor=SYSTEM, data=data, **waiting(Lane(job.lane)))
        else:
            error = WorkerLost(attempts=job.attempt)
            gave_up += move(job.pk, still, "failed", actor=SYSTEM, data=why(error), **failed(error))
    return requeued, gave_up


def sweep_uploads(age: timedelta) -> int:
    """Remove originals that were never activated, and what aborted uploads may have left. Never active ones."""
    Original.objects.filter(state=OriginalState.PENDING, created_at__lt=from_now(-age.total_seconds())).update(
        state=OriginalState.DELETED  # from here on its upload can no longer be accepted
    )
    swept = 0
    for original in Original.objects.filter(state=OriginalState.DELETED, jobs__isnull=True).iterator():
        if _delete_object(original.key):
            original.delete()
            swept += 1
    return swept


def sweep_derivatives(age: timedelta) -> int:
    """Remove files that a dead worker left, and replaced ones after seven days."""
    left = Q(state=DerivativeState.PENDING, created_at__lt=from_now(-age.total_seconds())) & ~Q(
        job__state=JobState.PROCESSING
    )
    replaced = Q(state=DerivativeState.REPLACED, replaced_at__lt=from_now(-KEEP_REPLACED.total_seconds()))
    swept = 0
    for derivative in Derivative.objects.filter(left | replaced).iterator():
        wanted = Derivative.objects.filter(key=derivative.key).exclude(pk=derivative.pk).exists()
        if wanted or _delete_object(derivative.key):
            derivative.delete()
            swept += 1
    return swept


def sweep_workspaces() -> int:
    """Remove the temporary files of workers of this machine that are gone."""
    return workspace.sweep(settings.WORK_DIR)


def _delete_object(key: str) -> bool:
    try:
        store(Role.WORKER).delete(key)
    except StorageUnavailable:
        log.warning("object_not_deleted", key=key)
        return False
    return True
