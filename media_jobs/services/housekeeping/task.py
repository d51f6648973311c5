"""A housekeeping task, one run of it, and what it finds."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

import structlog

from media_jobs.errors import Blame, MediaError, StorageUnavailable
from media_jobs.ports import Heartbeat, no_heartbeat
from media_jobs.services.object_deletion import DEAD_AFTER_S

log = structlog.get_logger(__name__)

#: So many findings are looked for, and repaired, together.
BATCH = 100
#: After so many refusals in a row the storage is taken to be away.
_GIVE_UP_AFTER = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to repair: the line that a person reads, and the row, key or id that the task works on."""

    description: str
    subject: Any


@dataclass(frozen=True, slots=True)
class Ages:
    """How old things are when they are removed, in seconds.

    leftover_s: what its maker should have finished: uploads, files of dead workers, unfinished writes.
    deleting_s: objects whose deletion was begun.
    orphan_s: objects without a row, since they were first seen.
    staging_s: files that were uploaded straight to the storage, since their upload was begun: longer than it may take
        to become an image, and than the form is valid with which the file may be stored again.
    """

    leftover_s: float = 30 * 60
    deleting_s: float = DEAD_AFTER_S
    orphan_s: float = timedelta(days=7).total_seconds()
    staging_s: float = timedelta(hours=2).total_seconds()

    @classmethod
    def for_leftovers(cls, age: timedelta | None) -> "Ages":
        """Return the ages of workers for None; for zero, ages at which all that is not wanted is removed at once."""
        if age is None:
            return cls()
        if not age:
            return cls(leftover_s=0, deleting_s=0, orphan_s=0, staging_s=0)
        return cls(leftover_s=age.total_seconds())


class NotAllRepaired(MediaError):
    """The storage refused some of it; the next run tries again."""

    code = "not_all_repaired"
    blame = Blame.SERVER
    sentence = "{count:,} could not be deleted and stay for the next time. {why}"


class Observer:
    """Receives the progress of housekeeping. This one ignores it."""

    def waiting(self, task: "Task", worker: str) -> None:
        """`worker` does this task at this moment."""

    def started(self, task: "Task") -> None: ...

    def examined(self, task: "Task", count: int) -> None:
        """`count` more things were examined; called only where that takes long."""

    def found(self, task: "Task", findings: list[Finding]) -> None: ...

    def repaired(self, task: "Task", count: int) -> None: ...


class TaskRun:
    """One run of one task.

    heartbeat: called now and then while it lasts; what it raises ends the run.
    limit_s: soon after so long the run ends with what is repaired by then; with None, when all is repaired.
    progress: of an earlier run that came to no end, JSON-ready; `find` goes on from there, and says here how far it is.
    """

    def __init__(
        self,
        task: "Task",
        ages: Ages,
        *,
        observer: Observer | None = None,
        heartbeat: Heartbeat = no_heartbeat,
        limit_s: float | None = None,
        progress: dict[str, Any] | None = None,
    ) -> None:
        self.task, self.ages, self.heartbeat = task, ages, heartbeat
        self.found = self.repaired = self.refused = 0
        self.progress: dict[str, Any] = progress or {}
        #: `find` has stopped early, and left in `progress` where.
        self.paused = False
        self._deadline = None if limit_s is None else time.monotonic() + limit_s
        self._observer = observer or Observer()
        self._refused_in_a_row = 0
        self._refusal = ""

    def findings(self) -> Iterator[list[Finding]]:
        for findings in self.task.find(self):
            self.heartbeat()
            self.found += len(findings)
            self._observer.found(self.task, findings)
            yield findings

    def repair(self, findings: list[Finding]) -> None:
        repaired = self.task.repair(self, findings)
        self.repaired += repaired
        self._observer.repaired(self.task, repaired)

    def raise_for_refusals(self) -> None:
        """Raise NotAllRepaired where the storage refused something."""
        if self.refused:
            raise NotAllRepaired(count=self.refused, why=self._refusal)

    def is_out_of_time(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def examined(self, count: int) -> None:
        self.heartbeat()
        self._observer.examined(self.task, count)

    def for_each(self, findings: Iterable[Finding], do: Callable[[Any], bool | None]) -> list[Finding]:
        """Call `do` with the subject of each finding. Return those with which it succeeded: it did not answer False.

        What the storage refuses, and what there is no time for, is left for the next run. Raises StorageUnavailable
        when the storage seems to be away.
        """
        done: list[Finding] = []
        for finding in findings:
            if self.is_out_of_time():
                break
            self.heartbeat()
            try:
                if do(finding.subject) is not False:
                    done.append(finding)
                self._refused_in_a_row = 0
            except StorageUnavailable as error:
                self.refused += 1
                self._refused_in_a_row += 1
                self._refusal = str(error)
                log.warning("not_repaired", task=self.task.name, what=finding.description, why=self._refusal)
                if self._refused_in_a_row >= _GIVE_UP_AFTER or self.is_out_of_time():
                    raise
        return done


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of thing that goes wrong, and how it is found and repaired.

    about: what it does, in a few words.
    every_s: how often workers do it.
    find: looks for it, lazily and in batches; changes nothing.
    repair: repairs what still is as it was found, checking that in the same step, and returns how many those were. May
        be repeated, and may die anywhere.
    lease_s: how long a lease holder that died keeps others from the task.
    per_host: concerns this host only, so that every host does it for itself, without a lease.
    """

    name: str
    about: str
    every_s: float
    find: Callable[[TaskRun], Iterator[list[Finding]]]
    repair: Callable[[TaskRun, list[Finding]], int]
    lease_s: float = 60
    per_host: bool = False


def batched(things: Iterable[Any], size: int = BATCH) -> Iterator[list[Any]]:
    iterator = iter(things)
    while batch := list(islice(iterator, size)):
        yield batch
