"""What a worker may rely on while objects move between it and S3, whatever becomes of the connections."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from media_jobs.adapters.storage import s3
from media_jobs.errors import StorageUnavailable
from tests.adapters.decoder.running import ROOT
from tests.adapters.storage.s3.proxy import Exchange
from tests.adapters.storage.s3.route import LIMIT_S, MB, Counted, LeaseGone, Route, assert_nothing_follows, once
from tests.adapters.storage.stores import LARGE
from tests.servers.seaweed import SeaweedFS
from tests.services.jobs.threads import wait_until

pytestmark = pytest.mark.slow  # `make test-all` runs them


class StopSignal(BaseException):
    """An error that a signal handler raises."""


# --- heartbeats ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("doing", ["put", "fetch"])
@pytest.mark.parametrize("where", ["before its answer", "in its middle"])
def test_while_a_call_hangs_its_caller_has_a_heartbeat(route: Route, doing: str, where: str, tmp_path: Path) -> None:
    """The bytes are held back until a heartbeat of the caller, which therefore comes meanwhile."""
    hanging, enough = threading.Event(), threading.Event()
    heartbeats: list[int] = []

    def hold(exchange: Exchange) -> None:
        if where == "before its answer" or exchange.request_bytes + exchange.answer_bytes > MB:
            hanging.set()
            enough.wait(LIMIT_S)

    def heartbeat() -> None:
        assert threading.current_thread() is threading.main_thread()  # for it uses the database
        if hanging.is_set():
            heartbeats.append(1)
        if len(heartbeats) == 5:
            enough.set()

    store, key = route.store(read_s=LIMIT_S, attempts=1), route.stored()
    if doing == "put" and where == "in its middle":
        route.proxy.on_request = hold
    else:
        route.proxy.on_answer = hold
    if doing == "put":
        store.put(route.files(tmp_path, "b"), heartbeat=heartbeat)
    else:
        store.fetch(key, tmp_path / "fetched", heartbeat=heartbeat)
    assert len(heartbeats) >= 5


# --- put -------------------------------------------------------------------------------------------


def test_the_files_of_a_put_are_on_their_way_at_the_same_time(route: Route, tmp_path: Path) -> None:
    """None of the answers passes until four requests have come."""
    all_there = threading.Event()

    def hold(_: Exchange) -> None:
        if len(route.proxy.exchanges) >= 4:
            all_there.set()
        assert all_there.wait(LIMIT_S)

    route.proxy.on_request = hold
    route.store(attempts=1, read_s=LIMIT_S).put(route.files(tmp_path, "abcd", size_bytes=1000))
    assert route.names() == set("abcd")


def test_when_one_file_fails_the_others_stop_and_none_is_on_its_way_afterwards(
    route: Route, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others have megabytes before them when the third is refused, and crawl."""
    store = route.store(attempts=1)
    counted = Counted(store, monkeypatch)
    refused, crawl = threading.Event(), threading.Event()

    def refuse_the_third(exchange: Exchange) -> None:
        if exchange.asks_for.endswith("c"):
            wait_until(lambda: sum(other.request_bytes > MB for other in route.proxy.exchanges) == 3)
            refused.set()
            raise ConnectionResetError
        if exchange.request_bytes > MB:
            refused.wait(LIMIT_S)
            crawl.wait(0.01)

    route.proxy.on_request = refuse_the_third
    with pytest.raises(StorageUnavailable):
        store.put(route.files(tmp_path, "abcdefgh"))
    assert not counted.under_way
    crawl.set()
    assert_nothing_follows(route)
    assert not route.names()
    assert len(route.proxy.exchanges) == 4  # no other one began


@pytest.mark.parametrize("where", ["in the middle", "all sent, no answer"])
def test_what_a_heartbeat_raises_leaves_nothing_on_its_way_and_nothing_is_repeated(
    route: Route, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = route.store(read_s=5.0)
    counted = Counted(store, monkeypatch)
    crawl, hanging = threading.Event(), threading.Event()

    def slow_down(exchange: Exchange) -> None:
        if exchange.request_bytes > MB:
            hanging.set()
            crawl.wait(0.01)

    def hold(exchange: Exchange) -> None:
        if exchange.request_bytes > LARGE:  # before that it is asked for the body
            hanging.set()
            crawl.wait(LIMIT_S)

    if where == "in the middle":
        route.proxy.on_request = slow_down
    else:
        route.proxy.on_answer = hold
    error = LeaseGone()
    with pytest.raises(LeaseGone) as raised:
        store.put(route.files(tmp_path, "ab"), heartbeat=once(hanging.is_set, error))
    assert raised.value is error
    assert not counted.under_way
    crawl.set()
    assert_nothing_follows(route)
    asked = Counter(exchange.asks_for for exchange in route.proxy.exchanges)
    assert set(asked.values()) == {1}
    assert bool(route.names()) == (where != "in the middle")


@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_leaves_nothing_on_its_way_even_when_it_comes_again(
    route: Route, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RQ ends a job that takes too long so, and an operator a worker that is stopped for the second time."""
    store = route.store(read_s=5.0)
    counted = Counted(store, monkeypatch)
    released = threading.Event()
    left = iter(range(times))

    def interrupt(exchange: Exchange) -> None:
        if exchange.request_bytes > LARGE:
            for _ in left:
                os.kill(os.getpid(), signal.SIGUSR1)
                released.wait(0.2)
            released.wait(LIMIT_S)

    def handler(*_: object) -> None:
        raise StopSignal

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        route.proxy.on_answer = interrupt
        with pytest.raises(StopSignal):
            store.put(route.files(tmp_path, "a"))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not counted.under_way
    released.set()
    assert_nothing_follows(route)
    assert len(route.proxy.exchanges) == 1


# --- check -----------------------------------------------------------------------------------------


def test_many_who_ask_a_storage_that_hangs_hear_soon_and_make_one_call_at_most(
    route: Route, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_CHECK_LIMIT_S", 1.0)
    released = threading.Event()

    def hold(exchange: Exchange) -> None:
        if "uploads/check" in exchange.head:
            released.wait(LIMIT_S)

    route.proxy.on_answer = hold
    store = route.store(read_s=LIMIT_S)
    with ThreadPoolExecutor(10) as many:
        answers = [many.submit(store.check) for _ in range(10)]
        assert {type(answer.exception(LIMIT_S)) for answer in answers} == {StorageUnavailable}
    assert len(route.proxy.exchanges) <= 1
    store.put(route.files(tmp_path, "abcd"))  # nothing waits for the one that hangs
    assert route.names() == set("abcd")
    released.set()


# --- the end ---------------------------------------------------------------------------------------

ENDING = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(S3_BUCKET="")
from media_jobs.adapters.storage import s3
from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.adapters.storage.s3_calls import CallLimits
bucket, url, key, secret, name = sys.argv[1:]
store = S3Store(bucket, credentials=(key, secret), region="us-east-1", endpoint_url=url, limits=CallLimits(read_s=600))
heartbeats = iter(range(3))
def heartbeat():
    if next(heartbeats, None) is None:
        raise SystemExit(7)
store.fetch(name, Path("fetched"), heartbeat=heartbeat)
"""


def test_a_process_ends_although_a_call_of_its_hangs(route: Route, seaweed: SeaweedFS, tmp_path: Path) -> None:
    key, released = route.stored(), threading.Event()

    def hold(_: Exchange) -> None:
        released.wait(LIMIT_S)

    route.proxy.on_answer = hold
    run = subprocess.run(
        [sys.executable, "-c", ENDING, seaweed.bucket, route.proxy.endpoint_url, *seaweed.worker, key],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=LIMIT_S,
        check=False,
    )
    released.set()
    assert run.returncode == 7
