"""What the page of a reprocess run shows beside its fields: how far it is, and what it was estimated to cost."""

from typing import Any

from media_jobs.admin import cells
from media_jobs.models import ReprocessRun
from media_jobs.states import RunItemState, RunState

#: In these a run moves by itself.
RUNNING = (RunState.RUNNING, RunState.PAUSING, RunState.CANCELLING, RunState.ROLLING_BACK)


def progress(run: ReprocessRun) -> dict[str, Any]:
    """Return what the part of the page shows that changes while it goes on."""
    return {"run": run, "state": cells.state_label(run.state), "over": run.total - run.left}


def counts(run: ReprocessRun) -> list[tuple[RunItemState, Any, int]]:
    """Return for each state of the ledger its label, and how many pictures are in it."""
    found = [
        (RunItemState.TODO, run.left),
        (RunItemState.DONE, run.done),
        (RunItemState.SKIPPED, run.skipped),
        (RunItemState.FAILED, run.failed),
        (RunItemState.ROLLED_BACK, run.rolled_back),
    ]
    return [(state, cells.state_label(state), count) for state, count in found]


def estimate(run: ReprocessRun) -> dict[str, Any] | None:
    """Return the estimate in words, if there is one."""
    if not run.estimate:
        return None
    said = run.estimate
    return {
        "images": f"{said['images']:,}" if said["exact"] else f"about {said['images']:,}",
        "cpu": cells.span(said["cpu_s"]) if said["cpu_s"] is not None else "unknown",
        "read": cells.size(said["read_bytes"]),
        "write": cells.size(said["write_bytes"]),
        "requests": f"{said['requests']:,}",
        "peak": cells.size(said["peak_bytes"]),
    }
