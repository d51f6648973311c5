"""The work of bulk actions, done by one process at a time, a little each second, by whoever has a moment."""

import os
import socket
import time
from collections import defaultdict
from uuid import UUID

import structlog
from django.db.models import F, Q
from django.db.models.functions import Now

from media_jobs import callers
from media_jobs.callers import Caller, CallerKind
from media_jobs.models import BulkAction, BulkItem
from media_jobs.services.bulk import doing
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import BulkItemState, BulkKind, BulkState

log = structlog.get_logger(__name__)

#: One turn takes about so long at most; jobs wait meanwhile.
TURN_S = 0.5
#: So many pictures are taken together: between two batches a stop is noticed.
_BATCH = 50
_HOLD_S = 30
_COUNTERS = {BulkItemState.DONE: "done", BulkItemState.SKIPPED: "skipped", BulkItemState.FAILED: "failed"}


def name() -> str:
    """Return what this process is called while it works on one."""
    return f"{socket.gethostname()[:200]}-{os.getpid()}"


def drive_all(worker: str) -> None:
    """Give each running bulk action a turn. One query where there is none."""
    for pk in BulkAction.objects.filter(state=BulkState.RUNNING).values_list("pk", flat=True):
        drive(pk, worker)


def drive(action_id: UUID, worker: str) -> None:
    """Give it a turn of about TURN_S, unless somebody else is at it. Who dies here has it done again, without harm."""
    mine = BulkAction.objects.filter(pk=action_id, state=BulkState.RUNNING)
    free = Q(lease_until=None) | Q(lease_until__lt=Now()) | Q(worker=worker)
    if not mine.filter(free).update(worker=worker, lease_until=from_now(_HOLD_S)):
        return
    until = time.monotonic() + TURN_S
    try:
        while time.monotonic() < until and _do_some(action_id):
            pass
    finally:
        BulkAction.objects.filter(pk=action_id, worker=worker).update(worker="", lease_until=None)


def _do_some(action_id: UUID) -> bool:
    """Do the next batch; False where there is none, or it was stopped."""
    action = BulkAction.objects.filter(pk=action_id, state=BulkState.RUNNING).first()
    if action is None:
        return False
    todo = BulkItem.objects.filter(action=action, state=BulkItemState.TODO).order_by("id")
    items = list(todo.values_list("pk", "original_id")[:_BATCH])
    if not items:
        BulkAction.objects.filter(pk=action_id, state=BulkState.RUNNING).update(
            state=BulkState.FINISHED, ended_at=Now()
        )
        log.info("bulk_finished", bulk=str(action_id))
        return False
    became = doing.do(BulkKind(action.kind), [image for _, image in items], action.params, _actor(action))
    grouped: dict[tuple[BulkItemState, str], list[int]] = defaultdict(list)
    for pk, image in items:
        grouped[became.get(image, (BulkItemState.SKIPPED, ""))].append(pk)
    for (state, detail), pks in grouped.items():
        changed = BulkItem.objects.filter(pk__in=pks, state=BulkItemState.TODO).update(state=state, detail=detail)
        counter = _COUNTERS[state]
        BulkAction.objects.filter(pk=action_id).update(**{counter: F(counter) + changed})
    return True


def _actor(action: BulkAction) -> Caller:
    """Whoever asked for it, so that every history names that person."""
    key = action.owner.removeprefix("staff:")
    return callers.staff(int(key)) if key.isdecimal() else Caller(action.owner, CallerKind.SYSTEM)
