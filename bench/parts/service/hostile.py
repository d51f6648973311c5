"""What slow, silent and lingering clients cost everybody else: `python -m bench hostile`.

While a crowd plays, `/healthz` is asked on connections of its own and small pictures are uploaded; before that the
same without a crowd. `--against` has another build do the same.
"""

import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

from bench.builds import web
from bench.measure import ROOT, Spread
from bench.pictures import SMALL
from bench.rows import Row
from bench.uploads import post, with_comment
from tests.e2e.service import Service
from tests.hostile.crowds import CROWDS, crowd

Ask = Callable[[http.client.HTTPConnection], object]

_LASTS_S = 12.0
_PATIENCE_S = 30.0
_P99_TARGET_MS, _UPLOAD_TARGET = 100.0, 2.0
_PATH = "/media/full/0/large.jpg"


def rows(against: Path | None) -> Iterator[Row]:
    for root in (ROOT, *([against] if against else [])):
        name = "" if root == ROOT else "the other build: "
        with ExitStack() as stack:
            service = web(stack, root)
            large = service.data / f"objects{_PATH.removeprefix('/media')}"
            large.parent.mkdir(parents=True)
            large.write_bytes(os.urandom(30_000_000))
            _measured(service, 2.0)
            idle_probes, idle_uploads = _measured(service, _LASTS_S)
            yield _probes(f"{name}no crowd", idle_probes)
            for kind, count in CROWDS.items():
                with crowd(service, kind, path=_PATH):
                    time.sleep(2)
                    probes, uploads = _measured(service, _LASTS_S)
                yield _probes(f"{name}{count} {kind}", probes)
                ratio = median(uploads) / median(idle_uploads)
                what = f"{name}{count} {kind}: an upload, over one without them"
                note = f"{median(idle_uploads):.0f} ms without, {median(uploads):.0f} ms with; {len(uploads)} uploads"
                yield Row("hostile", what, SMALL.name, "×", Spread.of([ratio]), _UPLOAD_TARGET, at_most=True, note=note)
                time.sleep(3)


def _probes(what: str, took_ms: list[float]) -> Row:
    p99 = quantiles(took_ms, n=100)[98] if len(took_ms) > 1 else took_ms[0]
    note = f"median {median(took_ms):.1f} ms, longest {max(took_ms):.0f} ms, {len(took_ms)} probes"
    return Row("hostile", f"{what}: /healthz, 99th percentile", "", "ms", Spread.of([p99]), _P99_TARGET_MS, True, note)


def _measured(service: Service, lasts_s: float) -> tuple[list[float], list[float]]:
    """Milliseconds of probes, and of uploads at the same time; without an answer all of the patience."""
    host, until_s = urlsplit(service.url).netloc, time.monotonic() + lasts_s
    jpeg = SMALL.file().read_bytes()
    probes: list[float] = []
    uploads: list[float] = []

    def upload() -> None:
        while time.monotonic() < until_s:
            uploads.append(_timed(host, lambda one: post(one, with_comment(jpeg, os.urandom(16)))))
            time.sleep(0.1)

    uploading = threading.Thread(target=upload)
    uploading.start()
    while time.monotonic() < until_s:
        probes.append(_timed(host, _probe))
        time.sleep(0.03)
    uploading.join()
    return probes, uploads


def _timed(host: str, ask: Ask) -> float:
    began_s = time.perf_counter()
    with closing(http.client.HTTPConnection(host, timeout=_PATIENCE_S)) as connection, suppress(OSError, RuntimeError):
        ask(connection)
        return 1000 * (time.perf_counter() - began_s)
    return 1000 * _PATIENCE_S


def _probe(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/healthz")
    connection.getresponse().read()
