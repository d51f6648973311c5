"""Where the site that is moved over has its pictures: its keys, and its files, which are only read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from media_jobs import keys
from media_jobs.adapters.storage import Role, legacy_store
from media_jobs.errors import (
    BadLegacyKey,
    FileTooLarge,
    LegacyDenied,
    LegacyFolderMissing,
    ObjectMissing,
    StorageDenied,
)
from media_jobs.pipeline.recipes import LEGACY
from media_jobs.ports import Heartbeat, ObjectReader

#: The sizes beside an original, by the names that they and the renditions of the preset have.
SIZES = {rendition.name: rendition.side_px for rendition in reversed(LEGACY.renditions)}
#: The last part of a key: the size is named before the extension.
_NAME = re.compile(r".+_original\.[A-Za-z0-9]{2,5}")


def checked(key: str) -> str:
    """Return `key` if it is one of an original of the site. Raises BadLegacyKey."""
    try:
        keys.checked(key)
    except ValueError:
        raise _bad(key) from None
    if not key.startswith(settings.LEGACY_PREFIX) or not _NAME.fullmatch(key.rpartition("/")[2]):
        raise _bad(key)
    return key


def size_key(key: str, size: str) -> str:
    """Return the key of a size of the original that has `key`."""
    named, _, extension = key.rpartition(".")
    return f"{named.removesuffix('_original')}_{size}.{extension}"


def exists(key: str) -> bool:
    """Whether the site has such a file. Raises LegacyDenied, StorageUnavailable."""
    with _explained():
        found = legacy_store().exists(key)
    if not found:
        _look_for_folder()
    return found


def fetch(key: str, into: Path, *, heartbeat: Heartbeat, most_bytes: int) -> bool:
    """Write a file of the site into `into`; False where it has none.

    Raises FileTooLarge, LegacyDenied, StorageUnavailable, WorkspaceUnavailable, and what `heartbeat` raises.
    """

    def look() -> None:
        heartbeat()
        if into.exists() and into.stat().st_size > most_bytes:
            raise FileTooLarge(limit_bytes=most_bytes)

    try:
        with _explained():
            legacy_store().fetch(key, into, heartbeat=look)
    except ObjectMissing:
        _look_for_folder()
        return False
    look()
    return True


def open_size(key: str, size: str) -> ObjectReader:
    """Open a size of an original, or with `original` that itself, for somebody who looks at it.

    Raises LegacyDenied, ObjectMissing, ReadsNotConfigured, StorageUnavailable.
    """
    with _explained():
        return legacy_store(Role.READ).open(size_key(key, size) if size in SIZES else key)


@contextmanager
def _explained() -> Iterator[None]:
    """Say of a right that is lacking that it is one to the site's pictures: those to ours may be all there."""
    try:
        yield
    except StorageDenied as error:
        if type(error) is not StorageDenied:  # the clock is another matter
            raise
        raise LegacyDenied(prefix=settings.LEGACY_PREFIX) from error


def _look_for_folder() -> None:
    """Tell a folder that is not mounted here, or misspelt, from one in which the site has not got a file."""
    if settings.LEGACY_FOLDER and not Path(settings.LEGACY_FOLDER).exists():
        raise LegacyFolderMissing(folder=settings.LEGACY_FOLDER)


def _bad(key: str) -> BadLegacyKey:
    return BadLegacyKey(key=key[:100], prefix=settings.LEGACY_PREFIX)
