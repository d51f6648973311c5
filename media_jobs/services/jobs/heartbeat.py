"""What a busy worker does now and then: keep its job, notice that it lost it, and say how far it is."""

import time
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from media_jobs import tracing
from media_jobs.adapters import database
from media_jobs.errors import LeaseLost, WorkerStopping
from media_jobs.models import Job
from media_jobs.services.jobs.transitions import Lease, lease_end, move
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import Stage

#: Where the progress bar stands when a stage begins, in per cent; rendering fills the room up to storing.
PROGRESS = {Stage.FETCHING: 5, Stage.RENDERING: 15, Stage.STORING: 80, Stage.FINISHED: 100}
#: A cancelled job's decoder is killed within two of these.
_ASK_EVERY_S = 1.0
#: What was true for less is never written: most pictures are done by then.
REPORT_AFTER_S = 0.25


class LeaseHeartbeat:
    """A `ports.Heartbeat` for the job of `lease`, which `worker` took a moment ago.

    Raises LeaseLost when the job was cancelled or is somebody else's by now, WorkerStopping when it must be handed
    back.
    """

    def __init__(self, lease: Lease, worker: Worker) -> None:
        self._lease, self._worker = lease, worker
        self._asked = self._renewed = self._reported = time.monotonic()
        self._stage, self._progress, self._since = Stage.FETCHING, PROGRESS[Stage.FETCHING], self._asked
        self._written: tuple[Stage, int] = (self._stage, self._progress)

    @property
    def retry_for_s(self) -> float:
        """How long it is worth while to wait for a database that is away."""
        now = time.monotonic()
        lease_end_s = self._renewed + settings.LEASE_S
        return max(0.0, min(lease_end_s, self._worker.hand_back_at_s, now + database.RETRY_FOR_S) - now)

    def note(self, stage: Stage, progress: int) -> None:
        """Remember how far the job is (progress in per cent). It is written once it has been true for a while."""
        if stage != self._stage:
            self._since = time.monotonic()
        self._stage, self._progress = stage, progress

    @property
    def reached(self) -> dict[str, Any]:
        """The fields of the job that tell how far it is, written or not."""
        return {"stage": self._stage, "progress": self._progress}

    def __call__(self) -> None:
        now = time.monotonic()
        if now >= self._worker.hand_back_at_s:
            raise WorkerStopping
        if self._has_news(now):
            self._keep(now, report=True)
        elif now - self._asked >= _ASK_EVERY_S:
            self._keep(now, report=False)
        else:
            return
        with tracing.apart():
            self._worker.run_urgent_tasks()

    def _has_news(self, now: float) -> bool:
        """Whether there is something to write, and it is time to."""
        quiet_s = now - max(self._reported, self._since)
        return quiet_s >= REPORT_AFTER_S and self._written != (self._stage, self._progress)

    def _keep(self, now: float, *, report: bool) -> None:
        """Ask for the job, and renew its lease where a third of it is over, or where something is written anyway.

        Without a database nothing is known: then the job is held for as long as the last lease went.
        """
        self._asked = now
        renew = report or now - self._renewed >= settings.LEASE_S / 3
        try:
            held = self._report(now) if report else self._renew() if renew else self._row().exists()
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)
            held, renew = now - self._renewed < settings.LEASE_S, False
        if not held:
            raise LeaseLost(str(self._lease.job_id))
        if renew:
            self._renewed = now

    def _report(self, now: float) -> bool:
        """A new stage is part of the history; progress is not."""
        was, self._reported = self._written[0], now
        to = {**self.reached, "lease_until": lease_end()}
        if self._stage == was:
            held = bool(self._row().update(**to))
        else:
            actor, data = self._lease.worker, {"stage": self._stage}
            held = move(self._lease.job_id, self._lease.holds, "stage", actor=actor, data=data, **to)
        self._written = (self._stage, self._progress)
        return held

    def _renew(self) -> bool:
        return bool(self._row().update(lease_until=lease_end()))

    def _row(self) -> QuerySet[Job]:
        return Job.objects.filter(self._lease.holds, pk=self._lease.job_id)
