"""Several decoders at work at once, for the runs that try very many files."""

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


class Desk:
    """What one of the crew works with: a decoder, and the only folder that it may touch."""

    def __init__(self, within: Path, memory_bytes: int) -> None:
        self.folder = Path(mkdtemp(prefix="desk-", dir=within))
        self.sandbox = Sandbox(memory_bytes, self.folder)


def each(
    work: Callable[[Desk, Item], Result], items: Iterable[Item], folder: Path, *, memory_bytes: int
) -> Iterator[Result]:
    """`work` done on every item, results as they come. Folders of the desks are made in `folder`.

    A decoder dies with the thread that started it, so every desk belongs to one thread, which lives to the end.
    """
    own = threading.local()
    desks: list[Desk] = []

    def take_desk() -> None:
        own.desk = Desk(folder, memory_bytes)
        desks.append(own.desk)

    with ThreadPoolExecutor(SIZE, initializer=take_desk) as pool:
        try:
            yield from _unordered(pool, lambda item: work(own.desk, item), items)
        finally:
            for desk in desks:
                desk.sandbox.close()


def _unordered(pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Few items are taken in advance, however many there are."""
    queue = iter(items)
    running: set[Future[Result]] = {pool.submit(work, item) for item in islice(queue, 2 * SIZE)}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        running |= {pool.submit(work, item) for item in islice(queue, len(done))}
        for future in done:
            yield future.result()
