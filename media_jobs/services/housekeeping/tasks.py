"""All housekeeping tasks, in the order in which they are done: what one leaves behind, a later one finds."""

from datetime import timedelta

from django.conf import settings

from media_jobs.services.housekeeping import (
    counted,
    expired_leases,
    feature_flags,
    leftovers,
    orphans,
    shadows,
    staged_files,
    unused_derivatives,
)
from media_jobs.services.housekeeping.instructions import amounts, places, retention
from media_jobs.services.housekeeping.retention import (
    deleted_images,
    deleted_originals,
    failed_originals,
    old_bulk_actions,
    old_deliveries,
    old_histories,
)
from media_jobs.services.housekeeping.task import Task
from media_jobs.services.runs import expiry

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = timedelta(days=1).total_seconds()
_INTERVAL_S = settings.CLEANUP_INTERVAL_S

#: A job must be back in its queue within half a minute, whoever dies while doing this: hence the short lease.
LEASES = Task("leases", "jobs whose worker went silent", 10, expired_leases.find, expired_leases.repair, lease_s=10)

#: A flag must be off within a minute of an error too many, however busy all workers are.
FLAGS = Task("flags", "feature flags with too many errors", 20, feature_flags.find, feature_flags.repair, lease_s=10)

#: What cannot wait for the end of a job in hand.
URGENT = (LEASES, FLAGS)

METRICS = Task("metrics", "adds up what /metrics tells", 30, counted.find, counted.repair)

TASKS = (
    *URGENT,
    Task("uploads", "originals that were given up", _MINUTE_S, deleted_originals.find, deleted_originals.repair),
    Task("staging", "files under uploads/ whose time is over", _INTERVAL_S, staged_files.find, staged_files.repair),
    Task("runs", "runs that nobody accepted or rolled back for a week", _HOUR_S, expiry.find, expiry.repair),
    Task("derivatives", "files abandoned or replaced", _INTERVAL_S, unused_derivatives.find, unused_derivatives.repair),
    Task(
        "deletions",
        "derivatives of deleted images",
        10,
        deleted_images.find_derivatives,
        deleted_images.delete_derivatives,
    ),
    Task("expiry", "deleted images past RESTORE_DAYS", _HOUR_S, deleted_images.find_expired, deleted_images.give_up),
    Task("failures", "failed originals, where presets say so", _HOUR_S, failed_originals.find, failed_originals.repair),
    Task("retention", "files that their products keep no longer", _INTERVAL_S, retention.find, retention.repair),
    Task("shadows", "shadows to be compared again, nightly", _DAY_S, shadows.find_again, shadows.compare_again),
    Task("comparisons", "pictures of shadows after SHADOW_DAYS", _HOUR_S, shadows.find_old, shadows.forget_pictures),
    Task("places", "room that dead uploads took up", _HOUR_S, places.find, places.repair),
    Task("amounts", "adds up what is stored", _MINUTE_S, amounts.find, amounts.repair),
    METRICS,
    Task("orphans", "stored objects that no row names", _DAY_S, orphans.find_orphans, orphans.mark_orphans),
    Task("tombstones", "objects that are to be deleted", _MINUTE_S, orphans.find_tombstones, orphans.delete_objects),
    Task("writes", "unfinished writes to the storage", _INTERVAL_S, leftovers.find_writes, leftovers.abort_writes),
    Task(
        "workspaces",
        "temporary files of dead workers of this host",
        _INTERVAL_S,
        leftovers.find_folders,
        leftovers.remove_folders,
        per_host=True,
    ),
    Task("answers", "Idempotency-Keys older than a day", _HOUR_S, leftovers.find_answers, leftovers.remove_answers),
    Task("deliveries", "webhook deliveries after 30 days", _HOUR_S, old_deliveries.find, old_deliveries.repair),
    Task("histories", "events older than EVENT_RETENTION_DAYS", _DAY_S, old_histories.find, old_histories.repair),
    Task("bulk", "bulk actions after 30 days", _DAY_S, old_bulk_actions.find, old_bulk_actions.repair),
    Task("ledgers", "lines of runs older than that", _DAY_S, expiry.find_ledgers, expiry.remove_ledgers),
)


def task_named(name: str) -> Task:
    """Return the task of that name. Raises KeyError."""
    return {task.name: task for task in TASKS}[name]
