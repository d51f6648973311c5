"""Deletes objects, so that nobody who stores the same key at the same moment loses it.

Keys are made of what decides the bytes, so a file that is deleted here may be made anew by somebody else, under the
same key, at this moment. Both sides therefore look at the rows under a lock on the original, and what is about to be
deleted has a deleting tombstone meanwhile, which names its one deleter. No storage is called within a transaction.
"""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs import keys as object_keys
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import KeyBeingDeleted
from media_jobs.models import Derivative, DirectUpload, Original, Tombstone
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import DerivativeState

log = structlog.get_logger(__name__)

#: A deleter that has not finished by then is dead, and another may take its place.
DEAD_AFTER_S = 120
#: A deleter that was held up for so long, since it had its lock, does not call the storage, which takes its time, too:
#: by DEAD_AFTER_S at the latest another may have deleted the object and a third have stored it anew.
_LATE_AFTER_S = 10
#: How old the tombstone looks that such a deleter leaves: whoever looks next deletes the object.
_LONG_AGO_S = timedelta(days=3650).total_seconds()
#: SQLite compares moments as texts, and its own have fewer digits than ours.
_ROUNDING = timedelta(milliseconds=1)


def reserve(original_id: UUID, keys: Iterable[str]) -> None:
    """Make sure that nobody deletes `keys` any more. Called in the transaction that writes the rows that name them.

    Raises KeyBeingDeleted.
    """
    lock_original(original_id)
    found = dict(Tombstone.objects.filter(key__in=list(keys)).values_list("key", "deleting"))
    if any(found.values()):
        raise KeyBeingDeleted
    if found:
        Tombstone.objects.filter(key__in=found, deleting=False).delete()


def delete_derivative(derivative: Derivative) -> bool:
    """Remove a derivative that is not current and, unless another row names it too, its object.

    Where its row is gone already, the object is deleted all the same, since it may have been stored only after that.
    Returns False when there was nothing to delete: it has become current, or somebody else did it or is about to.
    Raises StorageUnavailable: its tombstone stays.
    """
    with transaction.atomic():
        lock_original(derivative.original_id)
        began = time.monotonic()
        unwanted = Derivative.objects.filter(pk=derivative.pk).exclude(state=DerivativeState.CURRENT)
        removed = bool(unwanted.delete()[0])
        if is_referenced(derivative.key):
            return removed
        mark = _mark_deleting(derivative.key, DEAD_AFTER_S)
    return _delete(derivative.key, mark, began) or removed


def delete_unreferenced(key: str, *, dead_after_s: float = DEAD_AFTER_S) -> bool:
    """Delete an object that has a tombstone, unless a row names it by now: then only the tombstone.

    Returns False when the object stays, or somebody else is deleting it.
    Raises StorageUnavailable: its tombstone stays.
    """
    with transaction.atomic():
        if image_id := object_keys.image_of(key):
            lock_original(image_id)
        began = time.monotonic()
        if is_referenced(key):
            Tombstone.objects.filter(key=key).delete()
            return False
        mark = _mark_deleting(key, dead_after_s)
        if mark and is_referenced(key):  # since a moment ago: who writes such a row locks the tombstone
            Tombstone.objects.filter(key=key).delete()
            return False
    return _delete(key, mark, began)


def is_referenced(key: str) -> bool:
    """Whether a row names the object."""
    return any(model._default_manager.filter(key=key).exists() for model in (Derivative, Original, DirectUpload))


def lock_original(original_id: UUID) -> str | None:
    """Lock the row until the end of the transaction, and return its state, None where it is gone.

    Rows that refer to the original may be written meanwhile; who writes one that names a key takes this lock, too. On
    SQLite a transaction is alone anyway.
    """
    row = Original.objects.select_for_update(no_key=True).filter(pk=original_id)
    return row.values_list("state", flat=True).first()


def _mark_deleting(key: str, dead_after_s: float) -> datetime | None:
    """Become the deleter of `key`. Return the mark that tells it from others, or None when another one lives."""
    free = Q(deleting=False) | Q(created_at__lte=from_now(-dead_after_s))
    if not Tombstone.objects.filter(free, key=key).update(deleting=True, created_at=Now()):
        _, is_new = Tombstone.objects.get_or_create(key=key, defaults={"deleting": True})
        if not is_new:
            return None
    return Tombstone.objects.values_list("created_at", flat=True).get(key=key)


def _delete(key: str, mark: datetime | None, began: float) -> bool:
    """Delete the object whose tombstone bears `mark`, and then the tombstone. Raises StorageUnavailable."""
    if mark is None:
        return False
    marked = Tombstone.objects.filter(key=key, deleting=True, created_at__range=(mark - _ROUNDING, mark + _ROUNDING))
    if time.monotonic() - began > _LATE_AFTER_S:
        log.warning("deleter_too_late", key=key)
        marked.update(deleting=False, created_at=from_now(-_LONG_AGO_S))
        return False
    store(Role.WORKER).delete(key)
    ours = marked.delete()[0]
    if not ours and is_referenced(key):
        # It was held up within the call itself until it was replaced. Nothing can prevent that, so somebody must know.
        log.error("object_deleted_late", key=key)
    return True
