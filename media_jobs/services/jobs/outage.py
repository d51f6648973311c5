"""Whether what every job needs is there: the database, the storage, room for temporary files."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from media_jobs.adapters import database
from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.workspace import remove_left, translate_errors
from media_jobs.errors import MediaError, WorkspaceFull

if TYPE_CHECKING:
    from media_jobs.services.jobs.worker import Worker

_TRIAL = bytes(65_536)


def reason(worker: "Worker | None" = None) -> str:
    """The code of what is missing, looked at now; empty when jobs can be done, by `worker` where one is given."""
    if not database.is_available():
        return "database_unavailable"
    try:
        store(Role.WORKER).check()
        check_room()
        if worker:
            _try_to_write(worker.usable_workspace().path)
        remove_left()
    except MediaError as error:
        return error.code
    return ""


def check_room() -> None:
    """Raise WorkspaceUnavailable when WORK_DIR takes no files, WorkspaceFull with less than MIN_FREE_DISK_MB left."""
    with translate_errors():
        settings.WORK_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(settings.WORK_DIR).free
    _try_to_write(settings.WORK_DIR)
    if free_bytes < settings.MIN_FREE_DISK_BYTES:
        raise WorkspaceFull


def _try_to_write(folder: Path) -> None:
    with translate_errors(), tempfile.TemporaryFile(dir=folder) as file:
        file.write(_TRIAL)
