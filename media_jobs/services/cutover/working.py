"""What a worker does for shadows between two jobs, and what the workers of `shadow_diff` do all the time."""

import time
from datetime import timedelta

import structlog

from media_jobs import selectors
from media_jobs.adapters import database
from media_jobs.adapters.workspace import temporary_folder, translate_errors
from media_jobs.errors import Blame, EmptyFile, ImageRefused, LeaseLost, MediaError, Unexpected, WorkerStopping
from media_jobs.models import Shadow
from media_jobs.services.cutover import comparing, fetching, holding
from media_jobs.services.cutover.holding import Choice, Hold
from media_jobs.services.jobs.transitions import from_now, why
from media_jobs.services.jobs.worker import Worker
from media_jobs.states import Lane, ShadowState

log = structlog.get_logger(__name__)

#: A worker goes on with shadows for so long, and then looks at its queue. Its decoder measures or renders, and each
#: change between the two costs another child.
_BATCH_S = 4.0
#: What has been due for so long is done before other work of the lane `bulk`.
_OVERDUE = timedelta(minutes=10)
UNFINISHED = (ShadowState.FETCHING, ShadowState.RENDERING, ShadowState.DUE)


def work_between_jobs(worker: Worker) -> None:
    """Go on with shadows for a few seconds, behind uploads and, as a rule, behind reprocessing.

    An upload never waits for more of them than for the one in hand; while uploads wait, shadows have a part of the
    time that reprocessing is granted. One query where there are none. Raises one of database.CONNECTION_ERRORS.
    """
    if not Shadow.objects.filter(state__in=UNFINISHED).exists():
        return
    holding.note_ends()
    choice = holding.ALL if comparing.is_possible() else holding.TO_FETCH
    if selectors.due(Lane.BULK).exists() and not _is_overdue(choice):
        return
    until = time.monotonic() + _BATCH_S
    while time.monotonic() < until and _may_work(worker) and (hold := holding.take(worker, choice)):
        began = time.monotonic()
        work_on(hold)
        worker.count_job(Lane.BULK, time.monotonic() - began)


def work_on(hold: Hold) -> None:
    """Fetch or compare what is held, and write what came of it. Raises one of database.CONNECTION_ERRORS."""
    try:
        _work_on(hold)
    except LeaseLost:
        log.warning("shadow_lost", shadow=str(hold.shadow.pk))
    except WorkerStopping:
        hold.hand_back()
    except (SystemExit, KeyboardInterrupt):
        hold.hand_back()
        raise
    except MediaError as error:
        _fail(hold, error)
    except database.CONNECTION_ERRORS:
        raise
    except Exception:  # a bug of ours must end the comparison, not the worker
        log.exception("shadow_crashed", shadow=str(hold.shadow.pk))
        hold.later(error=Unexpected())


def _work_on(hold: Hold) -> None:
    with translate_errors(), temporary_folder("shadow-", hold.worker.usable_workspace().path) as folder:
        if hold.shadow.state == ShadowState.DUE:
            comparing.compare(hold, folder)
            return
        try:
            found = fetching.fetch(hold, folder)
        except (ImageRefused, EmptyFile) as error:
            comparing.give_up(hold, str(error))
            return
    if not found:
        comparing.miss(hold)


def _fail(hold: Hold, error: MediaError) -> None:
    """Storage, memory or disk may be there later; what lies in the file stays as it is."""
    log.warning("shadow_failed", shadow=str(hold.shadow.pk), code=error.code, detail=str(error))
    if error.blame in (Blame.FILE, Blame.CALLER):
        hold.end(ShadowState.FAILED, **why(error))
    else:
        hold.later(error=error)


def _is_overdue(choice: Choice) -> bool:
    return choice.waiting().filter(due_at__lte=from_now(-_OVERDUE.total_seconds())).exists()


def _may_work(worker: Worker) -> bool:
    if worker.stopping or worker.suspects_outage:
        return False
    return worker.bulk_is_next or not selectors.due(Lane.INTERACTIVE).exists()
