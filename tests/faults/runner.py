"""What running a cell of the table means."""

from hashlib import sha256
from pathlib import Path

from media_jobs.models import Job
from tests.faults import invariants, scenarios
from tests.faults.injections import Injection
from tests.faults.matrix import OK, Cell, Doing
from tests.faults.messages import Operation
from tests.faults.scenarios import Context

#: Where these go wrong, an upload may stay whose id nobody received, or that nobody could end: housekeeping finds it.
_BEGIN_OR_ABORT = (Operation.CREATE_UPLOAD, Operation.ABORT_UPLOAD)


def run_cell(cell: Cell, context: Context, temporary: Path) -> None:
    """Let the fault happen once, and then to all calls, see what comes of it, and that in the end nothing is lost."""
    _run(cell, context, times=1, expected=cell.once)
    context.proxy.heal()
    scenarios.time_passes()
    assert scenarios.finish() == OK
    _run(cell, context, times=None, expected=cell.lasting)
    assert_recovery(context, temporary)
    kept = [scenarios.KEPT[cell.call.doing]] * 2 if cell.call.doing in scenarios.KEPT else []
    assert [job.original.sha256 for job in Job.objects.all()] == [sha256(content).hexdigest() for content in kept]


def _run(cell: Cell, context: Context, *, times: int | None, expected: str) -> None:
    act = scenarios.prepare(context, cell.call.doing)
    call = cell.call
    fault = context.proxy.inject(Injection(cell.fault, call.operation, call.prefix, nth=call.nth, times=times))
    came_of_it = act()
    assert fault.happened, "the fault never happened"
    assert invariants.at_any_time(context) == []
    if call.doing is not Doing.HOUSEKEEPING and call.operation not in _BEGIN_OR_ABORT:
        assert invariants.unfinished(context) == []
    assert came_of_it == expected


def assert_recovery(context: Context, temporary: Path) -> None:
    """Check that everything ends done once the storage works and time has passed, and that nothing is left behind."""
    context.proxy.heal()
    scenarios.time_passes()
    while context.wanted:
        assert scenarios.upload(context, context.wanted.pop()) == OK
    assert scenarios.finish() == OK
    assert scenarios.run_housekeeping() == OK
    assert invariants.at_rest(context, temporary) == []
