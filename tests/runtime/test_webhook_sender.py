"""Webhooks are sent beside the jobs: whoever is slow holds up nobody else."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError

from media_jobs.models import WebhookDelivery, WebhookEndpoint
from media_jobs.runtime import webhook_sender
from media_jobs.runtime.webhook_sender import AT_ONCE, WebhookSender
from media_jobs.services.webhooks import fanout, sending
from media_jobs.states import DeliveryState
from tests.factories import make_job
from tests.servers.receiver import Answer, Receiver
from tests.services.jobs.threads import wait_until
from tests.services.webhooks.helpers import make_delivery, make_webhook

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    with Receiver().up() as up:
        yield up


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sender, "_LOOK_EVERY_S", 0.05)


@contextmanager
def running(stopping: Callable[[], bool] = lambda: False) -> Iterator[WebhookSender]:
    sender = WebhookSender(stopping)
    sender.start()
    try:
        yield sender
    finally:
        sender.stop()
        assert not sender._thread.is_alive()


@contextmanager
def held(*receivers: Receiver) -> Iterator[None]:
    """These take what is sent and do not answer."""
    over = threading.Event()
    for receiver in receivers:
        receiver.answer = lambda _: Answer(200 if over.wait(60) else 500)
    try:
        yield
    finally:
        over.set()


def delivered() -> int:
    return WebhookDelivery.objects.filter(state=DeliveryState.DELIVERED).count()


def test_events_are_read_and_sent_without_anybody_asking(receiver: Receiver) -> None:
    endpoint = make_webhook(url=receiver.url)
    with running():
        job = make_job()
        [message] = receiver.wait_for(1)
    assert message.verified(endpoint.secret)["data"]["jobId"] == str(job.pk)
    assert delivered() == 1


def test_who_does_not_answer_keeps_nothing_from_the_others(receiver: Receiver) -> None:
    slow = Receiver()
    stuck = make_webhook(url=slow.url)
    for _ in range(2 * AT_ONCE):
        make_delivery(stuck)
    with slow.up(), running(), held(slow):
        slow.wait_for(1)
        make_delivery(make_webhook(url=receiver.url))
        receiver.wait_for(1)
        wait_until(lambda: delivered() == 1)
        assert len(slow.messages) < AT_ONCE


def test_many_that_fail_leave_room_for_those_that_work(receiver: Receiver) -> None:
    slow = Receiver()
    for _ in range(AT_ONCE):
        make_delivery(make_webhook(url=slow.url))
    WebhookEndpoint.objects.update(failures=3)
    with slow.up(), running(), held(slow):
        slow.wait_for(AT_ONCE // 2)
        make_delivery(make_webhook(url=receiver.url))
        receiver.wait_for(1)
        wait_until(lambda: delivered() == 1)
        assert len(slow.messages) == AT_ONCE // 2


def test_what_is_in_hand_is_finished_when_it_stops(receiver: Receiver) -> None:
    make_delivery(make_webhook(url=receiver.url))
    with running() as sender:
        with held(receiver):
            receiver.wait_for(1)
            sender._stopped.set()
            make_delivery(make_webhook(url=receiver.url))
        sender._thread.join(60)
    assert delivered() == 1
    assert len(receiver.messages) == 1


def test_a_worker_that_is_stopping_begins_nothing_more(receiver: Receiver) -> None:
    make_delivery(make_webhook(url=receiver.url))
    with running(lambda: True) as sender:
        sender._thread.join(60)
    assert receiver.messages == []


def test_a_database_that_is_away_or_a_bug_does_not_end_it(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    make_delivery(make_webhook(url=receiver.url))
    errors = iter([OperationalError("away"), ZeroDivisionError("a bug")])
    real = fanout.fan_out

    def fail_first() -> int:
        for error in errors:
            raise error
        return real()

    monkeypatch.setattr(fanout, "fan_out", fail_first)
    with running():
        receiver.wait_for(1)
        wait_until(lambda: delivered() == 1)


def test_an_outcome_that_could_not_be_written_is_written_later_and_nothing_is_sent_twice(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_delivery(make_webhook(url=receiver.url))
    real, errors = sending.record, iter([OperationalError("away"), OperationalError("away")])

    def fail_first(*arguments: Any) -> bool:
        for error in errors:
            raise error
        return real(*arguments)

    monkeypatch.setattr(sending, "record", fail_first)
    with running():
        wait_until(lambda: delivered() == 1)
    assert len(receiver.messages) == 1


def test_threads_that_wait_for_receivers_ask_no_database(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    make_delivery(make_webhook(url=receiver.url))
    real, asked = sending.send, []

    def send(claimed: sending.Claimed) -> sending.Sent:
        from django.db import connection

        sent = real(claimed)
        asked.append((threading.current_thread().name, connection.connection))
        return sent

    monkeypatch.setattr(sending, "send", send)
    with ThreadPoolExecutor(1, thread_name_prefix="webhook") as pool:
        sender = WebhookSender()
        sender.step(pool)
        while delivered() == 0:
            sender.step(pool)
            time.sleep(0.01)
    [(name, used)] = asked
    assert name.startswith("webhook")
    assert used is None
