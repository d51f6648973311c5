"""How many pictures a whole service makes in a second, and what each costs beside its decoding.

Two builds take turns on the same uploads where `--against` names the checkout of another one, with its `.venv`. Beside
them stand two bare decoders: all that two processors could do if nothing but decoding cost anything.
"""

import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench.builds import OPEN_JOBS, SETTINGS, cpu_s, upload, wait_until_none
from bench.child import child
from bench.measure import ROOT, Spread
from bench.pictures import SMALL, TWELVE, Picture
from bench.rows import Row
from tests import servers
from tests.e2e.service import Service
from tests.e2e.stores import s3_settings
from tests.servers.seaweed import seaweedfs

BACKENDS = ("SQLite and files", "PostgreSQL and S3")
_DECODERS = 2
_KINDS = ("web", "worker", "sandbox", "valkey")
#: What they are called in the rows, where the servers of PostgreSQL and S3 stand beside them.
KINDS = {
    "web": "web",
    "worker": "worker",
    "sandbox": "decoder",
    "valkey": "queue",
    "database": "PostgreSQL",
    "storage": "SeaweedFS",
}


@dataclass(frozen=True, slots=True)
class Load:
    """held: the workers begin once all are uploaded."""

    picture: Picture
    count: int
    held: bool


#: Uploads and work at once, as on a busy evening; and what a backlog is worked off with.
LOADS = (Load(SMALL, 120, held=False), Load(TWELVE, 24, held=True))
_DECODERS_TARGET, _OVERHEAD_TARGET = 0.9, 0.5


@dataclass(frozen=True, slots=True)
class Round:
    """One load. cpu_ms: processor time for each picture, by kind of process.

    expected_s: pictures a second, were the processors busy with nothing but what was measured all the time.
    """

    pictures_s: float
    cpu_ms: dict[str, float]
    expected_s: float

    @property
    def overhead_ms(self) -> float:
        return self.cpu_ms["web"] + self.cpu_ms["worker"]

    @property
    def over_decoder(self) -> float:
        """What web, worker and queue take, over what the decoder takes."""
        return (self.overhead_ms + self.cpu_ms["valkey"]) / self.cpu_ms["sandbox"]


class Build:
    """A running service of one checkout, with two workers.

    servers: the processes beside it whose cost is told, too, by their kinds.
    """

    def __init__(self, root: Path, data: Path, settings: dict[str, str], servers: dict[str, int]) -> None:
        self._servers = servers
        self._url = settings["DATABASE_URL"]
        self._service = Service(data, {**settings, "WORKERS": str(_DECODERS)}, root=root)

    def __enter__(self) -> "Build":
        self._service.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._service.kill()

    def take(self, load: Load) -> Round:
        workers = self._service.pids("worker")
        before, began, client_s = self._cpu_s(), time.perf_counter(), _children_s()
        rest = before
        for worker in workers if load.held else ():
            os.kill(worker, signal.SIGSTOP)
        upload(self._service.url, load.picture.file(), load.count)
        if load.held:
            began, rest = time.perf_counter(), self._cpu_s()
            for worker in workers:
                os.kill(worker, signal.SIGCONT)
        with closing(self._connection()) as connection:
            wait_until_none(connection, OPEN_JOBS)
        took_s, now = time.perf_counter() - began, self._cpu_s()
        spent = {kind: 1000 * (after - before[kind]) / load.count for kind, after in now.items()}
        # What was busy while the time was taken: the client, too, unless all had been uploaded by then.
        busy_s = sum(now[kind] - rest[kind] for kind in now) + (0 if load.held else _children_s() - client_s)
        return Round(load.count / took_s, spent, load.count * len(os.sched_getaffinity(0)) / busy_s)

    def _connection(self) -> "psycopg.Connection[Any] | sqlite3.Connection":
        if self._url:
            return psycopg.connect(self._url, autocommit=True)
        return sqlite3.connect(self._service.data / "gallimg.sqlite3", isolation_level=None)

    def _cpu_s(self) -> dict[str, float]:
        own = {kind: sum(map(cpu_s, self._service.pids(kind))) for kind in _KINDS}
        # Decoders end when they have no work; their workers see them to their end.
        own["sandbox"] += sum(cpu_s(pid, ended=True) - cpu_s(pid) for pid in self._service.pids("worker"))
        return own | {kind: _family_s(pid) for kind, pid in self._servers.items()}


def rows(rounds: int, against: Path | None) -> Iterator[Row]:
    for name in BACKENDS:
        with ExitStack() as stack:
            ours = stack.enter_context(_build(stack, ROOT, name))
            other = stack.enter_context(_build(stack, against, name)) if against else None
            for load in LOADS:
                yield from _compared(name, load, rounds, ours, other)


def cost_of(name: str, kind: str) -> str:
    """What the row says that has the processor time of one kind of process."""
    return f"{name}: processor time of {kind} for each picture"


def _compared(name: str, load: Load, rounds: int, ours: Build, other: Build | None) -> Iterator[Row]:
    picture, what = load.picture.name, f"{name}: pictures a second" + (", once all are uploaded" if load.held else "")
    for build in filter(None, (ours, other)):
        build.take(load)
    alone, mine, theirs = [], [], []
    for _ in range(rounds):
        alone.append(bare(load.picture, load.count))
        mine.append(ours.take(load))
        theirs += [other.take(load)] if other else []
    yield Row("throughput", what, picture, "/s", Spread.of([r.pictures_s for r in mine]))
    for kind in mine[0].cpu_ms:
        cost = Spread.of([r.cpu_ms[kind] for r in mine])
        yield Row("throughput", cost_of(name, KINDS[kind]), picture, "ms", cost)
    share = Spread.of([r.pictures_s / r.expected_s for r in mine])
    note = f"{median(r.expected_s for r in mine):.1f}/s: processors, over all that was busy"
    yield Row("throughput", f"{what}, as a share of what their cost lets expect", picture, "×", share, note=note)
    if load.picture is SMALL:
        cost = Spread.of([r.over_decoder for r in mine])
        what_it_is = f"{name}: processor time of web, worker and queue, over the decoder's own"
        yield Row("throughput", what_it_is, picture, "×", cost, _OVERHEAD_TARGET, at_most=True)
    share = Spread.of([r.pictures_s / rate for r, rate in zip(mine, alone, strict=True)])
    target = _DECODERS_TARGET if load.held else None
    note = f"two bare decoders make {median(alone):.1f}/s"
    yield Row("throughput", f"{what}, as a share of two bare decoders", picture, "×", share, target, note=note)
    if other:
        pairs = list(zip(mine, theirs, strict=True))
        note = f"the other makes {median(r.pictures_s for r in theirs):.1f}/s"
        faster = Spread.of([a.pictures_s / b.pictures_s for a, b in pairs])
        yield Row("throughput", f"{what}, over the other build", picture, "×", faster, note=note)
        ours_ms, other_ms = (median(run.overhead_ms for run in runs) for runs in (mine, theirs))
        note = f"ours {ours_ms:.1f} ms, the other {other_ms:.1f} ms"
        cost = Spread.of([a.overhead_ms / b.overhead_ms for a, b in pairs])
        what = f"{name}: processor time of web and workers for each, over the other build"
        yield Row("throughput", what, picture, "×", cost, note=note)


def _build(stack: ExitStack, root: Path, name: str) -> Build:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
    settings, beside = dict(SETTINGS), {}
    if name.startswith("PostgreSQL"):
        database, storage = stack.enter_context(servers.postgres()), stack.enter_context(seaweedfs())
        settings |= {"DATABASE_URL": database.url, **s3_settings(storage)}
        beside = {"database": database.pid, "storage": storage.pid}
    return Build(root, folder / "data", settings, beside)


def _family_s(pid: int) -> float:
    """Processor time of a server, with that of its children, ended ones included."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_s(pid, ended=True) + sum(cpu_s(int(child), ended=True) for child in children)


def _children_s() -> float:
    """Processor time of what this process has started and seen to its end, such as the client."""
    ended = os.times()
    return ended.children_user + ended.children_system


def bare(picture: Picture, count: int) -> float:
    """Pictures a second of two decoders that do nothing else."""

    def render(_: int) -> None:
        with child(picture.file()) as decoder:
            decoder.render()
            ready.append(None)
            while len(ready) < _DECODERS:
                time.sleep(0.001)
            began.append(time.perf_counter())
            for _ in range(count // _DECODERS):
                decoder.render()

    ready: list[None] = []
    began: list[float] = []
    with ThreadPoolExecutor(_DECODERS) as pool:
        list(pool.map(render, range(_DECODERS)))
    return count / (time.perf_counter() - min(began))
