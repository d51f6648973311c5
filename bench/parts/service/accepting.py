"""How quickly honest uploads are taken: `python -m bench accepting --against CHECKOUT`. Two builds take turns."""

import http.client
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench.builds import cpu_s, web
from bench.measure import ROOT, Spread
from bench.rows import Row
from bench.uploads import post
from tests.e2e.service import Service

#: Bytes of each upload by its name, and how many of them one connection sends in a round.
_SIZES = {"100 KB": (100_000, 40), "10 MB": (10_000_000, 6)}
_CONNECTIONS = 4
_WITHIN = 0.03
#: What a JPEG begins with; nothing looks any farther here.
_JPEG = b"\xff\xd8\xff\xe0"


@dataclass(frozen=True, slots=True)
class Round:
    """latency_ms: the median of one connection alone. uploads_s: of four at once. cpu_ms: of web for each."""

    latency_ms: float
    uploads_s: float
    cpu_ms: float


def rows(rounds: int, against: Path | None) -> Iterator[Row]:
    with ExitStack() as stack:
        services = [web(stack, root) for root in (ROOT, against) if root]
        for name, (size, count) in _SIZES.items():
            found = [[_round(service, size, count) for service in services] for _ in range(rounds + 1)][1:]
            ours = [taken[0] for taken in found]
            latency, rate = Spread.of([one.latency_ms for one in ours]), Spread.of([one.uploads_s for one in ours])
            yield Row("accepting", "an upload, until its 202", name, "ms", latency)
            yield Row("accepting", f"uploads a second, over {_CONNECTIONS} connections", name, "/s", rate)
            if against:
                yield from _compared(name, [(one, other) for one, other in found])


def _compared(name: str, pairs: list[tuple[Round, Round]]) -> Iterator[Row]:
    later = Spread.of([ours.latency_ms / other.latency_ms for ours, other in pairs])
    note = f"the other: {median(other.latency_ms for _, other in pairs):.1f} ms"
    what = "an upload, until its 202, over the other build"
    yield Row("accepting", what, name, "×", later, 1 + _WITHIN, at_most=True, note=note)
    work = Spread.of([ours.cpu_ms / other.cpu_ms for ours, other in pairs])
    note = f"the other: {median(other.cpu_ms for _, other in pairs):.1f} ms"
    what = "processor time of web for an upload, over the other build"
    yield Row("accepting", what, name, "×", work, 1 + _WITHIN, at_most=True, note=note)
    more = Spread.of([ours.uploads_s / other.uploads_s for ours, other in pairs])
    note = f"the other: {median(other.uploads_s for _, other in pairs):.1f}/s"
    yield Row("accepting", "uploads a second, over the other build", name, "×", more, 1 - _WITHIN, note=note)


def _round(service: Service, size: int, count: int) -> Round:
    web_s = _web_s(service)
    alone_s = _sent(service, size, count)
    began_s = time.perf_counter()
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(lambda _: _sent(service, size, count), range(_CONNECTIONS)))
    took_s = time.perf_counter() - began_s
    cpu_ms = 1000 * (_web_s(service) - web_s) / (count + _CONNECTIONS * count)
    return Round(1000 * median(alone_s), _CONNECTIONS * count / took_s, cpu_ms)


def _web_s(service: Service) -> float:
    return sum(map(cpu_s, service.pids("web")))


def _sent(service: Service, size: int, count: int) -> list[float]:
    """Seconds of each upload, one after the other on one connection."""
    took_s = []
    with closing(http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=120)) as connection:
        for _ in range(count):
            picture = _JPEG + os.urandom(size)
            began_s = time.perf_counter()
            post(connection, picture)
            took_s.append(time.perf_counter() - began_s)
    return took_s
