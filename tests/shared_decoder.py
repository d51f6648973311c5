"""One decoder for the workers of all tests of a process: few of them are about its start and end."""

import atexit
from functools import cache

from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import Worker

_SHARED = ("workspace", "sandbox")


def renew_worker() -> None:
    """Give this process a worker that knows nothing, with the decoder of all. What the former made by itself ends."""
    leave()
    worker = Worker()
    vars(worker).update({name: getattr(_owner(), name) for name in _SHARED})
    workers.replace_current(worker)


def leave() -> None:
    """Have the worker of this process make a decoder of its own when it next needs one."""
    held = vars(workers.current())
    for name in _SHARED:
        if held.get(name) is getattr(_owner(), name):
            del held[name]


@cache
def _owner() -> Worker:
    worker = Worker()
    atexit.register(worker.close)
    return worker
