"""Stops a run of which too much fails, and asks a person."""

import structlog

from media_jobs.models import ReprocessRun
from media_jobs.services.runs import moves
from media_jobs.states import RunState

log = structlog.get_logger(__name__)

#: Fewer say nothing about the next ones.
LEAST = 20
TOO_MANY_FAILURES = "too_many_failures"


def tripped(run: ReprocessRun) -> bool:
    """Pause the run where the share of failures among its latest images is at its limit; return whether it was."""
    run.refresh_from_db(fields=["recent_done", "recent_failed", "failure_limit"])
    ended = run.recent_done + run.recent_failed
    if ended < LEAST or run.failure_limit >= 100 or run.recent_failed * 100 < run.failure_limit * ended:
        return False
    detail = (
        f"{run.recent_failed} of the latest {ended} images failed; the limit is {run.failure_limit} per cent. "
        "Look at the ledger, then resume or cancel the run."
    )
    log.warning("run_stopped", run=str(run.pk), failed=run.recent_failed, ended=ended)
    return moves.try_move(run.pk, RunState.PAUSING, code=TOO_MANY_FAILURES, detail=detail)
