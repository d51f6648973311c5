"""The object store of this process: files in the data directory, or S3 when S3_BUCKET is set."""

import functools
import os
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from media_jobs.adapters.storage.s3_checksums import PartChecksum
from media_jobs.ports import ObjectStore

if settings.S3_BUCKET:
    # Tens of megabytes that the forked workers share, if it is here before they are.
    from media_jobs.adapters.storage import s3 as _preloaded  # noqa: F401


class Role(StrEnum):
    """The role of the caller. Each may have credentials of its own, which allow no more than it needs."""

    WEB = "web"  #: writes and aborts
    WORKER = "worker"  #: reads, writes, lists, deletes
    READ = "read"  #: reads, for links to private objects


@functools.cache
def store(role: Role) -> ObjectStore:
    """Return the store with the credentials of `role`, made on first use. Connects to nothing yet."""
    if settings.S3_BUCKET:
        from media_jobs.adapters.storage.s3 import S3Store  # noqa: PLC0415 - boto3 only where it is used

        return S3Store(
            settings.S3_BUCKET,
            credentials=_credentials(role),
            region=settings.S3_REGION,
            endpoint_url=settings.S3_ENDPOINT_URL,
            public_url=settings.CDN_BASE_URL,
            part_checksum=PartChecksum(settings.S3_PART_CHECKSUM),
            ca_bundle=settings.S3_CA_BUNDLE,
        )
    from media_jobs.adapters.storage.files import FileStore  # noqa: PLC0415 - only where it is used

    media_url = f"{settings.PUBLIC_BASE_URL}/media"
    return FileStore(
        settings.OBJECTS_DIR,
        media_url=media_url,
        public_url=settings.CDN_BASE_URL,
        min_free_bytes=settings.MIN_FREE_DISK_BYTES,
    )


@functools.cache
def legacy_store(role: Role = Role.WORKER) -> ObjectStore:
    """Return where the site that is moved over has its pictures, by default `store`. Only ever read.

    role: whose credentials it is read with, where it has none of its own.
    """
    if settings.LEGACY_FOLDER:
        from media_jobs.adapters.storage.files import FileStore  # noqa: PLC0415 - only where it is used

        return FileStore(Path(settings.LEGACY_FOLDER), media_url="")
    if settings.LEGACY_S3_BUCKET:
        from media_jobs.adapters.storage.s3 import S3Store  # noqa: PLC0415 - boto3 only where it is used

        own = settings.LEGACY_S3_CREDENTIALS
        return S3Store(
            settings.LEGACY_S3_BUCKET,
            credentials=own if own[0] else _credentials(role),
            region=settings.LEGACY_S3_REGION,
            endpoint_url=settings.LEGACY_S3_ENDPOINT_URL,
            ca_bundle=settings.S3_CA_BUNDLE,
        )
    return store(role)


def prepare() -> None:
    """Make the stores for the forks of this process, which share what clients of S3 take: 5 MB for each of them.

    Nothing is connected yet, and this process uses none of them itself.
    """
    global _are_for_forks  # noqa: PLW0603 - one state of the process
    for role in Role:
        store(role)
    _are_for_forks = True


def _forget_those_of_the_parent() -> None:
    """Connections and threads of the parent are of no use to a child."""
    global _are_for_forks  # noqa: PLW0603
    if not _are_for_forks:
        store.cache_clear()
        legacy_store.cache_clear()
    _are_for_forks = False  # from here on they are used


_are_for_forks = False
os.register_at_fork(after_in_child=_forget_those_of_the_parent)


def _credentials(role: Role) -> tuple[str, ...] | None:
    """Return key, secret and session token for `role`, or None where it has none. A single set serves all roles."""
    web, worker, read = (
        credentials if credentials[0] else None
        for credentials in (settings.S3_WEB_CREDENTIALS, settings.S3_WORKER_CREDENTIALS, settings.S3_READ_CREDENTIALS)
    )
    match role:
        case Role.WEB:
            return web
        case Role.WORKER:
            return worker or web
        case Role.READ:
            return read or (None if worker else web)
