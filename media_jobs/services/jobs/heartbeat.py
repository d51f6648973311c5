"""What a busy worker does about once a second: keep its job, notice that it lost it, and repair what others left."""

import time
from typing import ClassVar

from django.conf import settings

from media_jobs.adapters import database
from media_jobs.errors import LeaseLost, WorkerStopping
from media_jobs.models import Job
from media_jobs.ports import Heartbeat, no_heartbeat
from media_jobs.services.jobs.transitions import Lease, lease_end
from media_jobs.services.jobs.worker import duty

#: A cancelled job's decoder is killed within two of these.
_ASK_EVERY_S = 1.0


class LeaseHeartbeat:
    """A `ports.Heartbeat` for the job of `lease`, which was taken or renewed a moment ago.

    Raises LeaseLost when it was cancelled or is somebody else's by now, WorkerStopping when it must be handed back.
    """

    #: What else a busy worker does, set once by the worker's loop.
    run_urgent_tasks: ClassVar[Heartbeat] = staticmethod(no_heartbeat)

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._asked = self._renewed = time.monotonic()

    @property
    def patience_s(self) -> float:
        """For how long it is worth while to wait for a database that is away."""
        now = time.monotonic()
        return max(0.0, min(self._renewed + settings.LEASE_S, duty.hand_back_at_s, now + database.RETRY_FOR_S) - now)

    def renewed(self) -> None:
        """Somebody else has just renewed the lease."""
        self._asked = self._renewed = time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now >= duty.hand_back_at_s:
            raise WorkerStopping
        if now - self._asked < _ASK_EVERY_S:
            return
        self._asked = now
        self._hold(now)
        type(self).run_urgent_tasks()

    def _hold(self, now: float) -> None:
        """Without a database nothing is known: then the job is held for as long as the last lease went."""
        row = Job.objects.filter(self._lease.holds, pk=self._lease.job_id)
        renew = now - self._renewed >= settings.LEASE_S / 3
        try:
            held = row.update(lease_until=lease_end()) if renew else row.exists()
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)
            held = now - self._renewed < settings.LEASE_S
            renew = False
        if not held:
            raise LeaseLost(str(self._lease.job_id))
        if renew:
            self._renewed = now
