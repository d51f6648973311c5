"""The lease on a task: at most one process does it at a time, over all hosts."""

import os
import socket
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

from django.db import Error as DatabaseError
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.errors import Blame, MediaError
from media_jobs.models import MaintenanceTask
from media_jobs.services.housekeeping.task import Task
from media_jobs.services.jobs.transitions import from_now

#: What failed is tried again after so many seconds, even if it is done seldom.
_RETRY_AFTER_S = 600
#: Clocks of processes and intervals never meet exactly: what is nearly due is due.
_DUE_FROM = 0.9


class TaskLeaseLost(MediaError):
    """This process did not renew its lease in time."""

    code = "task_lease_lost"
    blame = Blame.NOBODY
    sentence = "Somebody else has gone on with it, because this process was held up for so long."


class TaskLease:
    """A task that this process may do until `release`; it ends by the database's clock. Made by `acquire`.

    progress: see `TaskRun`.
    """

    def __init__(self, task: Task, holder: str, progress: dict[str, Any]) -> None:
        self._task, self._holder, self.progress = task, holder, progress
        self._began = self._renewed = time.monotonic()

    def heartbeat(self) -> None:
        """Renew the lease when a third of it is gone. Raises TaskLeaseLost when somebody else holds it."""
        if time.monotonic() - self._renewed < self._task.lease_s / 3:
            return
        if not self._update_if_held(lease_until=from_now(self._task.lease_s)):
            raise TaskLeaseLost
        self._renewed = time.monotonic()

    def release(self, *, repaired: int, error: str = "", progress: dict[str, Any] | None = None) -> None:
        """End the lease and write down what came of the run. progress: where it failed in the middle."""
        took_ms = int((time.monotonic() - self._began) * 1000)
        self._update_if_held(
            worker="",
            lease_until=None,
            finished_at=Now(),
            repaired=repaired,
            duration_ms=took_ms,
            error=error[:2000],
            progress=progress or {},
        )

    def abandon(self, progress: dict[str, Any] | None = None) -> None:
        """End the lease as if the run had not begun, or had come as far as `progress`.

        Where the database is away, the lease runs out by itself.
        """
        with suppress(DatabaseError):
            self._update_if_held(worker="", lease_until=None, progress=progress or {})

    def _update_if_held(self, **fields: object) -> bool:
        return bool(MaintenanceTask.objects.filter(name=self._task.name, worker=self._holder).update(**fields))


def acquire(task: Task, *, if_due: bool) -> TaskLease | None:
    """Take the lease on `task`, unless somebody else holds it or, with `if_due`, it was done lately."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    if if_due:
        every_s = task.every_s * _DUE_FROM
        failed_before = Q(finished_at__lt=from_now(-min(every_s, _RETRY_AFTER_S))) & ~Q(error="")
        free &= Q(finished_at=None) | Q(finished_at__lt=from_now(-every_s)) | failed_before
    holder = f"{socket.gethostname()[:200]}:{os.getpid()}:{uuid4().hex[:8]}"
    lease = {"worker": holder, "lease_until": from_now(task.lease_s)}
    row = MaintenanceTask.objects.filter(name=task.name)
    if not row.filter(free).update(**lease):
        if row.exists():
            return None
        MaintenanceTask.objects.bulk_create([MaintenanceTask(name=task.name)], ignore_conflicts=True)
        if not row.filter(free).update(**lease):
            return None
    return TaskLease(task, holder, row.values_list("progress", flat=True).get())


def lease_holder(task: Task) -> str:
    """Return who does the task now, empty for nobody. A holder of this host whose process is gone loses its lease."""
    row = MaintenanceTask.objects.filter(name=task.name)
    holder = row.filter(lease_until__gte=Now()).values_list("worker", flat=True).first() or ""
    if holder and _is_gone(holder):
        row.filter(worker=holder).update(worker="", lease_until=None)
        return ""
    return holder


def _is_gone(holder: str) -> bool:
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname()[:200] or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
