"""Objects that no row names: found in the storage, kept for a while, then deleted."""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import Any

from django.db.models import Model, Q, QuerySet

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import MediaError
from media_jobs.keys import PREFIXES, is_ours
from media_jobs.models import Derivative, DirectUpload, Original, Tombstone
from media_jobs.selectors import batches
from media_jobs.services import object_deletion
from media_jobs.services.housekeeping.part import Find, Sitting, batched
from media_jobs.services.jobs.transitions import from_now

#: Where more objects than these were listed, at most half of them may have no row.
_FUSE_FROM = 100
_LISTED_TOGETHER = 500


class ForeignStorage(MediaError):
    """Nothing of it is touched."""

    code = "foreign_storage"

    def __init__(self, *, listed: int, orphans: int) -> None:
        super().__init__(
            f"Of {listed:,} stored objects {orphans:,} have no row: this looks like the storage of another database. "
            "Nothing was marked. Check DATABASE_URL and the storage's settings; after a restore, whether it was whole."
        )


def find(sitting: Sitting) -> Iterator[list[Find]]:
    """Objects without a row and without a tombstone. Raises ForeignStorage, StorageUnavailable."""
    with SpooledTemporaryFile(max_size=1_048_576, mode="w+") as lines:
        listed = orphans = 0
        for keys in batched(_stored(), _LISTED_TOGETHER):
            unnamed = _unnamed(keys)
            listed += len(keys)
            orphans += len(unnamed)
            lines.writelines(f"{key}\n" for key in unnamed)
            sitting.looked(len(keys))
        if listed > _FUSE_FROM and orphans * 2 > listed:
            raise ForeignStorage(listed=listed, orphans=orphans)
        lines.seek(0)
        for keys in batched(line.rstrip("\n") for line in lines):
            known = set(Tombstone.objects.filter(key__in=keys).values_list("key", flat=True))
            if finds := [Find(f"{key}: no row names it", key) for key in keys if key not in known]:
                yield finds


def mark(_: Sitting, finds: list[Find]) -> int:
    """From now on it is known since when they are orphans; what comes to be wanted later stays."""
    Tombstone.objects.bulk_create([Tombstone(key=find.it) for find in finds], ignore_conflicts=True)
    return len(finds)


def find_due(sitting: Sitting) -> Iterator[list[Find]]:
    """What was being deleted by somebody who died, and orphans that nobody has come for."""
    ages = sitting.ages
    due = Q(deleting=True, created_at__lte=from_now(-ages.deleting_s)) | Q(
        deleting=False, created_at__lte=from_now(-ages.orphan_s)
    )
    for page in batches(Tombstone.objects.filter(due)):
        yield [Find(f"{row.key}: {'half deleted' if row.deleting else 'no row names it'}", row.key) for row in page]


def remove(sitting: Sitting, finds: list[Find]) -> int:
    return len(
        sitting.each(finds, lambda key: object_deletion.delete_unreferenced(key, dead_after_s=sitting.ages.deleting_s))
    )


def _stored() -> Iterator[str]:
    """All objects whose keys are of our making. Whatever else lies there is not ours to judge.

    Raises StorageUnavailable.
    """
    for prefix in PREFIXES:
        yield from (key for key in store(Role.WORKER).keys(prefix) if is_ours(key))


def _unnamed(keys: list[str]) -> list[str]:
    """Those that no row names. A row is written before its object, so one that is missing now was removed."""
    tables = (Original, Derivative, DirectUpload)
    named = {key for table in tables for key in _named(table, keys)}
    return [key for key in keys if key not in named]


def _named(table: type[Model], keys: list[str]) -> "QuerySet[Any, str]":
    return table._default_manager.filter(key__in=keys).values_list("key", flat=True)
