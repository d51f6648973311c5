"""The ledger is filled page by page, in the order of the images' ids, up to the last one there was at confirmation."""

from django.db import connection, transaction
from django.db.models import BooleanField, CharField, F, QuerySet, UUIDField, Value
from django.db.models.functions import Now

from media_jobs.models import Original, ReprocessRun, RunItem
from media_jobs.services.runs import selection
from media_jobs.states import RunItemState

#: Images that are looked at in one transaction.
PAGE = 5_000
#: – so that a run begins at once.
FIRST_PAGE = 200


def fill_page(run: ReprocessRun, size: int = 0) -> bool:
    """Write the next page of the ledger; False when it is whole. size: how many images are looked at, PAGE by default.

    It may die anywhere, and be called by two at once: page and cursor are one transaction.
    """
    if run.filled_at is not None:
        return False
    size = size or PAGE
    rows = Original.objects.order_by("pk")
    if run.filled_to:
        rows = rows.filter(pk__gt=run.filled_to)
    if run.last_image is None:
        last = None
    else:
        page = rows.filter(pk__lte=run.last_image)
        last = page.values_list("pk", flat=True)[size - 1 : size].first() or run.last_image
    here = ReprocessRun.objects.filter(pk=run.pk, filled_to=run.filled_to, filled_at=None)
    whole = last == run.last_image
    with transaction.atomic():
        # The cursor first: whoever comes second waits for it, and finds it elsewhere.
        if here.update(filled_to=last, **({"filled_at": Now()} if whole else {})) and last is not None:
            meant = selection.images(run).filter(pk__lte=last)
            if run.filled_to:
                meant = meant.filter(pk__gt=run.filled_to)
            added = _insert(run, meant)
            ReprocessRun.objects.filter(pk=run.pk).update(total=F("total") + added)
    run.refresh_from_db(fields=["filled_to", "filled_at", "total"])
    return run.filled_at is None


def _insert(run: ReprocessRun, meant: QuerySet[Original]) -> int:
    """INSERT … SELECT: no row passes through this process."""
    fixed = {
        "run_id": Value(run.pk, UUIDField()),
        "state": Value(RunItemState.TODO.value, CharField()),
        "code": Value("", CharField()),
        "tallied": Value(False, BooleanField()),
    }
    chosen = meant.order_by("pk").values_list("pk", *fixed.values())
    sql, parameters = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {RunItem._meta.db_table} (original_id, {', '.join(fixed)}) {sql}", parameters)
        return int(cursor.rowcount)
