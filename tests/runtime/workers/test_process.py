"""The main thread of a worker process: signals, and slots that end although nobody told them to."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import InterfaceError, OperationalError
from structlog.testing import capture_logs

from media_jobs.models import WorkerProcess
from media_jobs.runtime.workers import slots as slots_of
from media_jobs.runtime.workers.process import WorkerProcess as Process
from media_jobs.runtime.workers.slot import Slot
from media_jobs.services.housekeeping import TaskSchedule
from media_jobs.services.jobs.worker import FINISH_WITHIN_S

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def _own_handlers(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(slots_of, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(slots_of, "_SLOT_PAUSE_S", 0.0)
    monkeypatch.setattr(slots_of, "_ONE_SIGNAL_S", 0.0)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def slots_that(monkeypatch) -> Callable[[Callable[[Slot], None]], None]:
    """Have slots do that in place of their work."""
    return lambda work: monkeypatch.setattr(Slot, "_work", work)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def wait_for(is_so: Callable[[], object]) -> None:
    while not is_so():
        time.sleep(0.005)


def test_a_slot_that_ends_by_a_bug_is_begun_again(slots_that):
    begun: list[Slot] = []

    def work(slot: Slot) -> None:
        begun.append(slot)
        if slot is begun[0]:
            raise RuntimeError("a bug")
        if slot.number == begun[0].number:  # for the second time, perhaps before the other slot has begun
            wait_for(lambda: len(begun) == 3)
            send(signal.SIGTERM)
        wait_for(lambda: slot._stopping)

    slots_that(work)
    with capture_logs() as logs:
        Process(2).run()
    first, again = [slot for slot in begun if slot.number == begun[0].number]
    assert again.worker.id != first.worker.id
    assert [entry["event"] for entry in logs] == ["slot_failed", "slot_starts_again"]
    assert WorkerProcess.objects.count() == 0


def test_whatever_goes_wrong_beside_the_jobs_the_process_goes_on(slots_that, monkeypatch):
    wrongs = [OperationalError("the database is gone"), InterfaceError("the connection is closed"), ValueError("a bug")]

    def run_due_tasks(self: TaskSchedule) -> None:
        if wrongs:
            raise wrongs.pop()
        send(signal.SIGTERM)

    monkeypatch.setattr(TaskSchedule, "run_due_tasks", run_due_tasks)
    slots_that(lambda slot: wait_for(lambda: slot._stopping))
    with capture_logs() as logs:
        Process(1).run()
    assert not wrongs
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["due_tasks_failed"]


def test_slots_that_end_again_and_again_end_the_process_for_its_master_to_begin_anew(slots_that):
    def work(slot: Slot) -> None:
        raise RuntimeError("a bug")

    slots_that(work)
    with capture_logs() as logs, pytest.raises(SystemExit) as ended:
        Process(1).run()
    assert ended.value.code == 1
    assert logs[-1]["event"] == "slots_fail"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_first_signal_leaves_time_for_the_job_in_hand_and_a_second_none(slots_that, number):
    sent_at_s: list[float] = []
    hand_back_at_s: list[float] = []

    def work(slot: Slot) -> None:
        before = slot.worker.hand_back_at_s
        for _ in range(2):
            sent_at_s.append(time.monotonic())
            send(number)
            wait_for(lambda: slot.worker.hand_back_at_s < before)
            hand_back_at_s.append(before := slot.worker.hand_back_at_s)
        wait_for(lambda: slot._stopping)

    slots_that(work)
    Process(1).run()
    assert sent_at_s[0] + FINISH_WITHIN_S <= hand_back_at_s[0]
    assert hand_back_at_s[1] <= time.monotonic()
