"""Which threads of a web process keep their connection to SQLite between requests: a few, whatever came at once."""

import threading

from django.db import connection

#: What SQLite knows of the tables takes 0.5 MB for each connection: 20 MB where forty threads once had work at once.
_MOST_KEPT = 8

_places = threading.BoundedSemaphore(_MOST_KEPT)
_own = threading.local()


def close_surplus(**_: object) -> None:
    """Close this thread's connection, unless it is one of those that are kept: a receiver of `request_finished`.

    PostgreSQL's are cheap here and dear to open: they all stay, as CONN_MAX_AGE says.
    """
    if connection.vendor != "sqlite" or getattr(_own, "keeps", False):
        return
    _own.keeps = _places.acquire(blocking=False)
    if not _own.keeps:
        connection.close()
