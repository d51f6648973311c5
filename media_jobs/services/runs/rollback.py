"""Takes a run back, image by image: what it replaced becomes current again.

Nothing is rendered and no object is touched: the files of before lie where they lay. What the run made stays for caches
as long as anything that was replaced.
"""

import time
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from media_jobs.models import Derivative, Original, ReprocessRun, RunItem
from media_jobs.pipeline.values import Rights
from media_jobs.states import DerivativeState, RunItemState

_PAGE = 50
#: Something newer than the run has replaced what it made: that stays.
CHANGED_SINCE = "changed_since"


def roll_back_some(run: ReprocessRun, *, for_s: float) -> bool:
    """Take back images for a while; return whether none is left. May die anywhere: each image is one transaction."""
    until = time.monotonic() + for_s
    done = RunItem.objects.filter(run=run, state=RunItemState.DONE, tallied=True).order_by("original")
    while page := list(done[:_PAGE]):
        for item in page:
            _roll_back(item)
            if time.monotonic() > until:
                return False
    return True


def _roll_back(item: RunItem) -> None:
    with transaction.atomic():
        original = Original.objects.select_for_update(no_key=True).get(pk=item.original_id)
        whole = _restore_derivatives(item)
        if whole:
            _restore_facts(original, (item.before or {}).get("facts", {}))
        rolled_back = RunItem.objects.filter(pk=item.pk, state=RunItemState.DONE)
        to = {"state": RunItemState.ROLLED_BACK, "code": "" if whole else CHANGED_SINCE}
        if rolled_back.update(**to):
            numbers = ReprocessRun.objects.filter(pk=item.run_id)
            numbers.update(done=F("done") - 1, rolled_back=F("rolled_back") + 1)


def _restore_derivatives(item: RunItem) -> bool:
    """Swap the derivatives of before in; return whether all of the image's are as the run had left them."""
    if item.job_id is None:
        return False
    rows = Derivative.objects.filter(original=item.original_id)
    replaced = list(rows.filter(replaced_by=item.job_id, state=DerivativeState.REPLACED))
    kept = {entry["id"]: entry for entry in (item.before or {}).get("kept", [])}
    made = list(rows.filter(job=item.job_id, state=DerivativeState.CURRENT))
    out = [row.pk for row in made if str(row.pk) not in kept]
    rows.filter(pk__in=out).update(state=DerivativeState.REPLACED, replaced_at=Now())
    for row in made:
        if was := kept.get(str(row.pk)):
            rows.filter(pk=row.pk).update(job=was["job"], preset=was["preset"])
    names = {row.rendition for row in made}
    back = [row.pk for row in replaced if row.rendition in names]
    rows.filter(pk__in=back).update(state=DerivativeState.CURRENT, replaced_at=None, replaced_by=None)
    return len(back) == len(replaced) and len(made) == len(item.job.wanted if item.job else ())


def _restore_facts(original: Original, facts: dict[str, Any]) -> None:
    """What a person has stated meanwhile stays stated."""
    if not facts:
        return
    if in_file := facts.get("rights_in_file"):
        valid = Rights(**in_file).outranked_by(original.stated_rights)
        facts = facts | {name: getattr(valid, name) for name in Rights.__slots__}
    Original.objects.filter(pk=original.pk).update(**facts)
