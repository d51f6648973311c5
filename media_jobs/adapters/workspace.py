"""Temporary files of a worker, in a directory of its own that others can remove once it is gone."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import structlog

from media_jobs.errors import WorkspaceFull, WorkspaceUnavailable, is_disk_full

log = structlog.get_logger(__name__)

_LOCK = "lock"
#: To make a workspace anew, where others sweep at the same moment.
_TRIES = 20


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what the system refuses within into WorkspaceUnavailable, and into WorkspaceFull where the disk is full."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        if is_disk_full(error):
            log.error("workspace_full", error=why)
            raise WorkspaceFull from error
        log.error("workspace_failed", error=why, file=error.filename)
        raise WorkspaceUnavailable(why) from error


class Workspace:
    """A directory under `root` for one process. It holds a lock in there until its process ends.

    Making it raises WorkspaceUnavailable.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.path = root / name
        for _ in range(_TRIES):
            with translate_errors():
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = _locked(self.path)
            if lock and (self.path / _LOCK).exists():
                self._lock = lock
                return
            # Somebody swept it before it was locked.
        raise WorkspaceUnavailable(f"{name} cannot be locked")

    @property
    def is_there(self) -> bool:
        """Whether nobody has removed it, or put another in its place."""
        try:
            return (self.path / _LOCK).stat().st_ino == os.fstat(self._lock.fileno()).st_ino
        except OSError:
            return False

    def close(self) -> None:
        remove_folder(self.path)
        self._lock.close()


@contextmanager
def temporary_folder(prefix: str, within: Path) -> Iterator[Path]:
    """A new folder, removed at the end as far as that goes. Raises WorkspaceUnavailable where it cannot be made.

    `tempfile.TemporaryDirectory` calls itself without end where it may not remove something.
    """
    with translate_errors():
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=within))
    try:
        yield folder
    finally:
        remove_folder(folder)


#: Folders of this process that could not be removed when their time had come.
_left: set[Path] = set()


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it. Never raises: what stays is left to `remove_left`."""
    shutil.rmtree(path, ignore_errors=True)
    if os.path.lexists(path):
        _left.add(path)


def remove_left() -> None:
    """Remove what could not be removed before. Never raises."""
    for path in [*_left]:
        _left.discard(path)
        remove_folder(path)


def abandoned(root: Path) -> list[str]:
    """Return the directories of processes that are gone: what `sweep` would remove. Raises WorkspaceUnavailable."""
    return sorted(path.name for path in _listed(root) if _is_abandoned(path))


def sweep(root: Path) -> int:
    """Remove the directories of processes that are gone. Returns how many. Safe beside living ones.

    Raises WorkspaceUnavailable.
    """
    removed = 0
    for path in _listed(root):
        try:
            lock = _locked(path)
        except OSError:  # a full disk, or no right to: later
            continue
        if lock is None:
            continue
        remove_folder(path)
        lock.close()
        removed += 1
        log.info("workspace_swept", path=path.name)
    return removed


def _listed(root: Path) -> list[Path]:
    with translate_errors():
        return list(root.iterdir()) if root.is_dir() else []


def _is_abandoned(path: Path) -> bool:
    try:
        with (path / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return path.is_dir()  # its process died before it could lock it, or is just about to
    except OSError:
        return False
    return True


def _locked(path: Path) -> IO[bytes] | None:
    """Return the lock of a workspace, or None when its process lives, or somebody else has just removed it.

    Raises OSError where it cannot be made.
    """
    try:
        lock = os.fdopen(os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
