"""Whether what every job needs is there: the database, the storage, room for temporary files."""

import shutil
import tempfile

from django.conf import settings

from media_jobs.adapters import database
from media_jobs.adapters.storage import Role, store
from media_jobs.errors import MediaError, WorkspaceFull

_TRIAL = bytes(65_536)


def reason() -> str:
    """The code of what is missing, looked at now; empty when jobs can be done."""
    if not database.is_available():
        return "database_unavailable"
    try:
        store(Role.WORKER).check()
        _check_workspace()
    except MediaError as error:
        return error.code
    return ""


def _check_workspace() -> None:
    """Raises WorkspaceFull when the disk of temporary files has less than MIN_FREE_DISK_MB left, or takes no file."""
    try:
        settings.WORK_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(settings.WORK_DIR).free
        with tempfile.TemporaryFile(dir=settings.WORK_DIR) as file:
            file.write(_TRIAL)
    except OSError as error:
        raise WorkspaceFull from error
    if free_bytes < settings.MIN_FREE_DISK_BYTES:
        raise WorkspaceFull
