"""Which shadow is next, and who holds it: by one conditional update, as everywhere."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from media_jobs.errors import LeaseLost, MediaError, WorkerStopping
from media_jobs.models import Shadow
from media_jobs.services.jobs.transitions import from_now, why
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import JobState, ShadowState

log = structlog.get_logger(__name__)

#: What has been tried so often is given up: after about two days.
MOST_ATTEMPTS = 12
_BACKOFF_S = (10.0, 60.0, 300.0, 1800.0, 14_400.0)
#: A worker that is silent for so long has lost what it held.
_HOLD_S = 120.0
_RENEW_EVERY_S = 20.0
_PAGE = 100
_OVER = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which shadows are taken, where not all.

    states: to be fetched, to be compared. newest: none that is younger than this one. since: written since then.
    """

    states: tuple[ShadowState, ...] = (ShadowState.FETCHING, ShadowState.DUE)
    newest: UUID | None = None
    since: datetime | None = None

    def waiting(self) -> QuerySet[Shadow]:
        """Those that wait, or are in work, perhaps for later."""
        return self.among(Shadow.objects.filter(state__in=self.states))

    def among(self, found: QuerySet[Shadow]) -> QuerySet[Shadow]:
        """Those of `found` that are chosen, whatever their state."""
        if self.newest:
            found = found.filter(pk__lte=self.newest)
        return found.filter(created_at__gte=self.since) if self.since else found


ALL = Choice()
TO_FETCH, TO_COMPARE = Choice((ShadowState.FETCHING,)), Choice((ShadowState.DUE,))


class Hold:
    """A shadow that a worker works on, until it calls one of `end` and `later`. To be called now and then meanwhile."""

    def __init__(self, shadow: Shadow, worker: Worker) -> None:
        self.shadow, self.worker = shadow, worker
        self._renewed = time.monotonic()

    def __call__(self) -> None:
        """Keep it. Raises LeaseLost where another worker has it by now, WorkerStopping."""
        now = time.monotonic()
        if now >= self.worker.hand_back_at_s:
            raise WorkerStopping
        if now - self._renewed >= _RENEW_EVERY_S:
            if not self.mine().update(due_at=from_now(_HOLD_S)):
                raise LeaseLost(str(self.shadow.pk))
            self._renewed = now
        self.worker.run_urgent_tasks()

    def mine(self) -> QuerySet[Shadow]:
        """Its row, as long as this worker holds it."""
        return Shadow.objects.filter(pk=self.shadow.pk, state=self.shadow.state, worker=self.worker.id)

    def end(self, state: ShadowState, **to: Any) -> bool:
        """Write what came of it; False where another worker has it by now."""
        fresh = {"worker": "", "attempts": 0, "due_at": Now(), "code": "", "detail": ""}
        return bool(self.mine().update(**{**fresh, "state": state, **to}))

    def hand_back(self) -> None:
        """Give it to the next worker at once: it is nobody's fault."""
        self.mine().update(worker="", due_at=Now(), attempts=F("attempts") - 1)

    def later(self, *, after_s: float | None = None, error: MediaError | None = None) -> None:
        """Have it taken again, by default later from time to time. error: why; it fails where that comes too often."""
        if error and self.shadow.attempts >= MOST_ATTEMPTS:
            self.end(ShadowState.FAILED, **why(error))
            return
        step = min(self.shadow.attempts, len(_BACKOFF_S)) - 1
        due_at = from_now(_BACKOFF_S[step] if after_s is None else after_s)
        self.mine().update(worker="", due_at=due_at, **(why(error) if error else {}))


def note_ends() -> int:
    """Let those whose job is over be compared; how many. A job that somebody cancelled makes nothing to compare."""
    rows = Shadow.objects.filter(state=ShadowState.RENDERING)
    over = rows.filter(Q(job__state__in=_OVER) | Q(job=None)).order_by("pk")
    ended = list(over.values_list("pk", "job__state")[:_PAGE])
    due = [pk for pk, state in ended if state in (JobState.DONE, JobState.FAILED)]
    cancelled = [pk for pk, state in ended if state not in (JobState.DONE, JobState.FAILED)]
    if due:
        rows.filter(pk__in=due).update(state=ShadowState.DUE, due_at=Now(), attempts=0)
    if cancelled:
        why = {"code": "cancelled", "detail": "Its job was cancelled, or its picture deleted."}
        rows.filter(pk__in=cancelled).update(state=ShadowState.FAILED, **why)
    return len(ended)


def take(worker: Worker, choice: Choice = ALL) -> Hold | None:
    """Return the one that has been due for longest, held by `worker`; None where none is due."""
    due = choice.waiting().filter(due_at__lte=Now()).order_by("due_at", "id")
    with transaction.atomic():
        # PostgreSQL passes over what others are just taking; on SQLite a transaction is alone.
        shadow = due.select_for_update(skip_locked=True).first()
        if shadow is None:
            return None
        held = {"worker": worker.id, "due_at": from_now(_HOLD_S), "attempts": F("attempts") + 1}
        Shadow.objects.filter(pk=shadow.pk).update(**held)
    shadow.worker, shadow.attempts = worker.id, shadow.attempts + 1
    return Hold(shadow, worker)
