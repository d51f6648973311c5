"""Temporary files of a worker, in a directory of its own that others can remove once it is gone."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import structlog

from media_jobs.errors import WorkspaceFull, is_disk_full

log = structlog.get_logger(__name__)

_LOCK = "lock"


@contextmanager
def room_on_disk() -> Iterator[None]:
    """Raise WorkspaceFull where writing temporary files within failed because the disk is full."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            log.error("workspace_full", error=error.strerror)
            raise WorkspaceFull from error
        raise


class Workspace:
    """A directory under `root` for one process. It holds a lock in there until its process ends.

    Making it raises WorkspaceFull.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.path = root / name
        while True:
            with room_on_disk():
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = _locked(self.path)
            if lock and (self.path / _LOCK).exists():
                break  # else somebody swept it before it was locked
        self._lock = lock

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def abandoned(root: Path) -> list[str]:
    """Return the directories of processes that are gone: what `sweep` would remove."""
    return sorted(path.name for path in (root.iterdir() if root.is_dir() else ()) if _is_abandoned(path))


def sweep(root: Path) -> int:
    """Remove the directories of processes that are gone. Returns how many. Safe beside living ones."""
    removed = 0
    for path in root.iterdir() if root.is_dir() else ():
        try:
            lock = _locked(path)
        except OSError:  # a full disk: later
            continue
        if lock is None:
            continue
        shutil.rmtree(path, ignore_errors=True)
        lock.close()
        removed += 1
        log.info("workspace_swept", path=path.name)
    return removed


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

    Raises OSError where the disk has no room for it.
    """
    try:
        lock = os.fdopen(os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    except OSError as error:
        if is_disk_full(error):  # trying again at once would never end
            raise
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
