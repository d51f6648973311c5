"""Temporary files of a worker, in a directory of its own that others can clear away once it is gone."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

import structlog

log = structlog.get_logger(__name__)

_LOCK = "lock"


class Workspace:
    """A directory under `root` for one process. It holds a lock in there, which ends with it, however it ends."""

    def __init__(self, root: Path, name: str) -> None:
        self.path = root / name
        while True:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _locked(self.path)
            if lock and (self.path / _LOCK).exists():
                break  # else somebody swept it before it was locked
        self._lock = lock

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def sweep(root: Path) -> int:
    """Remove the directories of processes that are gone; how many. Safe beside living ones."""
    removed = 0
    for path in root.iterdir() if root.is_dir() else ():
        lock = _locked(path)
        if lock is None:
            continue
        shutil.rmtree(path, ignore_errors=True)
        lock.close()
        removed += 1
        log.info("workspace_swept", path=path.name)
    return removed


def _locked(path: Path) -> IO[bytes] | None:
    """The lock of a workspace, or None when its process lives, or somebody else has just cleared it away."""
    try:
        lock = os.fdopen(os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
