"""What callers that wait cost those that upload: `python -m bench waiting`.

Two hundred clients hold a long-poll or a stream open, and each stream is told of all that happens, while another client
uploads one small picture after the other. And ten thousand times somebody waits for a job that ends at that moment.
"""

import http.client
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench.builds import SETTINGS
from bench.measure import ROOT, Spread
from bench.pictures import SMALL, Picture
from bench.rows import Row
from bench.uploads import post, with_comment
from tests import servers
from tests.e2e.accounts import staff
from tests.e2e.service import Service

CLIENTS = 200
_UPLOADS = 60
WAITS = 10_000
#: A listener looks by itself once a second: what takes so long was not told.
_LOST_S = 0.9
_LATENCY_TARGET = 2.0
_MEMORY_TARGET_MB = 32.0


def rows(rounds: int) -> Iterator[Row]:
    for name in ("SQLite", "PostgreSQL"):
        with _running(name, workers=1) as service:
            yield from _uploads(name, service, rounds)
        with _running(name, workers=0) as service:
            yield _waits(name, service)


@contextmanager
def _running(name: str, *, workers: int) -> Iterator[Service]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
        settings = {**SETTINGS, "WORKERS": str(workers)}
        settings["DATABASE_URL"] = stack.enter_context(servers.postgres()).url if name == "PostgreSQL" else ""
        service = Service(folder / "data", settings)
        stack.callback(service.kill)
        yield service.start()


def _uploads(name: str, service: Service, rounds: int) -> Iterator[Row]:
    ratios, idle, busy, memory = [], [], [], []
    broken: list[float] = []
    _latency_ms(service, SMALL)
    with staff(service) as browser:
        cookie = f"sessionid={browser.cookies['sessionid']}"
        job = _open_job(service)
        for _ in range(rounds):
            idle.append(_latency_ms(service, SMALL))
            before_mb = _web_mb(service)
            with _clients(service, cookie, job, broken):
                busy.append(_latency_ms(service, SMALL))
                memory.append(_web_mb(service) - before_mb)
            ratios.append(busy[-1] / idle[-1])
    note = f"{median(idle):.0f} ms without them, {median(busy):.0f} ms with them"
    what = f"{name}: an upload while {CLIENTS} clients wait, over one while nobody does"
    yield Row("waiting", what, SMALL.name, "×", Spread.of(ratios), _LATENCY_TARGET, at_most=True, note=note)
    what = f"{name}: memory of the web process for {CLIENTS} clients that wait"
    yield Row("waiting", what, "", "MB", Spread.of(memory), _MEMORY_TARGET_MB, at_most=True)
    what = f"{name}: of {CLIENTS} clients that wait, how many got answers and nothing else"
    yield Row("waiting", what, "", "", Spread.of([CLIENTS - count for count in broken]), float(CLIENTS))


def _waits(name: str, service: Service) -> Row:
    """Ten thousand times: wait for a job, and cancel it within the same few milliseconds."""
    with ThreadPoolExecutor(4) as pool:
        halves = [pool.submit(_wait_often, service, WAITS // 2, pool) for _ in range(2)]
        took_s = [s for half in halves for s in half.result()]
    told = float(sum(s < _LOST_S for s in took_s))
    note = f"the median one was told after {1000 * median(took_s):.1f} ms, the last after {1000 * max(took_s):.0f} ms"
    what = f"{name}: of {WAITS:,} waits, how many were told"
    return Row("waiting", what, "", "", Spread.of([told]), float(WAITS), note=note)


def _wait_often(service: Service, count: int, pool: ThreadPoolExecutor) -> list[float]:
    """From the end of the job to the answer, in seconds, each time."""
    job = service.send(with_comment(SMALL.file().read_bytes(), os.urandom(16)))
    host = urlsplit(service.url).netloc
    took_s = []
    with closing(http.client.HTTPConnection(host)) as waiting, closing(http.client.HTTPConnection(host)) as changing:
        for turn in range(count):
            if turn:
                _ask(changing, "POST", f"/v1/jobs/{job}/retry")
            over = pool.submit(_end_soon, changing, job)
            assert b'"cancelled"' in _ask(waiting, "GET", f"/v1/jobs/{job}?wait=30")
            answered_at = time.perf_counter()
            took_s.append(max(0.0, answered_at - over.result()))
    return took_s


def _end_soon(connection: http.client.HTTPConnection, job: str) -> float:
    """When it was over."""
    time.sleep(random.uniform(0, 0.008))
    _ask(connection, "DELETE", f"/v1/jobs/{job}")
    return time.perf_counter()


def _ask(connection: http.client.HTTPConnection, method: str, path: str) -> bytes:
    connection.request(method, path)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status >= http.client.BAD_REQUEST:
        raise RuntimeError(f"{method} {path}: {answer.status} {said!r}")
    return said


def _latency_ms(service: Service, picture: Picture) -> float:
    """The median of some uploads, one after the other, with a moment in between as between people."""
    jpeg, took = picture.file().read_bytes(), []
    with closing(http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=120)) as connection:
        for _ in range(_UPLOADS):
            content = with_comment(jpeg, os.urandom(16))
            began = time.perf_counter()
            post(connection, content)
            took.append(1000 * (time.perf_counter() - began))
            time.sleep(0.1)
    return median(took)


@contextmanager
def _clients(service: Service, cookie: str, job: str, broken: list[float]) -> Iterator[None]:
    """They are all there, in a process of their own; afterwards `broken` has how many of them broke."""
    command = [sys.executable, "-m", "bench.children.waiting_clients", service.url, cookie, job, str(CLIENTS)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield
        process.stdin.close()
        broken.append(float(process.stdout.read()))


def _open_job(service: Service) -> str:
    """A job that nobody does: its time comes tomorrow."""
    job = str(service.upload(with_comment(SMALL.file().read_bytes(), os.urandom(16)))["jobId"])
    code = (
        "from datetime import timedelta; from django.utils import timezone; from media_jobs.models import Job; "
        f"Job.objects.filter(pk='{job}').update(state='queued', not_before=timezone.now() + timedelta(days=1))"
    )
    service.manage("shell", "--no-imports", "-c", code)
    return job


def _web_mb(service: Service) -> float:
    """Memory that is the web process's own."""
    [pid] = service.pids("web")
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024
