"""Plays a cell of the table."""

from hashlib import sha256
from pathlib import Path

from media_jobs.models import Job
from tests.faults import invariants, scenarios
from tests.faults.injections import Injection
from tests.faults.matrix import OK, Cell, Doing
from tests.faults.messages import Operation
from tests.faults.scenarios import Stage

#: Where these go wrong, an upload may stay whose id nobody received, or that nobody could end: housekeeping finds it.
_BEGIN_OR_ABORT = (Operation.CREATE_UPLOAD, Operation.ABORT_UPLOAD)


def play(cell: Cell, stage: Stage, temporary: Path) -> None:
    """Let the fault happen once, and then to all calls, see what comes of it, and that in the end nothing is lost."""
    _play(cell, stage, times=1, expected=cell.once)
    stage.proxy.heal()
    scenarios.time_passes()
    assert scenarios.run_jobs() == OK
    _play(cell, stage, times=None, expected=cell.lasting)
    all_is_well_again(stage, temporary)
    kept = [scenarios.KEPT[cell.call.doing]] * 2 if cell.call.doing in scenarios.KEPT else []
    assert [job.original.sha256 for job in Job.objects.all()] == [sha256(content).hexdigest() for content in kept]


def _play(cell: Cell, stage: Stage, *, times: int | None, expected: str) -> None:
    act = scenarios.prepare(stage, cell.call.doing)
    call = cell.call
    fault = stage.proxy.inject(Injection(cell.fault, call.operation, call.prefix, nth=call.nth, times=times))
    came_of_it = act()
    assert fault.happened, "the fault never happened"
    assert invariants.at_any_time(stage) == []
    if call.doing is not Doing.HOUSEKEEPING and call.operation not in _BEGIN_OR_ABORT:
        assert invariants.unfinished(stage) == []
    assert came_of_it == expected


def all_is_well_again(stage: Stage, temporary: Path) -> None:
    """Once the storage works and time has passed, everything ends done, and housekeeping leaves nothing behind."""
    stage.proxy.heal()
    scenarios.time_passes()
    while stage.wanted:
        assert scenarios.upload(stage, stage.wanted.pop()) == OK
    assert scenarios.run_jobs() == OK
    assert scenarios.keep_house() == OK
    assert invariants.at_rest(stage, temporary) == []
