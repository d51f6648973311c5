"""The command that compares shadows: its workers, and what it tells of them."""

import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from media_jobs.adapters import database
from media_jobs.management.own_workers import OwnWorkers
from media_jobs.management.progress import ProgressLines
from media_jobs.management.run_text import duration
from media_jobs.models import Shadow
from media_jobs.services.cutover import holding, working
from media_jobs.services.cutover.holding import Choice
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import ShadowState

log = structlog.get_logger(__name__)

_RATE_OVER_S = 30.0


def next_shadow_of(choice: Choice) -> Callable[[Worker], bool]:
    """Return what has a worker compare the next one."""

    def next_shadow(worker: Worker) -> bool:
        if worker.stopping or worker.suspects_outage:
            return False
        try:
            hold = database.retry_on_disconnect(partial(holding.take, worker, choice))
            if hold:
                working.work_on(hold)
        except database.CONNECTION_ERRORS as error:  # what it held becomes due again
            database.discard_connection(error)
            worker.suspects_outage = True
            return False
        return hold is not None

    return next_shadow


class Comparison(OwnWorkers):
    """All that is chosen and due, compared by workers of this command."""

    def __init__(self, choice: Choice, *, workers: int, shown: ProgressLines) -> None:
        super().__init__(next_shadow_of(choice), renders=workers, shown=shown)
        self._choice = choice
        self._began = timezone.now()
        self._began_s = time.monotonic()
        self._left = self._of = self._due().count()
        self._seen: deque[tuple[float, int]] = deque()

    def until_over(self) -> None:
        """Work until nothing is due or in work, and no worker is left."""
        self._work()

    def summary(self) -> dict[str, Any]:
        """What came of it, JSON-ready. reasons: of those that are not the same, the commonest first."""
        done = self._choice.among(Shadow.objects.filter(state=ShadowState.COMPARED, compared_at__gte=self._began))
        counted = list(done.order_by().values_list("verdict", "reason").annotate(count=Count("pk")))
        verdicts, reasons = Counter[str](), Counter[str]()
        for verdict, reason, count in counted:
            verdicts[verdict] += count
            reasons[f"{verdict}: {reason}"] += count
        compared, took_s = sum(verdicts.values()), time.monotonic() - self._began_s
        unfinished = self._choice.among(Shadow.objects.filter(state__in=working.UNFINISHED)).count()
        return {
            "compared": compared,
            "seconds": round(took_s, 1),
            "perSecond": round(compared / took_s, 1) if took_s else 0.0,
            "verdicts": dict(verdicts),
            "reasons": dict(reasons.most_common()),
            "failed": self._choice.among(Shadow.objects.filter(state=ShadowState.FAILED)).count(),
            "waiting": unfinished,
        }

    def _due(self) -> "QuerySet[Shadow]":
        """What is to be done now, or is in work; not what waits for the site, or for another try."""
        return self._choice.waiting().filter(Q(due_at__lte=Now()) | ~Q(worker=""))

    def _goes_on(self) -> bool:
        if self._left and not self.stopped_by:
            self._group.keep_alive()
            return True
        if not self.stopped_by:
            self._group.stop()
        return not self._group.has_ended()

    def _turn(self) -> None:
        try:
            holding.note_ends()
            self._left = self._due().count()
            self._of = max(self._of, self._left)
        except database.CONNECTION_ERRORS as error:
            database.discard_connection(error)

    def _show(self) -> None:
        what = "stopping, once more to stop at once" if self.stopped_by else "pictures"
        self._shown.show(what, done=self._of - self._left, of=self._of, note=self._pace())

    def _pace(self) -> str:
        now, done = time.monotonic(), self._of - self._left
        if not self._seen or self._seen[-1][1] != done:
            self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] > _RATE_OVER_S:
            self._seen.popleft()
        since, had = self._seen[0]
        if done <= had or now <= since:
            return ""
        rate = (done - had) / (now - since)
        return f"{rate:.1f}/s, {duration(self._left / rate)} left"
