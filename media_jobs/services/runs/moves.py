"""Every change of a run's state goes through here: one conditional update."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from media_jobs.errors import WrongState
from media_jobs.models import ReprocessRun
from media_jobs.services.jobs.transitions import from_now
from media_jobs.states import RunState, run_may_become

#: Whoever works on a run by a command renews its hold more often than this, or the run is interrupted.
HOLD_S = 30


def move(run_id: UUID, target: RunState, *, only: Q | None = None, **to: Any) -> ReprocessRun:
    """Bring the run to `target`, from where RUN_MOVES allows it and `only` holds; `to`: other fields of it.

    Returns the run as it is then. Raises WrongState, ReprocessRun.DoesNotExist.
    """
    if not try_move(run_id, target, only=only, **to):
        run = read(run_id)
        raise WrongState(f"The run is {_words(run.state)}; that does not lead to {_words(target)}.")
    return read(run_id)


def try_move(run_id: UUID, target: RunState, *, only: Q | None = None, **to: Any) -> bool:
    """Do as `move`, and return whether it was possible."""
    rows = ReprocessRun.objects.filter(only or Q(), pk=run_id, state__in=run_may_become(target))
    return bool(rows.update(**{"state": target, "state_since": Now(), "code": "", "detail": "", **to}))


def read(run_id: UUID) -> ReprocessRun:
    """Raises ReprocessRun.DoesNotExist."""
    return ReprocessRun.objects.select_related("preset").get(pk=run_id)


def held(worker: str) -> dict[str, Any]:
    """Return the fields of a run that `worker` holds from now on; none for nobody."""
    return {"worker": worker, "lease_until": from_now(HOLD_S)} if worker else {}


def _words(state: str) -> str:
    return state.replace("_", " ")
