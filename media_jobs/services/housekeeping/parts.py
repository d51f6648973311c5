"""The table of all parts, in the order in which they are done: what one leaves behind, a later one finds."""

from datetime import timedelta

from django.conf import settings

from media_jobs.services.housekeeping import (
    derivatives,
    failures,
    histories,
    leases,
    leftovers,
    orphans,
    staging,
    uploads,
)
from media_jobs.services.housekeeping.part import Part

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = timedelta(days=1).total_seconds()
_INTERVAL_S = settings.CLEANUP_INTERVAL_S

#: A job must be back in its queue within half a minute, whichever keeper dies: hence its short lease.
LEASES = Part("leases", "jobs whose worker went silent", 10, leases.find, leases.repair, lease_s=10)
FOLDERS = Part(
    "workspaces",
    "temporary files of dead workers of this host",
    _INTERVAL_S,
    leftovers.find_folders,
    leftovers.remove_folders,
    everywhere=True,
)

PARTS = (
    LEASES,
    Part("uploads", "uploads that were never finished", _MINUTE_S, uploads.find, uploads.repair),
    Part("staging", "files under uploads/ whose time is over", _INTERVAL_S, staging.find, staging.repair),
    Part("derivatives", "files abandoned or replaced", _INTERVAL_S, derivatives.find, derivatives.repair),
    Part("failures", "failed originals, where presets say so", _HOUR_S, failures.find, failures.repair),
    Part("orphans", "stored objects that no row names", _DAY_S, orphans.find, orphans.mark),
    Part("tombstones", "objects that are to be deleted", _MINUTE_S, orphans.find_due, orphans.remove),
    Part("writes", "unfinished writes to the storage", _INTERVAL_S, leftovers.find_writes, leftovers.end_writes),
    FOLDERS,
    Part("answers", "Idempotency-Keys older than a day", _HOUR_S, leftovers.find_answers, leftovers.remove_answers),
    Part("histories", "events older than EVENT_RETENTION_DAYS", _DAY_S, histories.find, histories.repair),
)


def named(name: str) -> Part:
    """Raises KeyError."""
    return {part.name: part for part in PARTS}[name]
