"""The room that a product leaves: so many files of an instruction, and of a caller in a day.

A file takes its place before a byte of it is stored, and counts from then on. So two that arrive at the same moment
never both get the last place, and one that is refused gives it back.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import structlog
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import F, QuerySet

from media_jobs.errors import DailyLimitReached, InstructionFull
from media_jobs.models import Instruction, ProductDay, UploadPlace
from media_jobs.services.jobs.transitions import from_now

log = structlog.get_logger(__name__)

#: What a process that died left does not count for longer: no upload takes so long.
DEAD_AFTER = timedelta(hours=1)


def take(instruction: Instruction) -> UploadPlace | None:
    """Take the room of one more file; None where the product sets no limit. Raises InstructionFull, DailyLimitReached.

    Whoever takes one locks what it counts.
    """
    product = instruction.product
    if not (product.files_per_instruction or product.files_per_day):
        return None
    today = datetime.now(UTC).date()
    with transaction.atomic():
        _check(instruction, today, more=1)
        return UploadPlace.objects.create(instruction=instruction, product=product, owner=instruction.owner, day=today)


def use(instruction: Instruction, places: Sequence[UploadPlace]) -> None:
    """Turn places into files, which are in the database by now. Needs the transaction that writes these.

    Raises InstructionFull, DailyLimitReached where a place went stale, and others took the room meanwhile.
    """
    if not places:
        return
    used = UploadPlace.objects.filter(pk__in=[place.pk for place in places]).delete()[0]
    if used < len(places):
        _check(instruction, places[0].day, more=0)
    if instruction.product.files_per_day:
        day = _locked_day(instruction, places[0].day)
        day.update(files=F("files") + len(places))


def release(places: Sequence[UploadPlace]) -> None:
    """Give places back. Never fails for want of a database: then they go stale."""
    if not places:
        return
    try:
        UploadPlace.objects.filter(pk__in=[place.pk for place in places]).delete()
    except DatabaseError as error:
        log.warning("places_left_behind", count=len(places), error=type(error).__name__)


def _check(instruction: Instruction, day: date, *, more: int) -> None:
    """Raise where there is no room for so many more. Locks the instruction, and then the caller's day."""
    product = instruction.product
    live = UploadPlace.objects.filter(created_at__gt=from_now(-DEAD_AFTER.total_seconds()))
    if most := product.files_per_instruction:
        now = Instruction.objects.select_for_update(no_key=True).get(pk=instruction.pk)
        if now.files + live.filter(instruction=instruction).count() + more > most:
            raise InstructionFull(limit=most)
    if most := product.files_per_day:
        taken = _locked_day(instruction, day).values_list("files", flat=True).get()
        coming = live.filter(product=product, owner=instruction.owner, day=day).count()
        if taken + coming + more > most:
            raise DailyLimitReached(limit=most, retry_after_s=_until_next(day))


def _locked_day(instruction: Instruction, day: date) -> QuerySet[ProductDay]:
    whose = {"product": instruction.product, "owner": instruction.owner, "day": day}
    found = ProductDay.objects.filter(**whose)
    if not found.select_for_update(no_key=True).values_list("pk").first():
        ProductDay.objects.bulk_create([ProductDay(**whose)], ignore_conflicts=True)
        found.select_for_update(no_key=True).values_list("pk").first()
    return found


def _until_next(day: date) -> int:
    tomorrow = datetime.combine(day + timedelta(days=1), time(), UTC)
    return max(1, int((tomorrow - datetime.now(UTC)).total_seconds()) + 1)
