"""A running service that takes pictures: how it is loaded, and what that took."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.builds import cpu_s, upload, wait_until_none
from bench.pictures import Picture
from tests.e2e.service import family


@dataclass(frozen=True, slots=True)
class Load:
    """count: a multiple of `builds.CONNECTIONS`."""

    picture: Picture
    count: int


@dataclass(frozen=True, slots=True)
class Round:
    """cpu_ms: processor time of all processes of the service, for each picture."""

    pictures_s: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Contender:
    """uploads: the URL. folder: of what it stores. processes: those that were started; their children count, too.

    open_rows: the SQLite file and the statement that counts pictures not done yet; without one an upload is done with
    its answer.
    """

    name: str
    uploads: str
    folder: Path
    processes: tuple[int, ...]
    open_rows: tuple[Path, str] | None = None

    def take(self, load: Load) -> Round:
        """From the first byte of the first upload until the last picture is done."""
        before_s, began_s = self.cpu_s(), time.perf_counter()
        upload(self.uploads, load.picture.file(), load.count)
        self.wait_until_done()
        took_s = time.perf_counter() - began_s
        return Round(load.count / took_s, 1000 * (self.cpu_s() - before_s) / load.count)

    def wait_until_done(self) -> None:
        if self.open_rows:
            file, statement = self.open_rows
            with closing(sqlite3.connect(file, timeout=30)) as connection:
                wait_until_none(connection, statement)

    def cpu_s(self) -> float:
        """All that it has used, by children that have ended as well."""
        while True:
            pids = {pid for started in self.processes for pid in (started, *family(started))}
            try:
                return sum(cpu_s(pid, ended=True) for pid in pids)
            except (FileNotFoundError, ProcessLookupError):  # one has ended meanwhile: what it used is its parent's now
                continue
