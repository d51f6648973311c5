"""Counts what is asked of the database, of S3 and of Redis."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.storage.s3 import S3Store
from tests.measuring.budgets import Cost

_BEGIN, _NO_STATEMENT = "BEGIN", ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
#: What each new connection says first.
_GREETINGS = {"HELLO", "CLIENT", "SELECT"}


@contextmanager
def counted(valkey: redis.Redis) -> Iterator[Cost]:
    """Count what this thread costs meanwhile."""
    cost = Cost()
    with ExitStack() as stack:
        sent = stack.enter_context(commands(valkey))
        calls = stack.enter_context(_calls_of_s3())
        seen = stack.enter_context(CaptureQueriesContext(connection))
        yield cost
    sql = [query["sql"] for query in seen.captured_queries]
    cost.transactions = sum(one.startswith(_BEGIN) for one in sql)
    cost.statements = sum(not one.startswith(_NO_STATEMENT) for one in sql)
    cost.s3, cost.redis = len(calls), len(sent)


@contextmanager
def _calls_of_s3() -> Iterator[list[str]]:
    """The requests of both roles, repeated ones as well."""
    calls: list[str] = []

    def note(event_name: str, **_: object) -> None:
        calls.append(event_name)

    stores = [found for role in (Role.WEB, Role.WORKER) if isinstance(found := store(role), S3Store)]
    for found in stores:
        found.client.meta.events.register("before-send.s3", note)
    yield calls
    for found in stores:
        found.client.meta.events.unregister("before-send.s3", note)


@contextmanager
def commands(valkey: redis.Redis) -> Iterator[list[str]]:
    """The names of the commands sent to this database meanwhile, greetings of new connections aside."""
    seen: list[str] = []
    own_db = valkey.get_connection_kwargs()["db"]  # what is watched is the server, with the databases of other tests
    with redis.Redis(connection_pool=valkey.connection_pool) as watched, watched.monitor() as monitor:
        yield seen
        valkey.echo("the end")
        for command in monitor.listen():
            if command["db"] != own_db:
                continue
            if command["command"] == "ECHO the end":
                break
            if (name := command["command"].split()[0]) not in _GREETINGS:
                seen.append(name)
