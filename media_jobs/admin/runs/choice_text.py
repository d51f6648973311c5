"""Which pictures a run is about, in a curator's words."""

from media_jobs.admin import cells
from media_jobs.models import ReprocessRun
from media_jobs.services.runs.selection import Selection
from media_jobs.states import Staleness


def choice_text(run: ReprocessRun) -> str:
    """Say what the run's selection says: “all”, or what narrows it, with semicolons between."""
    chosen = Selection.from_json(run.selection)
    said = [
        "those that were chosen one by one" if chosen.listed else "",
        "of which a size is missing" if chosen.missing else "",
        _stale(chosen.stale),
        f"tagged {' and '.join(chosen.tags)}" if chosen.tags else "",
        f"whose newest job is {' or '.join(chosen.states)}" if chosen.states else "",
        f"uploaded since {cells.written(chosen.after)}" if chosen.after else "",
        f"uploaded before {cells.written(chosen.before)}" if chosen.before else "",
        f"whose key begins with {chosen.prefix}" if chosen.prefix else "",
        "also of other presets" if chosen.any_preset else "",
        "known failures, too" if chosen.refused else "",
    ]
    return "; ".join(filter(None, said)) or "all"


def _stale(reasons: tuple[Staleness, ...]) -> str:
    if not reasons:
        return ""
    why = " or ".join(cells.STALE[reason] for reason in reasons)
    return "with stale web versions" + ("" if set(reasons) == set(Staleness) else f": {why}")
