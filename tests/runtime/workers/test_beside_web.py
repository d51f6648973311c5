"""Slots within the web process: told by its signals, and kept by a thread that may be busy."""

import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from media_jobs.adapters import memory_left
from media_jobs.management.commands.serve import are_in_web
from media_jobs.models import WorkerProcess
from media_jobs.runtime.workers import beside_web, slots
from media_jobs.runtime.workers.beside_web import SlotsBesideWeb
from media_jobs.runtime.workers.slot import Slot
from media_jobs.services.housekeeping import TaskSchedule
from media_jobs.services.jobs.worker import FINISH_WITHIN_S

MIB = 1_048_576


@pytest.fixture
def told(monkeypatch) -> Iterator[list[int]]:
    """The signals that this process gets. Nothing of it stays changed."""
    signals: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: signals.append(number))
    monkeypatch.setattr(beside_web, "harden_worker", lambda: None)
    monkeypatch.setattr(REGISTRY, "register", lambda collector: None)
    monkeypatch.setattr(slots, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(slots, "_SLOT_PAUSE_S", 0.0)
    monkeypatch.setattr(slots, "_ONE_SIGNAL_S", 0.0)
    yield signals
    signal.signal(signal.SIGTERM, before)


def wait_for(is_so: Callable[[], object]) -> None:
    while not is_so():
        time.sleep(0.005)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey")
class TestBesideWeb:
    def test_a_first_signal_leaves_time_for_the_job_in_hand_and_a_second_none(self, told, monkeypatch):
        at_work: list[Slot] = []

        def work(slot: Slot) -> None:
            at_work.append(slot)
            wait_for(lambda: slot.worker.hand_back_at_s <= time.monotonic())

        monkeypatch.setattr(Slot, "_work", work)
        beside = SlotsBesideWeb(2)
        beside.start()
        wait_for(lambda: len(at_work) == 2)
        assert not any(slot.worker.stopping for slot in at_work)
        before_s = time.monotonic()
        beside.stop()
        assert min(slot.worker.hand_back_at_s for slot in at_work) >= before_s + FINISH_WITHIN_S
        beside.stop()
        beside.end()
        assert not any(slot.is_alive() for slot in at_work)
        assert WorkerProcess.objects.count() == 0

    def test_they_end_although_who_keeps_them_is_busy_with_something_else(self, told, monkeypatch):
        busy, over = threading.Event(), threading.Event()

        def keep_house(self: TaskSchedule) -> None:
            busy.set()
            over.wait()

        monkeypatch.setattr(beside_web, "_LEAVE_WITHIN_S", 0.01)
        monkeypatch.setattr(TaskSchedule, "run_due_tasks", keep_house)
        monkeypatch.setattr(Slot, "_work", lambda slot: wait_for(lambda: slot._stopping))
        beside = SlotsBesideWeb(1)
        beside.start()
        busy.wait()
        try:
            beside.stop()
            beside.end()  # the test would never end
        finally:
            over.set()
            beside._thread.join()

    def test_where_they_fail_again_and_again_the_web_process_is_told_to_end_for_its_master_to_begin_anew(
        self, told, monkeypatch
    ):
        def work(slot: Slot) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(Slot, "_work", work)
        beside = SlotsBesideWeb(1)
        with capture_logs() as logs:
            beside.start()
            wait_for(lambda: told)
        beside.stop()
        with pytest.raises(SystemExit) as ended:
            beside.end()
        beside._thread.join()
        assert ended.value.code == 1
        assert "slots_fail" in [entry["event"] for entry in logs]


@pytest.mark.parametrize(
    ("choice", "slots_of", "memory_mb", "expected"),
    [
        ("auto", [2], 512, True),
        ("auto", [2], 513, False),
        ("auto", [3, 2], 512, False),
        ("auto", [], 512, False),
        ("true", [2], 4096, True),
        ("false", [2], 256, False),
    ],
)
def test_where_memory_is_small_slots_go_into_the_web_process_unless_a_setting_says_otherwise(
    settings, monkeypatch, choice, slots_of, memory_mb, expected
):
    settings.WORKERS_IN_WEB, settings.WORKER_SLOTS = choice, slots_of
    monkeypatch.setattr(memory_left, "bytes_in_all", lambda: memory_mb * MIB)
    assert are_in_web() is expected
