"""Writes one object as a file, which waits in `.partial/` and is renamed into place."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from media_jobs.adapters.storage.file_errors import translate_errors

log = structlog.get_logger(__name__)


class FileWriter:
    """Keeps the promises of `ports.ObjectWriter`: bytes go to `partial`, which becomes `target`."""

    def __init__(self, target: Path, partial: Path) -> None:
        self._target, self._partial = target, partial
        self._committed = self._aborted = False
        with translate_errors("storing a file"):
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
        with suppress(OSError):  # the disk is full
            self._file.close()
        try:
            self._partial.unlink(missing_ok=True)
        except OSError as error:
            log.warning("abort_failed", partial=self._partial.name, error=error.strerror)

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        """End the write whatever goes wrong within, so that a part of the bytes can never be committed."""
        if self._committed or self._aborted:
            raise ValueError("this write has ended")
        try:
            with translate_errors("storing a file"):
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


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
