"""Workers that stand still: what is uploaded meanwhile waits."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.service import Service


@contextmanager
def no_work(service: Service) -> Iterator[None]:
    """Until the end of the block no job gets any further. It is to be shorter than a lease."""
    workers = service.pids("worker")
    try:
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        yield
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
