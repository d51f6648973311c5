"""An object comes whole from S3 or not at all, whatever becomes of the connections."""

import itertools
import threading
from pathlib import Path
from typing import Any

import pytest

from media_jobs.errors import StorageUnavailable
from tests.adapters.storage.s3.proxy import Exchange, OrderlyEndError
from tests.adapters.storage.s3.route import LIMIT_S, MB, LeaseGone, Route, breaking, once
from tests.adapters.storage.stores import LARGE, noise, read
from tests.services.jobs.threads import wait_until

pytestmark = pytest.mark.slow  # `make test-all` runs them


@pytest.mark.parametrize("how", [ConnectionResetError(), OrderlyEndError()], ids=lambda e: type(e).__name__)
def test_an_object_that_breaks_off_is_read_on_where_it_stopped(route: Route, how: Exception, tmp_path: Path) -> None:
    """Seven times, since each time more of it has come."""
    key = route.stored()
    route.proxy.on_answer = breaking(how, after_bytes=MB, times=7)
    assert read(route.store(), key, tmp_path) == noise(LARGE)
    first, *others = (exchange.head for exchange in route.proxy.exchanges)
    assert "Range:" not in first
    starts = [int(head.partition("Range: bytes=")[2].partition("-")[0]) for head in others]
    assert len(starts) == 7
    assert starts == sorted({*starts} - {0})


@pytest.mark.parametrize(("times", "comes"), [(2, True), (3, False)])
def test_an_object_that_does_not_come_at_all_is_not_asked_for_for_ever(
    route: Route, times: int, comes: bool, tmp_path: Path
) -> None:
    key = route.stored()
    route.proxy.on_answer = breaking(OrderlyEndError(), after_bytes=1, times=times)
    store = route.store(attempts=1)
    if comes:
        assert read(store, key, tmp_path) == noise(LARGE)
    else:
        with pytest.raises(StorageUnavailable):
            store.fetch(key, tmp_path / "fetched")
        assert list(tmp_path.iterdir()) == []
    assert len(route.proxy.exchanges) == 3


def test_an_object_whose_bytes_stall_is_read_on(route: Route, tmp_path: Path) -> None:
    key, released, stalled = route.stored(), threading.Event(), threading.Event()

    def stall(exchange: Exchange) -> None:
        if exchange.answer_bytes >= MB and not stalled.is_set():
            stalled.set()
            released.wait(LIMIT_S)

    route.proxy.on_answer = stall
    assert read(route.store(read_s=3.0), key, tmp_path) == noise(LARGE)
    assert stalled.is_set()
    released.set()


@pytest.mark.parametrize("heedless", [(), ("If-Match",), ("If-Match", "Range")], ids="+".join)
@pytest.mark.parametrize(("times", "comes"), [(1, True), (99, False)])
def test_of_an_object_that_is_replaced_meanwhile_all_bytes_are_those_of_one(
    route: Route, heedless: tuple[str, ...], times: int, comes: bool, tmp_path: Path
) -> None:
    """heedless: what the server does not look at, as some do not."""
    contents = [bytes([number]) * LARGE for number in range(2)]
    key, later = route.stored(content=contents[0]), itertools.cycle((contents[1], contents[0]))

    def replace() -> None:
        route.stored(content=next(later))

    route.proxy.on_answer = breaking(ConnectionResetError(), after_bytes=MB, times=times, then=replace)
    store = route.store()

    def forget(params: dict[str, Any], **_: Any) -> None:
        for name in heedless:
            params["headers"].pop(name, None)

    store.client.meta.events.register("before-call.s3.GetObject", forget)
    if comes:
        assert read(store, key, tmp_path) == contents[1]
    else:
        with pytest.raises(StorageUnavailable):
            store.fetch(key, tmp_path / "fetched")
        assert list(tmp_path.iterdir()) == []


def test_who_no_longer_wants_an_object_need_not_wait_for_a_server_that_hangs(route: Route, tmp_path: Path) -> None:
    key, hanging, released = route.stored(), threading.Event(), threading.Event()

    def hold(exchange: Exchange) -> None:
        if exchange.answer_bytes > MB:
            hanging.set()
            released.wait(LIMIT_S)

    route.proxy.on_answer = hold
    with pytest.raises(LeaseGone):
        route.store(read_s=LIMIT_S).fetch(key, tmp_path / "fetched", heartbeat=once(hanging.is_set, LeaseGone()))
    assert list(tmp_path.iterdir()) == []
    assert not route.proxy.is_quiet  # it still hangs
    released.set()
    wait_until(lambda: not any(thread.name == "s3" for thread in threading.enumerate()))
    assert list(tmp_path.iterdir()) == []
    assert len(route.proxy.exchanges) == 1
