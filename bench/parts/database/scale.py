"""What a large table costs: the same operations in a nearly empty and in a full database, in turn."""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench.asked import Asked
from bench.builds import of_a_command
from bench.measure import ROOT, Spread
from bench.rows import Row
from tests import servers

#: Enough for one page of the admin and a full list of RQ.
_SMALL = {"done": 200, "queued": 200}
_LARGE = {"done": 1_000_000, "queued": 100_000}
_TARGET = 2.0
#: In a row, twice in each round: other load should meet both alike.
_TIMES = 5
_OPERATIONS = {
    "accept": "accept: POST /v1/images",
    "dispatch_all": "dispatch, 64 wake-ups into empty lists",
    "dispatch_one": "dispatch, one wake-up",
    "dispatch_none": "dispatch, lists full",
    "claim": "claim",
    "poll_done": "poll: GET /v1/jobs/…, done",
    "poll_queued": "poll: GET /v1/jobs/…, queued",
    "list": "list: the admin's jobs",
}


#: Of reprocess runs: what must be as quick in the full database, and what must be done in so many seconds.
_OF_RUNS: dict[str, tuple[str, float | None]] = {
    "ledger": ("ledger: GET /v1/runs/…/items", None),
    "ledger_failed": ("ledger: GET /v1/runs/…/items, failed", None),
    "estimate": ("run over everything: estimate", 2.0),
    "estimate_missing": ("run over what is missing: estimate", 2.0),
    "first_job": ("run over everything: confirm, until its first job is queued", 2.0),
    "stale": ("staleness: what is stale, and why", 2.0),
}


class Bed(Asked):
    """A process with a database of its own. child: which of bench/children it runs."""

    def __init__(self, name: str, server: servers.Postgres, valkey: str, folder: Path, *, child: str = "scale") -> None:
        super().__init__(child, prepared(name, server, valkey, folder))


def prepared(name: str, server: servers.Postgres, valkey: str, folder: Path, *, root: Path = ROOT) -> dict[str, str]:
    """The environment of processes with a database of their own. root: of the checkout that makes its tables."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    environment = {
        **of_a_command(folder),
        "DATABASE_URL": server.url.replace("/postgres", f"/{name}"),
        "REDIS_URL": valkey,
        "QUEUE_SIZE": "64",
        "MAX_BACKLOG": "1000000",
        "ALLOWED_HOSTS": "localhost",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=root, env=environment, check=True)
    return environment


def rows(rounds: int) -> Iterator[Row]:
    """The times of the full database as multiples of those of the nearly empty one; medians of all rounds."""
    sizes = f"{_LARGE['done']:,} done, {_LARGE['queued']:,} queued"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
        postgres, valkey = stack.enter_context(servers.postgres()), stack.enter_context(servers.valkey())
        small = stack.enter_context(Bed("small", postgres, valkey.database(0), folder / "small"))
        large = stack.enter_context(Bed("large", postgres, valkey.database(1), folder / "large"))
        small.ask(fill=_SMALL)
        large.ask(fill=_LARGE)
        compared = _OPERATIONS | {name: what for name, (what, limit_s) in _OF_RUNS.items() if limit_s is None}
        for name, what in compared.items():
            yield _compare(name, what, small, large, rounds=rounds, sizes=sizes)
        for name, (what, limit_s) in _OF_RUNS.items():
            if limit_s is not None:
                large.ask(measure=name, times=1)
                times = sorted(large.ask(measure=name, times=_TIMES))
                spread = Spread(statistics.median(times), times[0], times[-1])
                yield Row("scale", what, sizes, "s", spread, limit_s, at_most=True)
        yield _scans(large, sizes)


def _compare(name: str, what: str, small: Bed, large: Bed, *, rounds: int, sizes: str) -> Row:
    times: dict[Bed, list[float]] = {small: [], large: []}
    for bed in times:
        bed.ask(measure=name, times=3)
    for _ in range(2 * rounds):
        for bed, so_far in times.items():
            so_far.extend(bed.ask(measure=name, times=_TIMES))
    ratio = statistics.median(times[large]) / statistics.median(times[small])
    note = f"{in_ms(times[small])} nearly empty, {in_ms(times[large])} full"
    return Row("scale", what, sizes, "×", Spread(ratio, ratio, ratio), _TARGET, at_most=True, note=note)


def _scans(bed: Bed, sizes: str) -> Row:
    """How many of the statements of all operations read the whole table of jobs."""
    plans = {sql: tables for name in _OPERATIONS for sql, tables in bed.ask(plan=name).items()}
    scans = [sql for sql, tables in plans.items() if "media_jobs_job" in tables]
    print("sequential scans of media_jobs_job:", "\n".join(scans) or "none", f"(of {len(plans)} statements)")
    others = sorted({table for tables in plans.values() for table in tables} - {"media_jobs_job"})
    note = f"of {len(plans)} statements; tables read from end to end: {', '.join(others) or 'none'}"
    found = float(len(scans))
    return Row("scale", "sequential scans of media_jobs_job", sizes, "", Spread(found, found, found), note=note)


def in_ms(seconds: list[float]) -> str:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    return f"{1000 * statistics.median(seconds):.1f} ms (p95 {1000 * p95:.1f})"
