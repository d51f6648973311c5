"""A pool of decoders that work at once, for the runs that try very many files."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

from media_jobs.adapters.decoder.sandbox import Sandbox

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Two: as many as the smallest machine that this is for has processors.
SIZE = 2


class Worker:
    """What one thread of the pool works with: a decoder, and the only folder that it may touch."""

    def __init__(self, within: Path, memory_bytes: int) -> None:
        self.folder = Path(mkdtemp(prefix="worker-", dir=within))
        self.sandbox = Sandbox(memory_bytes, self.folder)


def map_unordered(
    work: Callable[[Worker, Item], Result], items: Iterable[Item], folder: Path, *, memory_bytes: int
) -> Iterator[Result]:
    """Do `work` on every item; gives the results as they come. Folders of the workers are made in `folder`.

    A decoder dies with the thread that started it, so every worker belongs to one thread, which lives to the end.
    """
    own = threading.local()
    workers: list[Worker] = []

    def start_worker() -> None:
        own.worker = Worker(folder, memory_bytes)
        workers.append(own.worker)

    with ThreadPoolExecutor(SIZE, initializer=start_worker) as pool:
        try:
            yield from _unordered(pool, lambda item: work(own.worker, item), items)
        finally:
            for worker in workers:
                worker.sandbox.close()


def _unordered(pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Give results as they come. Few items are taken in advance, however many there are."""
    queue = iter(items)
    running: set[Future[Result]] = {pool.submit(work, item) for item in islice(queue, 2 * SIZE)}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        running |= {pool.submit(work, item) for item in islice(queue, len(done))}
        for future in done:
            yield future.result()
