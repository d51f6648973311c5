"""What people decide about failures, beside trying again: seen, given up, and telling whoever uploaded the picture."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from media_jobs.callers import Caller
from media_jobs.errors import BadRequest
from media_jobs.models import Job, WebhookEndpoint
from media_jobs.services.jobs.transitions import move_all
from media_jobs.services.webhooks.fanout import interested
from media_jobs.states import JobState, Triage, WebhookEvent

_BATCH = 300
_FAILED = Q(state=JobState.FAILED)


@dataclass(frozen=True, slots=True)
class Reported:
    """told: of how many failures an uploader hears. deaf: of how many nobody does: no webhook asks for it."""

    told: int
    deaf: int


def mark_seen(jobs: Collection[UUID], *, actor: Caller) -> int:
    """Take failures out of the number of those that wait for a decision; how many that were."""
    return _sort(jobs, Triage.SEEN, "seen", actor, {}, note="")


def give_up(jobs: Collection[UUID], *, reason: str, actor: Caller) -> int:
    """Leave failures as they are, for a reason that everybody can read; how many that were. Raises BadRequest."""
    if not reason.strip():
        raise BadRequest("Say why: whoever looks later wants to know.")
    return _sort(jobs, Triage.GIVEN_UP, "given_up", actor, {"reason": reason.strip()}, note=reason.strip())


def reopen(jobs: Collection[UUID], *, actor: Caller) -> int:
    """Have failures decided about again; how many that were."""
    return _sort(jobs, Triage.NEW, "reopened", actor, {}, note="")


def tell_uploaders(jobs: Collection[UUID], *, message: str, actor: Caller) -> Reported:
    """Send `message` to the webhooks of whoever uploaded the pictures, and mark the failures as seen.

    Raises BadRequest where there is no message.
    """
    if not message.strip():
        raise BadRequest("Say what the uploader should do.")
    failed = Job.objects.filter(_FAILED, pk__in=list(jobs)).values_list("pk", "owner", "code")
    heard = {owner for owner in {owner for _, owner, _ in failed} if _is_heard(owner)}
    hearing: dict[str, list[UUID]] = defaultdict(list)
    for pk, owner, code in failed:
        if owner in heard:
            hearing[code].append(pk)
    told = 0
    for code, ids in hearing.items():
        data = {"code": code, "message": message.strip()}
        for batch in _batches(ids):
            with transaction.atomic():
                told += move_all(batch, _FAILED, "reported", actor=actor, data=data, triage=Triage.SEEN)
    return Reported(told, len(jobs) - told)


def _is_heard(owner: str) -> bool:
    endpoints = WebhookEndpoint.objects.filter(disabled_at=None, owner__in=interested(owner))
    return any(WebhookEvent.REPORTED in types for types in endpoints.values_list("event_types", flat=True))


def _sort(jobs: Collection[UUID], triage: Triage, event: str, actor: Caller, data: dict[str, Any], *, note: str) -> int:
    sorted_ = 0
    for batch in _batches(list(jobs)):
        with transaction.atomic():
            where = _FAILED & ~Q(triage=triage)
            sorted_ += move_all(batch, where, event, actor=actor, data=data, triage=triage, triage_note=note)
    return sorted_


def _batches(jobs: list[UUID]) -> list[list[UUID]]:
    return [jobs[start : start + _BATCH] for start in range(0, len(jobs), _BATCH)]
