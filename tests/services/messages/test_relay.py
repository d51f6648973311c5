"""What happens to jobs is published: in order for each job, nothing lost, by one process at a time."""

import json
import signal
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from jsonschema import Draft202012Validator, FormatChecker

from media_jobs.adapters.nats.client import Stream
from media_jobs.callers import SYSTEM
from media_jobs.models import Job, JobEvent
from media_jobs.models import NatsRelay as Row
from media_jobs.runtime.nats_relay import NatsRelay
from media_jobs.services.jobs import lifecycle, triage
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.messages import relay, streams
from media_jobs.services.messages.schemas import IMAGE_REQUEST, NOTIFICATION, schema
from media_jobs.services.messages.told import Message
from media_jobs.states import TOLD, WebhookEvent
from tests import images, working
from tests.e2e.service import wait_until
from tests.factories import make_detail, make_failed_job, make_instruction, make_job, make_original
from tests.servers.nats import NatsServer
from tests.services.webhooks.helpers import make_webhook

pytestmark = pytest.mark.django_db(transaction=True)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@contextmanager
def relaying(server: NatsServer, holder: str = "a") -> Iterator[NatsRelay]:
    running = NatsRelay(server.url, holder)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def published(server: NatsServer, subject: str, schema_name: str) -> list[dict[str, Any]]:
    """All that is in the stream; each message is as its schema says."""
    found = [json.loads(payload) for _, payload in server.stored(subject)]
    validator = Draft202012Validator(schema(schema_name), format_checker=FormatChecker())
    for message in found:
        validator.validate(message)
    return found


def wait_for(server: NatsServer, subject: str, count: int) -> None:
    def are_there() -> bool:
        try:
            return len(server.stored(subject)) >= count
        except Exception:  # noqa: BLE001  (no stream yet, or no server)
            return False

    wait_until(are_there, 30, f"{count} messages")


def told() -> dict[str, list[int]]:
    """The numbers of the events of each job that others are told of."""
    found: dict[str, list[int]] = defaultdict(list)
    for event in JobEvent.objects.filter(type__in=TOLD).order_by("job", "number"):
        found[str(event.job_id)].append(event.number)
    return dict(found)


def test_a_job_is_told_of_from_its_beginning_to_its_end(nats: NatsServer, settings: Any) -> None:
    relay.begin()
    original = make_original(images.jpeg(64, 48), owner="key:web|ada")
    detail = make_detail(make_instruction("key:web|ada"), make_job(original))
    assert detail.job
    working.run(detail.job.pk)
    failed = make_failed_job()
    Job.objects.filter(pk=failed.pk).update(traceparent=TRACEPARENT, tracestate="congo=t61")
    make_webhook(failed.owner, types=[WebhookEvent.REPORTED])
    triage.tell_uploaders([failed.pk], message="Please scan it again.", actor=SYSTEM)
    lifecycle.retry(failed.pk, actor=SYSTEM)
    lifecycle.cancel(failed.pk, actor=SYSTEM)
    with relaying(nats):
        wait_for(nats, settings.NATS_SUBJECT_NOTIFICATIONS, 7)
    found = published(nats, settings.NATS_SUBJECT_NOTIFICATIONS, NOTIFICATION)
    ours = [message for message in found if message["jobId"] == str(detail.job.pk)]
    assert [(m["type"], m["status"]) for m in ours] == [
        ("job.queued", "PENDING"), ("job.started", "PROCESSING"), ("job.done", "DONE"),
    ]  # fmt: skip
    assert ours[-1]["userId"] == "ada"
    assert (ours[-1]["instructionId"], ours[-1]["detailId"]) == (str(detail.instruction_id), str(detail.pk))
    assert [made["variant"] for made in ours[-1]["processed"]] == ["full", "medium", "small", "thumb"]
    others = [(m["type"], m.get("error", {}).get("code")) for m in found if m["jobId"] == str(failed.pk)]
    assert others == [
        ("job.queued", None), ("job.reported", failed.code), ("job.retried", None), ("job.cancelled", "cancelled"),
    ]  # fmt: skip
    assert "Please scan it again." in [m["error"]["detail"] for m in found if m["type"] == "job.reported"]
    requests = published(nats, settings.NATS_SUBJECT_IMAGE_REQUESTS, IMAGE_REQUEST)
    assert {m["jobId"] for m in requests} == {str(detail.job.pk), str(failed.pk)}
    assert requests[0]["key"] == original.key
    headers = nats.headers(settings.NATS_SUBJECT_NOTIFICATIONS)
    traced = [(header.get("traceparent"), header.get("tracestate")) for header in headers]
    assert traced == [(TRACEPARENT, "congo=t61") if m["jobId"] == str(failed.pk) else (None, None) for m in found]


def test_an_outage_loses_nothing_and_holds_nobody_up(nats: NatsServer, settings: Any) -> None:
    relay.begin()
    subject = settings.NATS_SUBJECT_NOTIFICATIONS
    with relaying(nats):
        make_job()
        wait_for(nats, subject, 1)
        nats.stop(signal.SIGKILL)
        jobs = [make_job() for _ in range(5)]  # nothing of this waits for it
        for job in jobs:
            lifecycle.cancel(job.pk, actor=SYSTEM)
        nats.start()
        wait_for(nats, subject, 11)
    numbers: dict[str, list[int]] = defaultdict(list)
    for message in published(nats, subject, NOTIFICATION):
        if message["number"] not in numbers[message["jobId"]]:  # once more is allowed
            numbers[message["jobId"]].append(message["number"])
    assert dict(numbers) == told()


def test_what_is_not_committed_is_not_told_and_what_commits_late_is(nats: NatsServer, settings: Any) -> None:
    relay.begin()
    subject = settings.NATS_SUBJECT_NOTIFICATIONS
    if connection.vendor != "postgresql":
        with transaction.atomic():
            make_job()
            transaction.set_rollback(True)
        kept = make_job()
        with relaying(nats):
            wait_for(nats, subject, 1)
        assert [m["jobId"] for m in published(nats, subject, NOTIFICATION)] == [str(kept.pk)]
        return
    begun, may_end = threading.Event(), threading.Event()

    def hold_open() -> None:
        with transaction.atomic():
            make_job()
            begun.set()
            may_end.wait(30)
        connection.close()

    late = threading.Thread(target=hold_open)
    late.start()
    begun.wait(30)
    make_job()
    with relaying(nats):
        may_end.set()
        late.join()
        make_job()
        wait_for(nats, subject, 3)
    assert {m["jobId"] for m in published(nats, subject, NOTIFICATION)} == set(told())


def test_one_publishes_and_another_takes_over_when_it_is_gone(nats: NatsServer, settings: Any) -> None:
    relay.begin()
    subject = settings.NATS_SUBJECT_NOTIFICATIONS
    sent: list[str] = []
    first, second = (relay.Relay(name, lambda message: sent.append(message.id)) for name in ("a", "b"))
    make_job()
    assert first.step() is False
    assert second.step() is None
    Row.objects.update(lease_until=from_now(-1))
    job = make_job()
    assert second.step() is False
    assert first.step() is None
    second.release()
    assert first.step() is False
    assert len(sent) == 4
    assert sent.count(f"{job.pk}-1") == 2  # one request, one notification
    first.release()
    with relaying(nats, "c"), relaying(nats, "d"):
        make_job()
        wait_for(nats, subject, 1)
    assert len(published(nats, subject, NOTIFICATION)) == 1


def test_whoever_fails_in_the_middle_begins_there_again(nats: NatsServer) -> None:
    relay.begin()
    first, second = make_job(), make_job()
    sent: list[str] = []

    def fail_once(message: Message) -> None:
        sent.append(message.id)
        if len(sent) == 3:
            raise ZeroDivisionError

    publisher = relay.Relay("a", fail_once)
    with pytest.raises(ZeroDivisionError):
        publisher.step()
    assert publisher.step() is False
    assert sent == [f"{first.pk}-1"] * 2 + [f"{second.pk}-1"] * 3


def test_an_unread_stream_of_requests_holds_up_nobody(
    nats: NatsServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has room for a few messages only: the oldest go."""
    name, subject = "full-of-requests", settings.NATS_SUBJECT_IMAGE_REQUESTS
    small: Callable[[], Any] = lambda: Stream(name, subject, max_bytes=4000, max_age_s=60)  # noqa: E731
    monkeypatch.setattr(streams, "requests", small)
    relay.begin()
    jobs = [make_job() for _ in range(12)]
    with relaying(nats):
        wait_for(nats, settings.NATS_SUBJECT_NOTIFICATIONS, 12)
    left = published(nats, subject, IMAGE_REQUEST)
    assert 1 <= len(left) < 12
    assert left[-1]["jobId"] == str(jobs[-1].pk)


def test_nothing_of_the_past_is_told_when_it_begins(nats: NatsServer, settings: Any) -> None:
    make_job()
    relay.begin()
    job = make_job()
    relay.begin()
    with relaying(nats):
        wait_for(nats, settings.NATS_SUBJECT_NOTIFICATIONS, 1)
    assert [m["jobId"] for m in published(nats, settings.NATS_SUBJECT_NOTIFICATIONS, NOTIFICATION)] == [str(job.pk)]
