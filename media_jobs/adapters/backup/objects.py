"""Stored files, copied into a folder and back. What lies under a key never changes, so what is there stays."""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path


def copy(keys: Iterable[str], source: Path, target: Path, *, copied: Callable[[int], None] = lambda _: None) -> int:
    """Copy the files of `keys` that `target` lacks; how many. copied: called with the size of each, in bytes.

    Of a copy that breaks off nothing stays under a key. What was deleted meanwhile is left out.
    """
    count = 0
    for key in keys:
        path, there = source / key, target / key
        try:
            size_bytes = path.stat().st_size
            if there.exists() and there.stat().st_size == size_bytes:
                continue
            there.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = there.with_name(f"{there.name}.partial")
            _copy(path, partial)
        except FileNotFoundError:
            continue
        partial.replace(there)
        copied(size_bytes)
        count += 1
    return count


def _copy(source: Path, target: Path) -> None:
    """Copy a file so that it survives a power cut."""
    shutil.copyfile(source, target)
    target.chmod(0o600)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def keys_in(folder: Path) -> Iterable[str]:
    """Yield the keys of all files in a folder that `copy` made."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith(".partial"):
            yield path.relative_to(folder).as_posix()
