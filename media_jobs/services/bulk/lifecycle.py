"""What people do with bulk actions. One changes by conditional updates; losing is WrongState."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet, UUIDField
from django.db.models.functions import Now

from media_jobs.callers import Caller
from media_jobs.errors import BadRequest, WrongState
from media_jobs.library import rows
from media_jobs.library.filters import Filter
from media_jobs.models import BulkAction, BulkItem, Original, ReprocessRun
from media_jobs.services import changes
from media_jobs.services.bulk import driving
from media_jobs.services.runs import lifecycle as runs
from media_jobs.services.runs.selection import Selection
from media_jobs.states import BulkKind, BulkState

log = structlog.get_logger(__name__)

#: Drafts that nobody confirmed are forgotten after so long.
_DRAFTS_KEPT = timedelta(days=1)
_PK: "UUIDField[UUID, UUID]" = UUIDField()


def draft(kind: BulkKind, *, owner: Caller, wanted: Filter | None = None, ids: Collection[UUID] = ()) -> BulkAction:
    """Freeze the set: all pictures that the filter means at this moment, or those of these ids. Nothing is done yet.

    Raises BadRequest where there are none.
    """
    chosen = rows.matching(wanted) if wanted else Original.objects.filter(pk__in=list(ids))
    with transaction.atomic():
        BulkAction.objects.filter(state=BulkState.DRAFT, created_at__lt=Now() - _DRAFTS_KEPT).delete()
        action = BulkAction.objects.create(
            kind=kind, owner=owner.id, chosen_by=wanted.to_query() if wanted else {}, state=BulkState.DRAFT
        )
        action.total = _freeze(action, chosen)
        if not action.total:
            raise BadRequest("No picture is chosen.")
        action.save(update_fields=["total"])
    return action


def confirm(action_id: UUID, *, actor: Caller, params: Mapping[str, Any] | None = None) -> BulkAction:
    """Begin, in the name of `actor`, whoever drafted it.

    params: `tags` to add, or `rights` to state, as the kind takes. Raises BadRequest, WrongState.
    """
    given = dict(params or {})
    with transaction.atomic():
        found = BulkAction.objects.filter(pk=action_id, state=BulkState.DRAFT)
        action = found.select_for_update().first()
        if action is None:
            raise WrongState("This was confirmed before, or is too old; choose the pictures again.")
        needed = {BulkKind.TAG: "tags", BulkKind.RIGHTS: "rights"}.get(BulkKind(action.kind))
        if needed and not given.get(needed):
            raise BadRequest(f"Say which {needed}.")
        found.update(state=BulkState.RUNNING, params=given, owner=actor.id, confirmed_at=Now())
        changes.record(action, "confirmed", actor=actor, after={"pictures": action.total, **given})
    log.info("bulk_confirmed", bulk=str(action_id), kind=action.kind, pictures=action.total, actor=actor.id)
    driving.drive(action_id, driving.name())
    return BulkAction.objects.get(pk=action_id)


def confirm_redo(action_id: UUID, *, actor: Caller, preset: str) -> ReprocessRun:
    """Make a reprocess run of a draft: of exactly the pictures that were shown. It begins at once.

    Raises UnknownPreset, WrongState.
    """
    with transaction.atomic():
        action = BulkAction.objects.select_for_update().filter(pk=action_id, state=BulkState.DRAFT).first()
        if action is None:
            raise WrongState("This was confirmed before, or is too old; choose the pictures again.")
        ids = BulkItem.objects.filter(action=action).order_by("id").values_list("original_id", flat=True)
        run = runs.create(
            owner=actor,
            preset=preset,
            selection=Selection(any_preset=True, refused=True),
            image_ids=ids.iterator(chunk_size=5_000),
            note=f"{action.total:,} pictures, chosen in the library",
        )
        action.delete()
    return runs.confirm(run.pk, actor=actor)


def stop(action_id: UUID, *, actor: Caller) -> BulkAction:
    """Do nothing more of it; what is done stays. Raises WrongState."""
    with transaction.atomic():
        running = BulkAction.objects.filter(pk=action_id, state=BulkState.RUNNING)
        if not running.update(state=BulkState.STOPPED, ended_at=Now()):
            raise WrongState("It is over already; there is nothing left to stop.")
        action = BulkAction.objects.get(pk=action_id)
        changes.record(action, "stopped", actor=actor)
    return action


def drop(action_id: UUID) -> None:
    """Forget a draft. What was confirmed stays."""
    BulkAction.objects.filter(pk=action_id, state=BulkState.DRAFT).delete()


def _freeze(action: BulkAction, chosen: QuerySet[Original]) -> int:
    """Write one item for each picture, within the database: no row of a hundred thousand comes here."""
    try:
        sql, values = chosen.order_by("pk").values("pk").query.sql_with_params()
    except EmptyResultSet:  # it is known beforehand that there is nothing
        return 0
    table = connection.ops.quote_name(BulkItem._meta.db_table)
    key = _PK.get_db_prep_value(action.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (action_id, original_id) SELECT %s, chosen.* FROM ({sql}) chosen",  # noqa: S608  (the table's and the query's own text)
            [key, *values],
        )
        return int(cursor.rowcount)
