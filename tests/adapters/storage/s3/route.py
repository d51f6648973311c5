"""A store that reaches its server through a proxy, and ways to watch it and to get in its way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.adapters.storage.s3_calls import CallLimits
from media_jobs.ports import Outgoing, no_heartbeat
from tests.adapters.storage.s3.proxy import Exchange, Hook, S3Proxy
from tests.adapters.storage.stores import LARGE, noise, s3_store, write
from tests.servers.seaweed import SeaweedFS
from tests.services.jobs.threads import wait_until

LIMIT_S = 60.0
MB = 1_000_000


class LeaseGone(Exception):
    """An error that a heartbeat raises."""


class Route:
    """A store that reaches its server through a proxy, and one that reaches it straight. Keys are this test's own."""

    def __init__(self, seaweed: SeaweedFS) -> None:
        self._seaweed = seaweed
        self.proxy = S3Proxy(seaweed.endpoint_url)
        self.straight = s3_store(seaweed)
        self.spot = f"full/{uuid4().hex}/"
        self._made = [self.straight]

    def store(self, **limits: Any) -> S3Store:
        made = s3_store(self._seaweed, endpoint_url=self.proxy.endpoint_url, limits=CallLimits(**limits))
        self._made.append(made)
        return made

    def files(self, tmp_path: Path, names: str, *, size_bytes: int = LARGE) -> list[Outgoing]:
        """One for each letter."""
        (tmp_path / "source").write_bytes(noise(size_bytes))
        return [Outgoing(self.spot + name, tmp_path / "source", "image/jpeg") for name in names]

    def stored(self, name: str = "a", *, size_bytes: int = LARGE, content: bytes = b"") -> str:
        write(self.straight, self.spot + name, content or noise(size_bytes)).commit()
        return self.spot + name

    def names(self) -> set[str]:
        """Return the names of the objects."""
        return {key.removeprefix(self.spot) for key in self.straight.keys(self.spot)}

    def close(self) -> None:
        for made in self._made:
            made.client.close()
        self.proxy.close()


def once(condition: Callable[[], bool], error: BaseException) -> Callable[[], None]:
    """A heartbeat that raises `error` as soon as `condition` holds."""

    def heartbeat() -> None:
        if condition():
            raise error

    return heartbeat


class Counted:
    """Counts the calls of `put_object` of a store that have begun and not ended."""

    def __init__(self, store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.under_way: set[str] = set()
        self._put_object = store.client.put_object
        monkeypatch.setattr(store.client, "put_object", self._counted)

    def _counted(self, **given: Any) -> Any:
        self.under_way.add(given["Key"])
        try:
            return self._put_object(**given)
        finally:
            self.under_way.remove(given["Key"])


def assert_nothing_follows(route: Route) -> None:
    """Assert that no further object appears."""
    there = route.names()
    wait_until(lambda: route.proxy.is_quiet)
    assert route.names() == there


def breaking(error: Exception, *, after_bytes: int, times: int, then: Callable[[], None] = no_heartbeat) -> Hook:
    """So many answers break off once so many bytes of them have come; `then` is called each time."""
    left = iter(range(times))

    def cut(exchange: Exchange) -> None:
        if exchange.is_get and exchange.answer_bytes >= after_bytes and next(left, None) is not None:
            then()
            raise error

    return cut
