"""Services of this checkout and of others, side by side."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg

from bench.measure import ROOT
from tests.e2e.service import Service
from tests.limits import NO_LIMITS

_CLOCK_HZ = os.sysconf("SC_CLK_TCK")
#: Of each service and each command that is measured, unless it says otherwise: on SQLite and files, without limits.
SETTINGS = {
    **NO_LIMITS,
    "DATABASE_URL": "",
    "LOG_LEVEL": "error",
    "S3_BUCKET": "",
    "SECRET_KEY": "only for the bench, where nothing is secret" + "." * 20,
}
CONNECTIONS = 4
OPEN_JOBS = "SELECT count(*) FROM media_jobs_job WHERE state IN ('queued', 'processing')"
_LIMIT_S = 1800.0


def of_a_command(data: Path) -> dict[str, str]:
    """The environment of one that works without a service, and without Redis."""
    own = {"GALLIMG_DATA": str(data), "REDIS_URL": "unix:///nowhere", "DJANGO_SETTINGS_MODULE": "gallimg_site.settings"}
    return {**os.environ, **SETTINGS, **own}


def web(stack: ExitStack, root: Path) -> Service:
    """A running service on SQLite and files that takes uploads, and does nothing with them."""
    return stopped(stack, root, slots=0).start()


def stopped(stack: ExitStack, root: Path, *, slots: int, in_web: bool = False) -> Service:
    """A service on SQLite and files that does not run yet. It ends with `stack`.

    in_web: its slots are threads of the web process, where the build knows that; else they never are.
    """
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
    layout = {"WORKERS": str(slots), "WORKERS_IN_WEB": str(in_web).lower()}
    service = Service(folder / "data", {**SETTINGS, **layout}, root=root)
    stack.callback(service.kill)
    return service


def work_through(service: Service, picture: Path, count: int) -> None:
    """Upload it so many times, each with other bytes, and wait until all is done."""
    upload(service.url, picture, count)
    with closing(sqlite3.connect(service.data / "gallimg.sqlite3")) as file:
        wait_until_none(file, OPEN_JOBS)


def upload(url: str, picture: Path, count: int) -> None:
    """By a process of its own, over CONNECTIONS. count: a multiple of that."""
    arguments = [url, str(picture), str(count), str(CONNECTIONS)]
    subprocess.run([sys.executable, "-m", "bench.uploads", *arguments], cwd=ROOT, check=True)


def wait_until_none(connection: "psycopg.Connection[Any] | sqlite3.Connection", statement: str) -> None:
    """Until that counts nothing any more. Raises RuntimeError after half an hour.

    Over one connection: each new one costs PostgreSQL as much as a job does.
    """
    deadline = time.monotonic() + _LIMIT_S
    while (connection.execute(statement).fetchone() or [0])[0]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"not done within {_LIMIT_S:g} s")
        time.sleep(0.02)


def cpu_s(pid: int, *, ended: bool = False) -> float:
    """Return the processor time of the process itself, not of its children. ended: but of those that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / _CLOCK_HZ
