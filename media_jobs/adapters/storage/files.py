"""Objects as files of one directory."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode
from uuid import uuid4

import structlog
from django.core.files.storage import FileSystemStorage

from media_jobs import keys
from media_jobs.adapters.storage.file_errors import translate_errors
from media_jobs.adapters.storage.file_links import FormGrant, Grant, form_token, link_token
from media_jobs.adapters.storage.file_writer import FileWriter
from media_jobs.adapters.storage.threads import run_while_they_move
from media_jobs.adapters.storage.transfer import CHUNK_BYTES, copy, new_file
from media_jobs.adapters.throttle import throttled
from media_jobs.errors import ObjectMissing, StorageFull
from media_jobs.ports import Form, Heartbeat, Listed, Outgoing, no_heartbeat

log = structlog.get_logger(__name__)

_PARTIAL = ".partial"
_PUTS = 4  # at the same time
_READING = "reading a file"
#: Written to see whether there is room: more than the buffer of a file.
_TRIAL = bytes(65_536)


class FileStore:
    """Keeps the promises of `ports.ObjectStore` in the directory `location`, all of it on one file system.

    media_url: where this service serves the files.
    public_url: where else derivatives are served from, if anywhere.
    min_free_bytes: of its disk. With less, `check_room` raises, and only what is under way is still written.
    """

    def __init__(self, location: Path, *, media_url: str, public_url: str = "", min_free_bytes: int = 0) -> None:
        self._location = location
        self._min_free_bytes = min_free_bytes
        self._storage = FileSystemStorage(location)
        self._partial = location / _PARTIAL
        self._media_url = media_url
        self._public_url = public_url or media_url

    def begin(self, key: str, *, content_type: str) -> FileWriter:
        return FileWriter(self.path(key), self._partial / uuid4().hex)

    def put(self, files: Sequence[Outgoing], *, heartbeat: Heartbeat = no_heartbeat) -> None:
        for outgoing in files:
            keys.checked(outgoing.key)
        if len(files) == 1:
            self._put(files[0], throttled(heartbeat))
        else:  # each waits for the disk three times, and the disk can write for all of them at once
            run_while_they_move(heartbeat, [partial(self._put, outgoing) for outgoing in files], at_once=_PUTS)

    def _put(self, outgoing: Outgoing, heartbeat: Heartbeat) -> None:
        writer = self.begin(outgoing.key, content_type=outgoing.content_type)
        try:
            with outgoing.source.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    writer.write(chunk)
                    heartbeat()
            writer.commit()
        finally:
            writer.abort()

    def fetch(self, key: str, into: Path, *, heartbeat: Heartbeat = no_heartbeat) -> None:
        with _ObjectReader(self.path(key), key) as reader, new_file(into) as file:
            copy(reader, file, throttled(heartbeat))

    def open(self, key: str, *, start: int = 0, end: int | None = None) -> "_ObjectReader":
        return _ObjectReader(self.path(key), key, start=start, end=end)

    def delete(self, key: str) -> None:
        path = self.path(key)
        with translate_errors("deleting a file"):
            path.unlink(missing_ok=True)

    def keys(self, prefix: str = "", *, after: str = "") -> Iterator[str]:
        folder = prefix[: prefix.rfind("/") + 1]
        for key in _below(self._location / folder, folder, after):
            if key.startswith(prefix):
                yield key

    def exists(self, key: str) -> bool:
        with translate_errors(_READING):
            return self.path(key).is_file()

    def objects(self, prefix: str = "", *, after: str = "") -> Iterator[Listed]:
        for key in self.keys(prefix, after=after):
            with translate_errors("listing files"):
                try:
                    found = (self._location / key).stat()
                except FileNotFoundError:
                    continue  # deleted meanwhile
            yield Listed(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def unfinished(self, *, older_than_s: float = 0) -> list[str]:
        return [path.name for path in self._unfinished(older_than_s)]

    def sweep(self, *, older_than_s: float) -> int:
        removed = 0
        for path in self._unfinished(older_than_s):
            with translate_errors("removing an unfinished upload"):
                try:
                    path.unlink()
                except FileNotFoundError:
                    continue  # committed or aborted meanwhile
                removed += 1
        return removed

    def url(self, key: str) -> str:
        return f"{self._public_url}/{quote(keys.checked(key))}"

    def signed_url(self, key: str, *, filename: str, content_type: str, expires_s: int) -> str:
        grant = Grant(keys.checked(key), filename, content_type, time.time() + expires_s)
        return self._signed(key, link_token(grant))

    def form(self, key: str, *, content_type: str, least_bytes: int, most_bytes: int, expires_s: int) -> Form:
        """Return a form with the fields of S3 that clients know; what counts is in the token."""
        grant = FormGrant(keys.checked(key), content_type, least_bytes, most_bytes, time.time() + expires_s)
        return Form(self._signed(key, form_token(grant)), {"key": key, "Content-Type": content_type})

    def check(self) -> None:
        self.check_room()
        writer = self.begin("uploads/check", content_type="text/plain")
        try:
            writer.write(_TRIAL)
        finally:
            writer.abort()

    def check_room(self, *, times: int = 1) -> None:
        with translate_errors("being asked for its room"):
            try:
                disk = os.statvfs(self._location)
            except FileNotFoundError:  # before the first object
                disk = os.statvfs(_nearest(self._location))
        if disk.f_bavail * disk.f_frsize < times * self._min_free_bytes:
            log.warning("storage_nearly_full", free_bytes=disk.f_bavail * disk.f_frsize)
            raise StorageFull

    def path(self, key: str) -> Path:
        """Return the file of `key`, there or not. Raises ValueError for what is no key."""
        return Path(self._storage.path(keys.checked(key)))

    def _signed(self, key: str, token: str) -> str:
        return f"{self._media_url}/{quote(key)}?{urlencode({'token': token})}"

    def _unfinished(self, older_than_s: float) -> Iterator[Path]:
        began_before = time.time() - older_than_s
        with translate_errors("listing unfinished uploads"):
            for path in list(self._partial.iterdir()) if self._partial.is_dir() else ():
                with suppress(FileNotFoundError):  # committed or aborted meanwhile
                    if path.stat().st_mtime <= began_before:
                        yield path


class _ObjectReader:
    """Reads an object, or the part of it from `start` to before `end`. Raises ObjectMissing and StorageUnavailable."""

    def __init__(self, path: Path, key: str, *, start: int = 0, end: int | None = None) -> None:
        with translate_errors(_READING, key):
            self._file = path.open("rb", buffering=0)
            self._file.seek(start)
        self._left_bytes = None if end is None else max(end - start, 0)

    def read(self, amount: int, /) -> bytes:
        if self._left_bytes is not None:
            amount = min(amount, self._left_bytes)
        with translate_errors(_READING):
            piece = self._file.read(amount)
        if self._left_bytes is not None:
            self._left_bytes -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "_ObjectReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _nearest(path: Path) -> Path:
    """Return the nearest parent of `path` that exists."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def _below(folder: Path, path: str, after: str) -> Iterator[str]:
    """Yield the keys of all files in `folder`, whose own keys begin with `path`, that come behind `after`, in order."""
    for name, is_folder in _entries(folder):
        key = f"{path}{name}/" if is_folder else f"{path}{name}"
        if is_folder and (key > after or after.startswith(key)):
            yield from _below(folder / name, key, after)
        elif not is_folder and key > after:
            yield key


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Return names, and whether they are folders', in the order of the keys that begin with them; none of no folder."""
    try:
        with translate_errors("listing files", str(folder)), os.scandir(folder) as found:
            entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found if entry.name != _PARTIAL]
    except ObjectMissing:  # emptied and removed meanwhile, or not made yet
        return []
    return sorted(entries, key=lambda entry: f"{entry[0]}/" if entry[1] else entry[0])
