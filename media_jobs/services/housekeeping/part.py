"""What a part of housekeeping is made of."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

import structlog

from media_jobs.errors import MediaError, StorageUnavailable
from media_jobs.ports import Heartbeat, no_heartbeat
from media_jobs.services.object_deletion import DEAD_AFTER_S

log = structlog.get_logger(__name__)

#: So many finds are looked for, and repaired, together.
BATCH = 100
#: After so many refusals in a row the storage is taken to be away.
_GIVE_UP_AFTER = 3


@dataclass(frozen=True, slots=True)
class Find:
    """Something to repair: what a person reads of it, and what its part needs to know."""

    what: str
    it: Any


@dataclass(frozen=True, slots=True)
class Ages:
    """How old things are when they go, in seconds.

    leftover_s: what its maker should have finished: uploads, files of dead workers, unfinished writes.
    deleting_s: objects that were just being deleted.
    orphan_s: objects without a row, since they were first seen.
    staging_s: uploads past the web process, since they were begun: longer than one may become an image, and than a form
        is good with which the file may be stored again.
    """

    leftover_s: float = 30 * 60
    deleting_s: float = DEAD_AFTER_S
    orphan_s: float = timedelta(days=7).total_seconds()
    staging_s: float = timedelta(hours=2).total_seconds()

    @classmethod
    def of_leftovers(cls, age: timedelta | None) -> "Ages":
        """None: as workers do it. Zero: nobody is at anything, so that whatever is not wanted goes at once."""
        if age is None:
            return cls()
        if not age:
            return cls(leftover_s=0, deleting_s=0, orphan_s=0, staging_s=0)
        return cls(leftover_s=age.total_seconds())


class NotAllRepaired(MediaError):
    """The storage refused some of it; the next time tries again."""

    code = "not_all_repaired"

    def __init__(self, left: int, why: str) -> None:
        super().__init__(f"{left:,} could not be deleted and stay for the next time. {why}")


class Watch:
    """Hears how far housekeeping is. This one does not listen."""

    def waiting(self, part: "Part", worker: str) -> None:
        """`worker` does this part at this moment."""

    def started(self, part: "Part") -> None: ...

    def looked(self, part: "Part", count: int) -> None:
        """`count` more things were looked at; told only where that takes long."""

    def found(self, part: "Part", finds: list[Find]) -> None: ...

    def repaired(self, part: "Part", count: int) -> None: ...


class Sitting:
    """One go at one part.

    heartbeat: called now and then while it lasts; what it raises ends it.
    limit_s: it ends, with what is repaired by then, soon after; None: when all is repaired.
    """

    def __init__(
        self,
        part: "Part",
        ages: Ages,
        *,
        watch: Watch | None = None,
        heartbeat: Heartbeat = no_heartbeat,
        limit_s: float | None = None,
    ) -> None:
        self.part, self.ages, self.heartbeat = part, ages, heartbeat
        self._until = None if limit_s is None else time.monotonic() + limit_s
        self.found = self.repaired = self.left = 0
        self._watch = watch or Watch()
        self._in_a_row = 0
        self._why = ""

    def finds(self) -> Iterator[list[Find]]:
        for finds in self.part.find(self):
            self.heartbeat()
            self.found += len(finds)
            self._watch.found(self.part, finds)
            yield finds

    def repair(self, finds: list[Find]) -> None:
        repaired = self.part.repair(self, finds)
        self.repaired += repaired
        self._watch.repaired(self.part, repaired)

    def close(self) -> None:
        """Raises NotAllRepaired."""
        if self.left:
            raise NotAllRepaired(self.left, self._why)

    def is_over(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until

    def looked(self, count: int) -> None:
        self.heartbeat()
        self._watch.looked(self.part, count)

    def each(self, finds: Iterable[Find], do: Callable[[Any], bool | None]) -> list[Find]:
        """Those of `finds` with which `do` went well: it did not answer False.

        What the storage refuses, and what there is no time for, is left for the next time. Raises StorageUnavailable
        when the storage seems to be away.
        """
        done: list[Find] = []
        for find in finds:
            if self.is_over():
                break
            self.heartbeat()
            try:
                if do(find.it) is not False:
                    done.append(find)
                self._in_a_row = 0
            except StorageUnavailable as error:
                self.left += 1
                self._in_a_row += 1
                self._why = str(error)
                log.warning("not_repaired", part=self.part.name, what=find.what, why=self._why)
                if self._in_a_row >= _GIVE_UP_AFTER or self.is_over():
                    raise
        return done


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of thing that goes wrong.

    about: what it does, in a few words.
    every_s: how often workers do it.
    find: looks for it, lazily and in batches; changes nothing.
    repair: sets it right, where in the same step it still is as it was found, and says how many that were. May be
        repeated, and may die anywhere.
    lease_s: how long a keeper that died keeps others from it.
    everywhere: concerns this host only, so that every host does it for itself, as often as it likes.
    """

    name: str
    about: str
    every_s: float
    find: Callable[[Sitting], Iterator[list[Find]]]
    repair: Callable[[Sitting, list[Find]], int]
    lease_s: float = 60
    everywhere: bool = False


def batched(things: Iterable[Any], size: int = BATCH) -> Iterator[list[Any]]:
    iterator = iter(things)
    while batch := list(islice(iterator, size)):
        yield batch
