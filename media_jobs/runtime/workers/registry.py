"""What the queue's server knows of workers."""

import socket
from datetime import datetime

from redis.exceptions import RedisError
from rq import Worker

from media_jobs.adapters import queue


def count_workers(*, born_since: datetime) -> int:
    """Return how many workers of this host have registered since then; 0 where the queue does not answer."""
    try:
        known = Worker.all(queue=queue.worker_queues()[0])
    except RedisError:
        return 0
    here = f"{socket.gethostname()[:200]}-"
    return sum(w.name.startswith(here) and w.birth_date is not None and w.birth_date >= born_since for w in known)
