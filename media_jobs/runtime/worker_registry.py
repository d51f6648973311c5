"""What the queue's server knows of workers."""

import socket
from datetime import datetime

import django_rq
from redis.exceptions import RedisError
from rq import Worker


def count_workers(*, born_since: datetime) -> int:
    """Return how many workers of this host have registered since then; 0 where the queue does not answer."""
    try:
        known = Worker.all(connection=django_rq.get_connection("interactive"))
    except RedisError:
        return 0
    here = f"{socket.gethostname()[:200]}-"
    return sum(w.name.startswith(here) and w.birth_date is not None and w.birth_date >= born_since for w in known)
