"""Thirty uploads at once in 256 MB, with everything that `make run` starts: `python -m bench crowd`."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

from bench.measure import MIB, Spread
from bench.pictures import TWELVE, Picture
from bench.rows import Row
from media_jobs.errors import TooMuchMemory
from tests.e2e.small_host import CROWD, MEMORY_MB, SmallHost, Taken, small_host

PROGRESSIVE = Picture("24 MP progressive", 6000, 4000, progressive=True)
_IDLE_UPLOADS = 7
_LATENCY_S, _LATENCY_RATIO = 1.0, 2.0
_EVERY_S = 0.3
_SIZE = "10 MB"


def rows() -> Iterator[Row]:
    for name, on_s3 in {"files": False, "S3": True}.items():
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
            host = stack.enter_context(small_host(folder, on_s3=on_s3))
            if host is None:
                for picture in (TWELVE, PROGRESSIVE):
                    yield Row("crowd", f"{name}: lost", picture.name, "", None, note="no cgroup can be made")
                continue
            yield from _measured(name, host)


def _measured(name: str, host: SmallHost) -> Iterator[Row]:
    twelve = TWELVE.file().read_bytes()
    idle_s = [_alone(host, twelve) for _ in range(_IDLE_UPLOADS)]
    with _peak(host) as peak_bytes, _others(host, twelve) as meanwhile_s:
        taken = host.crowd(twelve)
    kills = host.group.oom_kills
    yield _lost(name, TWELVE, taken, refused=0, kills=kills, peak_bytes=peak_bytes[0])
    idle = f"idle median {1000 * median(idle_s):.0f} ms"
    p95_s = _p95(meanwhile_s)
    note = f"{idle}; {len(meanwhile_s)} uploads of one more client while the crowd came and was worked on"
    what = f"{name}: accept while the crowd is worked on, 95th percentile"
    yield Row("crowd", what, _SIZE, "s", Spread.of([p95_s]), _LATENCY_S, at_most=True, note=note)
    ratio = Spread.of([p95_s / median(idle_s)])
    yield Row("crowd", f"{what}, over the idle median", _SIZE, "×", ratio, _LATENCY_RATIO, at_most=True, note=idle)
    crowd_s = Spread(median(taken.accepted_s), min(taken.accepted_s), max(taken.accepted_s))
    note = f"95th percentile {_p95(taken.accepted_s):.2f} s; they share two processors with those who send them"
    yield Row("crowd", f"{name}: each of the crowd, until its 202", _SIZE, "s", crowd_s, note=note)
    with _peak(host) as peak_bytes:
        taken = host.crowd(PROGRESSIVE.file().read_bytes())
    refused, kills = taken.ends[TooMuchMemory.code], host.group.oom_kills - kills
    yield _lost(name, PROGRESSIVE, taken, refused=refused, kills=kills, peak_bytes=peak_bytes[0])


def _lost(name: str, picture: Picture, taken: Taken, *, refused: int, kills: int, peak_bytes: int) -> Row:
    """How many ended otherwise than they may, and how many processes the kernel ended. refused: as they may be."""
    lost = CROWD - taken.ends["done"] - refused
    came = ", ".join(f"{count} {end}" for end, count in sorted(taken.ends.items()))
    note = f"{came}; {kills} OOM kills; at most {peak_bytes / MIB:.0f} of {MEMORY_MB} MB, without files"
    what = f"{name}: {CROWD} at once, lost or ended by the kernel"
    return Row("crowd", what, picture.name, "", Spread.of([lost + kills]), 0, at_most=True, note=note)


def _alone(host: SmallHost, picture: bytes) -> float:
    """Seconds until the 202 of an upload while nothing else happens."""
    took_s, job = host.send(picture)
    host.service.finished(job)
    return took_s


@contextmanager
def _others(host: SmallHost, picture: bytes) -> Iterator[list[float]]:
    """Seconds until the 202 of each upload of one more client, which sends one after the other."""
    took_s: list[float] = []
    ended, jobs = threading.Event(), []

    def send() -> None:
        while not ended.wait(_EVERY_S):
            seconds, job = host.send(picture)
            took_s.append(seconds)
            jobs.append(job)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield took_s
    finally:
        ended.set()
        sending.join()
        host.ends(jobs)


@contextmanager
def _peak(host: SmallHost) -> Iterator[list[int]]:
    """The most that its processes held, without the system's cache of files."""
    most, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            most[0] = max(most[0], host.group.anonymous_bytes)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield most
    finally:
        ended.set()
        watching.join()


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
