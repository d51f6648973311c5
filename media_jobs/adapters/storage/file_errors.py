"""The file system's errors, as those of a storage."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from media_jobs.errors import ObjectMissing, StorageFull, StorageUnavailable, is_disk_full

log = structlog.get_logger(__name__)


@contextmanager
def translate_errors(doing: str, key: str | None = None) -> Iterator[None]:
    """Turn the file system's errors into ours. With `key`, a missing file is ObjectMissing.

    Raises ObjectMissing, StorageFull, StorageUnavailable.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise (ObjectMissing(key) if key else StorageUnavailable(doing)) from error
    except OSError as error:
        log.error("storage_failed", doing=doing, error=error.strerror)
        raise (StorageFull() if is_disk_full(error) else StorageUnavailable(doing)) from error
