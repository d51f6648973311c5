"""What all expected failures have in common."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, ClassVar


class Blame(StrEnum):
    """Whose fault it was that a job's attempt failed; `services.jobs.failures` knows what follows from it."""

    FILE = "file"  #: the file itself: trying again cannot help
    SERVER = "server"  #: storage, network or disk: later it may go well
    MACHINE = "machine"  #: memory or time: once more where there is more of both
    BUG = "bug"  #: ours: once more, should it have been a coincidence
    CALLER = "caller"  #: whoever sent the request: there is no job
    NOBODY = "nobody"  #: not a failure


class MediaError(Exception):
    """Base of all expected failures. `str(error)` is the sentence that a person may read.

    The arguments fill the template `sentence`, by position or by name: `Undecodable()`,
    `StorageUnavailable("listing files")`, `TooManyFrames(frames=9, limit=5)`.
    """

    code: ClassVar[str]
    #: Stated by each class, or by its parent for all of a kind: ImageRefused, StorageUnavailable, RequestError.
    blame: ClassVar[Blame]
    sentence: ClassVar[str] = "{}"
    #: Where the same request may go well later: in how many seconds, for `Retry-After`.
    retry_after_s: ClassVar[int | None] = None
    #: What programs are told beside code and sentence, JSON-ready.
    members: Mapping[str, Any] = {}

    def __init__(self, *facts: object, **named_facts: object) -> None:
        super().__init__(self.sentence.format(*facts, **named_facts))


def all_kinds(base: type[MediaError] = MediaError) -> Iterator[type[MediaError]]:
    """Yield the classes below `base`."""
    for kind in base.__subclasses__():
        yield kind
        yield from all_kinds(kind)
