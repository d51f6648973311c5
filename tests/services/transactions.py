"""What another connection has written, and not committed yet."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_LIMIT_S = 60


@contextmanager
def uncommitted(write: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Have another connection call `write` in a transaction that stays open; call what you get to commit it."""
    written, may_commit = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                write()
                written.set()
                may_commit.wait(_LIMIT_S)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert written.wait(_LIMIT_S)

    def commit() -> None:
        may_commit.set()
        thread.join(_LIMIT_S)

    try:
        yield commit
    finally:
        commit()
