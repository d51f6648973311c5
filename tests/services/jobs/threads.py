"""Workers as threads of the test, each with a database connection of its own, and ways to hold them up."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Self
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.storage.files import FileStore
from media_jobs.ports import Heartbeat, Outgoing, no_heartbeat
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import Worker
from tests import working

LIMIT_S = 60.0

PutOne = Callable[[Outgoing, Heartbeat], None]


class InThread(threading.Thread):
    """Runs `call` at once; `ended` waits for it and raises what it raised."""

    def __init__(self, call: Callable[..., object], *args: object) -> None:
        super().__init__(daemon=True)
        self._call, self._with = call, args
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._call(*self._with)
        except BaseException as error:  # noqa: BLE001  (raised again by `ended`)
            self._error = error
        finally:
            connection.close()

    def ended(self) -> Self:
        self.join(LIMIT_S)
        assert not self.is_alive()
        if self._error:
            raise self._error
        return self


def at_work(job_id: UUID) -> InThread:
    """The worker of the calling thread, in another one, with the job in hand."""
    return InThread(working.run, job_id, workers.current())


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Gate:
    """Holds up the first who stores something. `arrived` once it is there; `open` lets it go on."""

    def __init__(self) -> None:
        self.arrived, self.opened = threading.Event(), threading.Event()
        self._first = threading.Lock()

    def open(self) -> None:
        self.opened.set()

    def wait_for_arrival(self) -> None:
        assert self.arrived.wait(LIMIT_S)

    def pass_through(self, heartbeat: Heartbeat = no_heartbeat) -> None:
        """heartbeat: what the one who is held up does meanwhile."""
        if not self._first.acquire(blocking=False):
            return
        self.arrived.set()
        deadline = time.monotonic() + LIMIT_S
        while not self.opened.wait(0.05):
            heartbeat()
            assert time.monotonic() < deadline


def around_each_put(monkeypatch: pytest.MonkeyPatch, instead: Callable[[PutOne, Outgoing, Heartbeat], None]) -> None:
    """Have each object stored by `instead`, which is given what would have stored it."""
    objects = store(Role.WORKER)
    assert isinstance(objects, FileStore)
    monkeypatch.setattr(objects, "_put", partial(instead, objects._put))


@contextmanager
def gate_around_put(monkeypatch: pytest.MonkeyPatch, *, after: bool, with_heartbeat: bool = False) -> Iterator[Gate]:
    """The first object to be stored is held up before, or after, it is visible; `with_heartbeat` or frozen."""
    gate = Gate()

    def slowly(put: PutOne, outgoing: Outgoing, heartbeat: Heartbeat) -> None:
        if after:
            put(outgoing, heartbeat)
        gate.pass_through(heartbeat if with_heartbeat else no_heartbeat)
        if not after:
            put(outgoing, heartbeat)

    around_each_put(monkeypatch, slowly)
    try:
        yield gate
    finally:
        gate.open()


@contextmanager
def decoders_of_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Sandbox]]:
    """A decoder dies with the thread that started it, so each job here gets one of its own. Yields them, as made."""
    made: list[Sandbox] = []

    def sandbox(worker: Worker) -> Sandbox:
        made.append(Sandbox(settings.SANDBOX_MEMORY_BYTES, worker.workspace.path))
        return made[-1]

    monkeypatch.setattr(Worker, "sandbox", property(sandbox))
    try:
        yield made
    finally:
        for decoder in made:
            decoder.close()
