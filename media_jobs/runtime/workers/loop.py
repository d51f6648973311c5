"""What a worker does beside its jobs: repairs, previews, shadows, and waiting for what is away."""

import time
from collections.abc import Callable

import structlog
from django.db import close_old_connections

from media_jobs.adapters import database
from media_jobs.services import previews
from media_jobs.services.jobs import outage, processing
from media_jobs.services.jobs.worker import Worker

log = structlog.get_logger(__name__)

#: So often a worker that waits for storage, disk or database looks whether they are back.
LOOK_EVERY_S = 5.0
#: So long a worker works without Redis before it looks for it again.
_WITHOUT_QUEUE_S = 5.0
_SLICE_S = 0.5


class WorkerLoop:
    """What a worker does beside its jobs.

    repair: what is done first of all. background: what it does where nothing is more urgent.
    """

    def __init__(
        self, worker: Worker, *, repair: Callable[[], object], background: Callable[[], object] = lambda: None
    ) -> None:
        self.worker, self._repair, self._background = worker, repair, background

    def between_jobs(self) -> None:
        """Repair what is due, and return when nothing would make the next job fail, or when told to stop.

        An attempt that failed because the storage was away is no reason to fail the next hundred in the same way.
        """
        self.worker.end_idle_decoder()
        self._do_what_is_due()
        if self.worker.suspects_outage:
            self._wait_until_outage_is_over()

    def without_queue(self) -> None:
        """Work from the table for a few seconds, without Redis."""
        close_old_connections()
        processing.process_without_queue(self.worker, for_s=_WITHOUT_QUEUE_S)

    def _do_what_is_due(self) -> None:
        try:
            processing.requeue_own(self.worker)
            self._repair()
            previews.make_waiting(self.worker)
            self._background()
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)
            self.worker.suspects_outage = True

    def _wait_until_outage_is_over(self) -> None:
        reason = known = ""
        while not self.worker.stopping and (reason := outage.reason(self.worker)):
            if reason != known:
                log.warning("paused", reason=reason)
                known = reason
            self._sleep(LOOK_EVERY_S)
            self._do_what_is_due()
        self.worker.suspects_outage = bool(reason)
        if known and not reason:
            log.info("resumed", after=known)

    def _sleep(self, seconds: float) -> None:
        """Sleep, or shorter when told to stop."""
        until = time.monotonic() + seconds
        while not self.worker.stopping and (left_s := until - time.monotonic()) > 0:
            time.sleep(min(left_s, _SLICE_S))
