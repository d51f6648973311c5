"""Repairs what died: expired leases, uploads that nobody finished, objects that no row names.

Workers call a `TaskSchedule`, and people run `manage.py housekeeping`. The tasks are listed in `tasks.TASKS`.
"""

from django.conf import settings

from media_jobs.adapters import workspace
from media_jobs.services.housekeeping.running import Outcome, run
from media_jobs.services.housekeeping.scheduling import TaskSchedule
from media_jobs.services.housekeeping.task import Finding, Observer, Task
from media_jobs.services.housekeeping.tasks import TASKS

__all__ = ["TASKS", "Finding", "Observer", "Outcome", "Task", "TaskSchedule", "run", "sweep_workspaces"]


def sweep_workspaces() -> int:
    """Remove the temporary files of workers of this host that are gone. Return how many had some.

    Raises WorkspaceUnavailable.
    """
    return workspace.sweep(settings.WORK_DIR)
