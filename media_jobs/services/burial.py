"""Removing objects, so that nobody who wants the same key at the same moment loses it.

Keys are made of what decides the bytes, so a file that is thrown away here may be made anew by somebody else, under
the same key, at this moment. Both sides therefore look at the rows under a lock on the original, and what is about to
be deleted has a doomed tombstone meanwhile. No storage is asked within a transaction.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import KeyBeingDeleted
from media_jobs.models import Derivative, Original, Tombstone
from media_jobs.states import DerivativeState


def reserve(original_id: UUID, keys: Iterable[str]) -> None:
    """Make sure that nobody deletes `keys` any more. In one transaction with the rows that name them.

    Raises KeyBeingDeleted.
    """
    lock(original_id)
    tombstones = Tombstone.objects.filter(key__in=list(keys))
    if tombstones.filter(doomed=True).exists():
        raise KeyBeingDeleted
    tombstones.delete()


def bury(derivative: Derivative) -> bool:
    """Remove a derivative that is not current and, unless another row names it too, its object.

    False when somebody else did, or when it became current. Raises StorageUnavailable: its tombstone stays.
    """
    with transaction.atomic():
        lock(derivative.original_id)
        unwanted = Derivative.objects.filter(pk=derivative.pk).exclude(state=DerivativeState.CURRENT)
        if not unwanted.delete()[0]:
            return False
        doomed = not Derivative.objects.filter(key=derivative.key).exists()
        if doomed:
            Tombstone.objects.update_or_create(key=derivative.key, defaults={"doomed": True})
    if doomed:
        delete_doomed(derivative.key)
    return True


def delete_doomed(key: str) -> None:
    """Delete the object of a doomed tombstone, and then the tombstone. Raises StorageUnavailable."""
    store(Role.WORKER).delete(key)
    Tombstone.objects.filter(key=key, doomed=True).delete()


def lock(original_id: UUID) -> None:
    """Until the end of the transaction. On SQLite a transaction is alone anyway."""
    Original.objects.select_for_update().filter(pk=original_id).values_list("pk").first()
