"""Protocols of what the core needs from outside, where more than one implementation exists."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

#: Called again and again while bytes move, at most a few times a second apart; whatever it raises ends the call.
Heartbeat = Callable[[], None]


def no_heartbeat() -> None:
    """Do nothing; the default of calls that take a heartbeat."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file that is to become an object."""

    key: str
    source: Path
    content_type: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a list shows it. stored_at: when it was stored last."""

    key: str
    size_bytes: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class Form:
    """How a browser may store an object by itself: POST `fields` and, last, `file` to `url`."""

    url: str
    fields: dict[str, str]


class ObjectWriter(Protocol):
    """One object being written, by one thread. Ends with one of `commit` and `abort`; both may be repeated.

    Whatever raises has ended the write: later calls of `write` and `commit` raise ValueError.
    """

    def write(self, chunk: bytes) -> None:
        """Append `chunk`. Raises StorageUnavailable."""

    def commit(self, *, sha256: str = "") -> None:
        """Make the object visible, whole, in one step.

        sha256: of all that was written, in hexadecimal, where the caller knows it; it may save computing it again.

        Raises StorageUnavailable; then nothing is visible, unless only the storage's answer was lost.
        """

    def abort(self) -> None:
        """Discard what was written. Never raises; what could not be removed is listed by `unfinished()`."""


class ObjectReader(Protocol):
    """An object that is being read. Whoever opened it closes it."""

    def read(self, amount: int, /) -> bytes:
        """Return the next bytes, at most `amount`; none at the end. Raises StorageUnavailable."""

    def close(self) -> None:
        """Let go of it; what was not read is of no use any more."""


class ObjectStore(Protocol):
    """Bytes under keys: see `keys.checked`, whose ValueError all methods raise. What lies under a key never changes."""

    def begin(self, key: str, *, content_type: str) -> ObjectWriter:
        """Start writing an object. Nothing is visible under `key` before `commit()`; `abort()` leaves nothing."""

    def put(self, files: Sequence[Outgoing], *, heartbeat: Heartbeat = no_heartbeat) -> None:
        """Store each file whole or not at all, several at the same time where that is faster.

        Returns once all are there. When it raises, some may be there, and none is still on its way.
        Raises StorageUnavailable.
        """

    def fetch(self, key: str, into: Path, *, heartbeat: Heartbeat = no_heartbeat) -> None:
        """Write the object into the file `into`.

        Raises ObjectMissing, StorageUnavailable, ReadsNotConfigured, and WorkspaceUnavailable where `into` cannot be
        written.
        """

    def open(self, key: str, *, start: int = 0, end: int | None = None) -> ObjectReader:
        """Open the object for reading from byte `start` to before byte `end`, or to its own end.

        Raises ObjectMissing, StorageUnavailable, ReadsNotConfigured.
        """

    def delete(self, key: str) -> None:
        """Remove `key`; absence is fine. Raises StorageUnavailable."""

    def keys(self, prefix: str = "", *, after: str = "") -> Iterator[str]:
        """Yield all visible keys that start with `prefix`, always in the same order: by bytes, or by folders and names.

        after: only those that come behind this one, which may be gone by now. Raises StorageUnavailable.
        """

    def exists(self, key: str) -> bool:
        """Whether there is an object. Raises StorageUnavailable.

        Where the credentials may not ask, it is what everybody is told of a public one.
        """

    def objects(self, prefix: str = "", *, after: str = "") -> Iterator[Listed]:
        """Like `keys`, with size and time of each. Raises StorageUnavailable.

        Some may have keys that `keys.checked` refuses, where somebody else stored them.
        """

    def unfinished(self, *, older_than_s: float = 0) -> list[str]:
        """Return the names of writes begun so long ago and neither committed nor aborted: what `sweep` would remove.

        Raises StorageUnavailable.
        """

    def sweep(self, *, older_than_s: float) -> int:
        """Remove writes that were begun more than `older_than_s` seconds ago and never ended. Returns how many.

        Raises StorageUnavailable.
        """

    def url(self, key: str) -> str:
        """Return the stable public URL of a derivative."""

    def signed_url(self, key: str, *, filename: str, content_type: str, expires_s: int) -> str:
        """Return a URL by which a private object can be read for `expires_s` seconds. Raises ReadsNotConfigured."""

    def form(self, key: str, *, content_type: str, least_bytes: int, most_bytes: int, expires_s: int) -> Form:
        """Return a form by which an object of that size and type can be stored under `key` for `expires_s` seconds.

        Until then it may be stored again and again, and nothing is promised of the bytes: they are to be checked.
        """

    def check(self) -> None:
        """Prove that writing is possible, leaving nothing behind. Raises StorageUnavailable, StorageFull."""

    def check_room(self, *, times: int = 1) -> None:
        """Raise StorageFull when the disk is nearly full; a storage without a disk of ours always has room.

        times: how many times as much has to be free, for what is to be refused before others are. Costs at most one
        system call: asked before every upload.
        """
