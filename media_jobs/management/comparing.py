"""The command that compares shadows: its workers, and what it tells of them."""

import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import structlog
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from media_jobs.adapters import database
from media_jobs.management.progress import ProgressLines
from media_jobs.management.run_text import duration
from media_jobs.management.signals import SIGNALS
from media_jobs.models import Shadow
from media_jobs.runtime.workers.group import WorkerGroup
from media_jobs.services.cutover import holding, working
from media_jobs.services.cutover.holding import Choice
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import ShadowState

log = structlog.get_logger(__name__)

_TURN_EVERY_S = 1.0
_LOOK_EVERY_S = 0.1
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


class Comparison:
    """All that is chosen and due, compared by workers of this command. stopped_by: a signal that ended it, else 0."""

    def __init__(self, choice: Choice, *, workers: int, shown: ProgressLines) -> None:
        self.stopped_by = 0
        self._choice, self._shown = choice, shown
        self._began = timezone.now()
        self._began_s = time.monotonic()
        self._group = WorkerGroup(workers, next_shadow_of(choice), quiet=shown.has_bar)
        self._left = self._of = self._due().count()
        self._seen: deque[tuple[float, int]] = deque()

    def until_over(self) -> None:
        """Work until nothing is due or in work, and no worker is left."""
        try:
            with self._signals():
                turn_at_s = 0.0
                while self._goes_on():
                    if time.monotonic() >= turn_at_s:
                        self._turn()
                        turn_at_s = time.monotonic() + _TURN_EVERY_S
                    self._show()
                    time.sleep(_LOOK_EVERY_S)
        finally:
            self._show_log()
            self._group.close()

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

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: object) -> None:
        """Stop: what is in hand goes back at the second signal, and may end before."""
        if self.stopped_by:
            self._group.hurry()
            return
        self.stopped_by = number
        self._group.stop()

    def _show(self) -> None:
        self._show_log()
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

    def _show_log(self) -> None:
        if lines := self._group.log():
            self._shown.say(lines)
