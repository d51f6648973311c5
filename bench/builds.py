"""Web processes of this checkout and of others, side by side."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.service import Service
from tests.limits import NO_LIMITS

_CLOCK_HZ = os.sysconf("SC_CLK_TCK")
_SETTINGS = {
    **NO_LIMITS,
    "DATABASE_URL": "",
    "LOG_LEVEL": "error",
    "S3_BUCKET": "",
    "SECRET_KEY": "only for the bench, where nothing is secret" + "." * 20,
    "WORKERS": "0",
}


def web(stack: ExitStack, root: Path) -> Service:
    """A running service on SQLite and files that takes uploads, and does nothing with them."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
    service = Service(folder / "data", _SETTINGS, root=root)
    stack.callback(service.kill)
    return service.start()


def cpu_s(pid: int, *, ended: bool = False) -> float:
    """Return the processor time of the process itself, not of its children. ended: but of those that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / _CLOCK_HZ
