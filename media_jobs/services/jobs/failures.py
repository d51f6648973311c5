"""What follows from a failed attempt: who is to blame decides whether, when and where there is another one."""

import random
import traceback
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Q

from media_jobs.callers import Caller
from media_jobs.errors import Blame, DecoderKilled, KeyBeingDeleted, MediaError, WorkerLost, all_kinds
from media_jobs.models import Job
from media_jobs.pipeline.values import Usage
from media_jobs.services import refusals
from media_jobs.services.jobs.transitions import Lease, cost, failed, move, waiting, why
from media_jobs.services.object_deletion import DEAD_AFTER_S
from media_jobs.states import Lane

log = structlog.get_logger(__name__)

#: How long the second, third, … attempt waits; the last value holds for all later ones.
BACKOFF_S = (5.0, 30.0, 120.0, 600.0)
#: Each wait is drawn from 80 to 120 per cent of it, so that what failed together does not come back together:
#: 4 to 6 s, 24 to 36 s, 1:36 to 2:24 min, 8 to 12 min.
JITTER = 0.2
#: Of a traceback the end is kept, where the error is.
TRACEBACK_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Again:
    """Another attempt: in which lane, and in how many seconds. granted: how many more than the job had."""

    lane: Lane
    wait_s: float
    granted: int = 0


def again(job: Job, error: MediaError) -> Again | None:
    """The attempt that follows when `error` ended that of `job`; None where it gives up."""
    lane = Lane(job.lane)
    if isinstance(error, KeyBeingDeleted):
        # Whoever deletes the key may have died, and keeps it for so long. It costs no attempt: it is no failure.
        return Again(lane, DEAD_AFTER_S * random.uniform(1, 1 + JITTER), granted=1)  # noqa: S311  (no secret)
    if job.attempt >= job.max_attempts:
        return None
    if error.blame is Blame.MACHINE and lane != Lane.HEAVY:
        return Again(Lane.HEAVY, 0.0)
    helps = {
        Blame.SERVER: True,
        Blame.MACHINE: isinstance(error, DecoderKilled),  # there was room enough, and somebody else took it
        Blame.BUG: not job.traceback,
    }
    return Again(lane, backoff_s(job)) if helps.get(error.blame) else None


def backoff_s(job: Job) -> float:
    """Longer from attempt to attempt, counted since a person last granted some."""
    failures = settings.MAX_ATTEMPTS - (job.max_attempts - job.attempt)
    step = min(max(failures, 1), len(BACKOFF_S)) - 1
    return round(BACKOFF_S[step] * random.uniform(1 - JITTER, 1 + JITTER), 1)  # noqa: S311  (no secret)


def close_attempt(
    lease: Lease,
    job: Job,
    error: MediaError,
    *,
    reached: dict[str, Any],
    usage: Usage | None,
    bug: Exception | None = None,
) -> None:
    """Put the job back into a queue where that can help, else fail it with its code.

    reached: stage and progress of the job. usage: what rendering took, where the attempt came as far. bug: what `error`
    stands for, where that is another.
    """
    spent = cost(usage)
    follows = again(job, error)
    data: dict[str, Any] = {
        **why(error),
        "blame": error.blame,
        "attempt": job.attempt,
        "lane": follows.lane if follows else job.lane,
        "wait_s": follows.wait_s if follows else None,
        **spent,
    }
    kept: dict[str, Any] = {"traceback": traceback_tail(bug or error)} if error.blame is Blame.BUG else {}
    if follows:
        to: dict[str, Any] = {**waiting(follows.lane, after_s=follows.wait_s), **why(error), **kept, **spent}
        to["max_attempts"] = F("max_attempts") + follows.granted
        held = move(job.pk, lease.holds, "retry_due", actor=lease.worker, data=data, **to)
    else:
        held = move(
            job.pk, lease.holds, "failed", actor=lease.worker, data=data, **failed(error), **reached, **kept, **spent
        )
        if held:
            refusals.remember(job.original_id, error)
    log.warning("attempt_failed", job=str(job.pk), again=bool(follows), lease_held=held, **data)


def requeue_or_fail(job: Job, still: Q, event: str, *, actor: Caller | str, data: dict[str, Any]) -> bool:
    """Queue the job, of whose last attempt nobody knows what came, to be the next one; fail it after its last attempt.

    still: what must hold for it. event: in its history, where it is queued. False when it does not hold.
    """
    if job.attempt < job.max_attempts:
        return move(job.pk, still, event, actor=actor, data=data, **waiting(Lane(job.lane)))
    error = WorkerLost(attempts=job.attempt)
    held = move(job.pk, still, "failed", actor=actor, data=why(error), **failed(error))
    if held:
        refusals.remember(job.original_id, error)
    return held


def hand_back(lease: Lease, lane: Lane) -> bool:
    """Let another worker do the job next, as if this one had never begun: it costs no attempt.

    The number of the attempt stays, since it fences off this worker; one more is granted instead.
    """
    back = {**waiting(lane), "max_attempts": F("max_attempts") + 1}
    return move(lease.job_id, lease.holds, "handed_back", actor=lease.worker, data={"lane": lane}, **back)


def traceback_tail(error: Exception) -> str:
    """The end of the traceback, with what the decoder said last, where it was the decoder. For staff only."""
    text = "".join(traceback.format_exception(error)).replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text.encode(errors="replace")[-TRACEBACK_BYTES:].decode(errors="ignore")


def is_outage(code: str) -> bool:
    """Whether `code` is that of an error for which neither job nor worker can do anything."""
    return bool(code) and any(kind.code == code and kind.blame is Blame.SERVER for kind in all_kinds())
