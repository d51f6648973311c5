"""Who does which part now: at most one at a time, over all processes and hosts."""

import os
import socket
import time
from contextlib import suppress
from uuid import uuid4

from django.db import Error as DatabaseError
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.errors import MediaError
from media_jobs.models import MaintenanceTask
from media_jobs.services.housekeeping.part import Part
from media_jobs.services.jobs.transitions import from_now

#: What failed is tried again after so many seconds, even if it is done seldom.
_TRY_AGAIN_S = 600
#: Clocks of processes and intervals never meet exactly: what is nearly due is due.
_NEARLY = 0.9


class PartLost(MediaError):
    """This keeper was silent for too long."""

    code = "part_lost"

    def __init__(self) -> None:
        super().__init__("Somebody else has gone on with it, because this process was held up for so long.")


class Keeper:
    """Holds a part until `release`; the lease is on the database's clock. Made by `take`."""

    def __init__(self, part: Part, name: str) -> None:
        self._part, self._name = part, name
        self._began = self._renewed = time.monotonic()

    def heartbeat(self) -> None:
        """Renew the lease when a third of it is gone. Raises PartLost when somebody else has the part."""
        if time.monotonic() - self._renewed < self._part.lease_s / 3:
            return
        if not self._mine(lease_until=from_now(self._part.lease_s)):
            raise PartLost
        self._renewed = time.monotonic()

    def release(self, *, repaired: int, error: str = "") -> None:
        """Write down what came of it."""
        took_ms = int((time.monotonic() - self._began) * 1000)
        self._mine(
            worker="", lease_until=None, finished_at=Now(), repaired=repaired, duration_ms=took_ms, error=error[:2000]
        )

    def leave(self) -> None:
        """Let others go on, as if it had not been begun; best effort: the lease ends it otherwise."""
        with suppress(DatabaseError):
            self._mine(worker="", lease_until=None)

    def _mine(self, **to: object) -> bool:
        return bool(MaintenanceTask.objects.filter(name=self._part.name, worker=self._name).update(**to))


def take(part: Part, *, if_due: bool) -> Keeper | None:
    """Begin `part` unless somebody else is at it, or, with `if_due`, it was done lately."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    if if_due:
        every = part.every_s * _NEARLY
        failed_before = Q(finished_at__lt=from_now(-min(every, _TRY_AGAIN_S))) & ~Q(error="")
        free &= Q(finished_at=None) | Q(finished_at__lt=from_now(-every)) | failed_before
    name = f"{socket.gethostname()[:200]}:{os.getpid()}:{uuid4().hex[:8]}"
    to = {"worker": name, "lease_until": from_now(part.lease_s)}
    row = MaintenanceTask.objects.filter(name=part.name)
    if row.filter(free).update(**to):
        return Keeper(part, name)
    if not row.exists():
        MaintenanceTask.objects.bulk_create([MaintenanceTask(name=part.name)], ignore_conflicts=True)
        if row.filter(free).update(**to):
            return Keeper(part, name)
    return None


def holder(part: Part) -> str:
    """Who does it now, empty for nobody. A process of this host that is gone is taken off it."""
    name = (
        MaintenanceTask.objects.filter(name=part.name, lease_until__gte=Now()).values_list("worker", flat=True).first()
        or ""
    )
    if name and _is_gone(name):
        MaintenanceTask.objects.filter(name=part.name, worker=name).update(worker="", lease_until=None)
        return ""
    return name


def _is_gone(name: str) -> bool:
    host, _, rest = name.partition(":")
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
