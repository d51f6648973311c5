"""Objects as files of one directory. Writes wait in `.partial/` and are renamed into place."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlencode
from uuid import uuid4

import structlog
from django.core.files.storage import FileSystemStorage

from media_jobs import keys
from media_jobs.adapters.pace import paced
from media_jobs.adapters.storage.file_links import FormGrant, Grant, form_token, link_token
from media_jobs.adapters.storage.transfer import CHUNK_BYTES, copy, received
from media_jobs.errors import ObjectMissing, StorageFull, StorageUnavailable, is_disk_full
from media_jobs.ports import Form, Heartbeat, Outgoing, no_heartbeat

log = structlog.get_logger(__name__)

_PARTIAL = ".partial"
_READING = "reading a file"
#: Written to see whether there is room: more than what waits in memory before it is written.
_TRIAL = bytes(65_536)


class FileStore:
    """Keeps the promises of `ports.ObjectStore` in the directory `location`, all of it on one file system.

    media_url: where this service serves the files.
    public_url: where else derivatives are served from, if anywhere.
    min_free_bytes: of its disk. With less, `check_room` finds it full, and only what is under way is still written.
    """

    def __init__(self, location: Path, *, media_url: str, public_url: str = "", min_free_bytes: int = 0) -> None:
        self._location = location
        self._min_free_bytes = min_free_bytes
        self._storage = FileSystemStorage(location)
        self._partial = location / _PARTIAL
        self._media_url = media_url
        self._public_url = public_url or media_url

    def begin(self, key: str, *, content_type: str) -> "FileWriter":
        return FileWriter(self.path(key), self._partial / uuid4().hex)

    def put(self, files: Sequence[Outgoing], *, heartbeat: Heartbeat = no_heartbeat) -> None:
        for outgoing in files:
            keys.checked(outgoing.key)
        tick = paced(heartbeat)
        for outgoing in files:
            self._put(outgoing, tick)

    def _put(self, outgoing: Outgoing, tick: Heartbeat) -> None:
        writer = self.begin(outgoing.key, content_type=outgoing.content_type)
        try:
            with outgoing.source.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    writer.write(chunk)
                    tick()
            writer.commit()
        finally:
            writer.abort()

    def fetch(self, key: str, into: Path, *, heartbeat: Heartbeat = no_heartbeat) -> None:
        with _Source(self.path(key), key) as source, received(into) as file:
            copy(source, file, paced(heartbeat))

    def delete(self, key: str) -> None:
        path = self.path(key)
        with _translated("deleting a file"):
            path.unlink(missing_ok=True)

    def keys(self, prefix: str = "") -> Iterator[str]:
        start = self._location / prefix.rpartition("/")[0]
        for folder, folders, files in _walked(start):
            folders[:] = [name for name in folders if name != _PARTIAL]
            for file in files:
                key = (Path(folder) / file).relative_to(self._location).as_posix()
                if key.startswith(prefix):
                    yield key

    def unfinished(self, *, older_than_s: float = 0) -> list[str]:
        return [path.name for path in self._unfinished(older_than_s)]

    def sweep(self, *, older_than_s: float) -> int:
        removed = 0
        for path in self._unfinished(older_than_s):
            with _translated("removing an unfinished upload"):
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
        """The fields are those of S3 that clients know; what counts is in the token."""
        grant = FormGrant(keys.checked(key), content_type, least_bytes, most_bytes, time.time() + expires_s)
        return Form(self._signed(key, form_token(grant)), {"key": key, "Content-Type": content_type})

    def check(self) -> None:
        self.check_room()
        writer = self.begin("uploads/check", content_type="text/plain")
        try:
            writer.write(_TRIAL)
        finally:
            writer.abort()

    def check_room(self) -> None:
        with _translated("being asked for its room"):
            try:
                disk = os.statvfs(self._location)
            except FileNotFoundError:  # before the first object
                disk = os.statvfs(_nearest(self._location))
        if disk.f_bavail * disk.f_frsize < self._min_free_bytes:
            log.warning("storage_nearly_full", free_bytes=disk.f_bavail * disk.f_frsize)
            raise StorageFull

    def path(self, key: str) -> Path:
        """Where `key` lies, or would lie. Raises ValueError for what is no key."""
        return Path(self._storage.path(keys.checked(key)))

    def _signed(self, key: str, token: str) -> str:
        return f"{self._media_url}/{quote(key)}?{urlencode({'token': token})}"

    def _unfinished(self, older_than_s: float) -> Iterator[Path]:
        began_before = time.time() - older_than_s
        with _translated("listing unfinished uploads"):
            for path in list(self._partial.iterdir()) if self._partial.is_dir() else ():
                with suppress(FileNotFoundError):  # committed or aborted meanwhile
                    if path.stat().st_mtime <= began_before:
                        yield path


class _Source:
    """An object to read from, whose errors are the storage's: it raises ObjectMissing and StorageUnavailable."""

    def __init__(self, path: Path, key: str) -> None:
        with _translated(_READING, key):
            self._file = path.open("rb", buffering=0)

    def read(self, amount: int, /) -> bytes:
        with _translated(_READING):
            return self._file.read(amount)

    def __enter__(self) -> "_Source":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class FileWriter:
    """Keeps the promises of `ports.ObjectWriter`: bytes go to `partial`, which becomes `target`."""

    def __init__(self, target: Path, partial: Path) -> None:
        self._target, self._partial = target, partial
        self._committed = self._aborted = False
        with _translated("storing a file"):
            _make_directory(partial.parent)
            self._file = open(partial, "xb", opener=_private)  # noqa: SIM115 - closed by commit and abort

    def write(self, chunk: bytes) -> None:
        with self._whole_or_nothing():
            self._file.write(chunk)

    def commit(self, *, sha256: str = "") -> None:
        if self._committed:
            return
        with self._whole_or_nothing():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            _make_directory(self._target.parent)
            self._partial.replace(self._target)
            _sync_directory(self._target.parent)
        self._committed = True

    def abort(self) -> None:
        if self._committed or self._aborted:
            return
        self._aborted = True
        with suppress(OSError):  # a full disk, again
            self._file.close()
        try:
            self._partial.unlink(missing_ok=True)
        except OSError as error:
            log.warning("abort_failed", partial=self._partial.name, error=error.strerror)

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        """Whatever goes wrong in here ends the write, so that a part of the bytes can never be committed."""
        if self._committed or self._aborted:
            raise ValueError("this write has ended")
        try:
            with _translated("storing a file"):
                yield
        except BaseException:
            self.abort()
            raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_directory(path: Path) -> None:
    """Make `path` and its parents so that they survive a power cut."""
    if path.is_dir():
        return
    _make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    _sync_directory(path.parent)


def _nearest(path: Path) -> Path:
    """The folder that is there and would hold `path`, near or far."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _walked(start: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    with _translated("listing files"):
        yield from os.walk(start, onerror=_unless_missing)


@contextmanager
def _translated(doing: str, key: str | None = None) -> Iterator[None]:
    """The file system's errors in our words. With `key`, a missing file is a missing object.

    Raises ObjectMissing, StorageFull, StorageUnavailable.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise (ObjectMissing(key) if key else StorageUnavailable(doing)) from error
    except OSError as error:
        log.error("storage_failed", doing=doing, error=error.strerror)
        raise (StorageFull() if is_disk_full(error) else StorageUnavailable(doing)) from error
