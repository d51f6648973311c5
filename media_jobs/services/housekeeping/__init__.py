"""Mends what died: expired leases, forgotten jobs, uploads that nobody finished, objects that no row wants.

Workers call `tick` and `pulse`; people have `manage.py housekeeping`. The parts are listed in `parts.PARTS`.
"""

from django.conf import settings

from media_jobs.adapters import workspace
from media_jobs.services.housekeeping.part import Find, Part, Watch
from media_jobs.services.housekeeping.parts import PARTS
from media_jobs.services.housekeeping.running import Outcome, run
from media_jobs.services.housekeeping.ticking import pulse, tick

__all__ = ["PARTS", "Find", "Outcome", "Part", "Watch", "pulse", "run", "sweep_workspaces", "tick"]


def sweep_workspaces() -> int:
    """Remove the temporary files of workers of this machine that are gone; how many had some."""
    return workspace.sweep(settings.WORK_DIR)
