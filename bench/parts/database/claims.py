"""How many jobs workers claim in a second from a long queue. With `--against CHECKOUT` two builds take turns."""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.asked import Asked
from bench.measure import ROOT, Spread
from bench.parts.database.scale import prepared
from bench.rows import Row
from tests import servers

_QUEUED, _WORKERS = 100_000, 4
#: By each worker in a round. What was claimed stays so: after seven rounds the queue is shorter by one job in twenty.
_CLAIMS = 150


def rows(rounds: int, against: Path | None) -> Iterator[Row]:
    with ExitStack() as stack:
        builds = [_Workers(stack, root) for root in (ROOT, against) if root]
        taken = [[build.claims_s() for build in builds] for _ in range(rounds + 1)][1:]
    size = f"{_QUEUED:,} queued"
    what = f"claims a second, {_WORKERS} workers"
    yield Row("scale", what, size, "/s", Spread.of([rates[0] for rates in taken]))
    if against:
        note = f"the other: {median(rates[1] for rates in taken):.0f}/s"
        ratios = Spread.of([ours / other for ours, other in taken])
        yield Row("scale", f"{what}, over the other build", size, "×", ratios, 1.0, note=note)


class _Workers:
    """The worker processes of one build, on a PostgreSQL server of its own that ends with `stack`."""

    def __init__(self, stack: ExitStack, root: Path) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gallimg-bench-")))
        postgres, valkey = stack.enter_context(servers.postgres()), stack.enter_context(servers.valkey())
        env = prepared("claims", postgres, valkey.url, folder, root=root) | {"BUILD": str(root.resolve())}
        self._workers = [stack.enter_context(Asked("claims", env)) for _ in range(_WORKERS)]
        self._workers[0].ask(fill=_QUEUED)

    def claims_s(self) -> float:
        """Have all workers claim at once; how many jobs a second that were."""
        began_s = time.perf_counter()
        with ThreadPoolExecutor(_WORKERS) as pool:
            list(pool.map(lambda worker: worker.ask(claim=_CLAIMS), self._workers))
        return _WORKERS * _CLAIMS / (time.perf_counter() - began_s)
