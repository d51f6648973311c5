"""Requests of others become jobs, each once; what nothing can be made of is kept, with the reason."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection

from media_jobs.adapters.storage import Role, store
from media_jobs.models import DeadLetter, DirectUpload, ImageRequest, InstructionDetail, Job, Original, Product
from media_jobs.models.base import uuid7
from media_jobs.runtime.nats_consumer import DURABLE, Consumer
from media_jobs.services.messages import requests
from media_jobs.services.messages.told import of
from media_jobs.states import JobState, OriginalState
from tests import images, people, working
from tests.e2e.service import wait_until
from tests.factories import make_job
from tests.servers.nats import NatsServer

pytestmark = pytest.mark.django_db(transaction=True)

PHOTO = images.jpeg(64, 48)


@pytest.fixture(autouse=True)
def _inbox(settings: Any) -> None:
    settings.NATS_INBOX_PREFIX = "inbox/"


@contextmanager
def consuming(server: NatsServer) -> Iterator[Consumer]:
    consumer = Consumer(server.url)

    def run() -> None:
        consumer.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield consumer
    finally:
        consumer.stop()
        thread.join(30)


def stored(key: str, content: bytes = PHOTO) -> str:
    writer = store(Role.WEB).begin(key, content_type="image/jpeg")
    writer.write(content)
    writer.commit()
    return key


def request(key: str, **fields: Any) -> bytes:
    return json.dumps({"key": key, "product": "gallformers", "userId": "ada"} | fields).encode()


def unread(server: NatsServer, subject: str) -> int:
    """How many messages of the durable consumer wait or are in hand."""

    async def ask(connection: Any) -> int:
        jetstream = connection.jetstream()
        stream = await jetstream.find_stream_name_by_subject(subject)
        known = await jetstream.consumer_info(stream, DURABLE)
        return int(known.num_pending + known.num_ack_pending)

    return int(server.do(ask))


def settled(server: NatsServer, subject: str) -> None:
    def is_settled() -> bool:
        try:
            return unread(server, subject) == 0
        except Exception:  # noqa: BLE001  (it is being started)
            return False

    wait_until(is_settled, 40, "all messages")


def make_stream(server: NatsServer, subject: str) -> None:
    async def make(connection: Any) -> None:
        await connection.jetstream().add_stream(name=subject.replace(".", "-"), subjects=[subject])

    server.do(make)


def test_an_object_in_the_inbox_becomes_a_job_once_and_is_processed(nats: NatsServer, settings: Any) -> None:
    subject = settings.NATS_SUBJECT_IMAGE_REQUESTS
    key, whole = people.api_key(acts_for_users=True)
    settings.NATS_OWNER = f"key:{key.prefix}"
    make_stream(nats, subject)
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "tracestate": "congo=t61"}
    nats.publish(subject, *[request(stored("inbox/june/oak.jpg"))] * 3, **headers)
    with consuming(nats), consuming(nats):
        settled(nats, subject)
    job = Job.objects.get()
    assert (ImageRequest.objects.count(), DeadLetter.objects.count()) == (1, 0)
    assert (job.traceparent.split("-")[1], job.tracestate) == (trace, "congo=t61")
    working.run(job.pk)
    detail = InstructionDetail.objects.select_related("job__original").get()
    assert (detail.state, detail.filename) == (JobState.DONE, "oak.jpg")
    assert detail.job
    assert (detail.job.original.state, detail.job.original.owner) == (OriginalState.ACTIVE, f"key:{key.prefix}|ada")
    listed = people.program(whole, "ada").get(f"/instructions/{detail.instruction_id}/details").json()
    assert listed["data"]["items"][0]["status"] == "DONE"
    assert list(store(Role.WORKER).keys("inbox/")) == []  # it has moved


def test_our_own_requests_change_nothing(nats: NatsServer, settings: Any) -> None:
    subject = settings.NATS_SUBJECT_IMAGE_REQUESTS
    make_stream(nats, subject)
    job = make_job()
    ours = of(list(job.events.all()))[job.events.get().pk][0]
    gone = json.dumps(json.loads(ours.payload) | {"jobId": str(uuid7())}).encode()
    nats.publish(subject, ours.payload, gone)
    with consuming(nats):
        settled(nats, subject)
    assert (Job.objects.count(), ImageRequest.objects.count(), DeadLetter.objects.count()) == (1, 0, 0)


@pytest.mark.slow
def test_a_message_that_comes_anew_after_an_acknowledgement_and_a_restart_makes_no_second_job(
    nats: NatsServer, settings: Any
) -> None:
    """A work-queue stream forgets ids of messages at a restart: our own row remembers."""
    subject = settings.NATS_SUBJECT_IMAGE_REQUESTS
    message = request(stored("inbox/a.jpg"))

    async def make(connection: Any) -> None:
        await connection.jetstream().add_stream(
            name=subject.replace(".", "-"), subjects=[subject], retention="workqueue"
        )

    nats.do(make)
    nats.publish(subject, message, **{"Nats-Msg-Id": "one"})
    with consuming(nats):
        settled(nats, subject)
    nats.stop(signal.SIGTERM)
    nats.start()
    nats.publish(subject, message, **{"Nats-Msg-Id": "one"})
    with consuming(nats):
        settled(nats, subject)
    assert Job.objects.count() == ImageRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"\xff\x00{", "bad_message"),
        (b"[]", "bad_message"),
        (b'{"key": "inbox/a.jpg"}', "bad_message"),
        (request("inbox/a.jpg", extra=1), "bad_message"),
        (request("inbox/a.jpg", userId="a b"), "bad_message"),
        (request("originals/a.jpg"), "key_not_allowed"),
        (request("full/a.jpg"), "key_not_allowed"),
        (request("inbox/../originals/a.jpg"), "key_not_allowed"),
        (request("inboxes/a.jpg"), "key_not_allowed"),
        (request("/etc/passwd"), "key_not_allowed"),
        (request("inbox/a.jpg", product="nonsense"), "unknown_product"),
        (request("inbox/a.jpg", product="hers"), "unknown_product"),
    ],
)  # fmt: skip
def test_what_nothing_can_be_made_of_is_refused_with_its_reason(payload: bytes, code: str) -> None:
    Product.objects.create(name="hers", preset="gallformers", owners="key:her")
    with pytest.raises(requests.REFUSALS) as refused:
        requests.take(payload)
    assert refused.value.code == code
    assert (Original.objects.count(), Job.objects.count(), DirectUpload.objects.count()) == (0, 0, 0)


def test_what_another_announced_is_not_theirs_who_ask() -> None:
    sent = {"filename": "a.jpg", "contentType": "image/jpeg"}
    people.keyed().post("/v1/uploads", sent, content_type="application/json")
    with pytest.raises(requests.REFUSALS) as refused:
        requests.take(request(DirectUpload.objects.get().key))
    assert refused.value.code == "key_not_allowed"
    DirectUpload.objects.update(owner="nats|ada")
    assert requests.take(request(DirectUpload.objects.get().key)) == Job.objects.get().pk
    with pytest.raises(requests.REFUSALS) as refused:
        requests.take(request(DirectUpload.objects.get().key, requestId="again"))
    assert refused.value.code == "upload_used"


def test_dead_letters_are_kept_and_hold_up_no_good_message(nats: NatsServer, settings: Any) -> None:
    subject = settings.NATS_SUBJECT_IMAGE_REQUESTS
    make_stream(nats, subject)
    nats.publish(subject, b"nonsense", request("originals/a.jpg"), request(stored("inbox/a.jpg")))
    with consuming(nats):
        settled(nats, subject)
    letters = list(DeadLetter.objects.order_by("sequence").values_list("sequence", "code", "payload", "deliveries"))
    assert letters[0] == (1, "bad_message", "nonsense", 1)
    assert letters[1][:2] == (2, "key_not_allowed")
    assert Job.objects.count() == 1
    page = people.staff("view_deadletter").get("/admin/media_jobs/deadletter/").content.decode()
    assert "key_not_allowed" in page


def test_what_kills_whoever_takes_it_is_given_up_after_five_times(nats: NatsServer, settings: Any) -> None:
    subject = settings.NATS_SUBJECT_IMAGE_REQUESTS
    make_stream(nats, subject)
    stored("inbox/a.jpg")
    nats.publish(subject, request("inbox/a.jpg"))

    async def die(connection: Any) -> None:
        jetstream = connection.jetstream()
        waiting = await jetstream.pull_subscribe(subject, durable=DURABLE, stream=subject.replace(".", "-"))
        for _ in range(5):
            [message] = await waiting.fetch(1, timeout=5)
            await message.nak()

    consumer = Consumer(nats.url)
    consumer._subscribe()
    consumer._client.close()
    nats.do(die)
    with consuming(nats):
        settled(nats, subject)
    assert (Job.objects.count(), DeadLetter.objects.get().code) == (0, "delivered_too_often")


@pytest.mark.slow
def test_a_database_that_is_away_costs_no_delivery(
    nats: NatsServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = settings.NATS_SUBJECT_IMAGE_REQUESTS
    make_stream(nats, subject)
    nats.publish(subject, request(stored("inbox/a.jpg")))
    take, failures = requests.take, iter(range(3))

    def away(payload: bytes) -> Any:
        if next(failures, None) is not None:
            raise OperationalError
        return take(payload)

    monkeypatch.setattr(requests, "take", away)
    with consuming(nats):
        settled(nats, subject)
    assert (Job.objects.count(), DeadLetter.objects.count()) == (1, 0)
