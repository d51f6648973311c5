"""A consumer of webhooks misses no event and gets none twice, whoever is away: itself, the web process, Redis, all."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests import images
from tests.e2e.accounts import staff
from tests.e2e.service import Service, running, wait_until
from tests.servers.receiver import Answer, Message, Receiver

pytestmark = pytest.mark.e2e

ALL = ["job.queued", "job.started", "job.done", "job.failed", "job.cancelled", "job.retried"]
#: Number and type of all events that webhooks are told of.
_DUMP = (
    "from media_jobs.models import JobEvent; from media_jobs.states import TOLD; "
    "print(*(f'{e.job_id}|{e.number}|{TOLD[e.type].value}' for e in JobEvent.objects.filter(type__in=TOLD)))"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("webhooks") / "data", {"WEBHOOK_ALLOW_LOOPBACK": "true"}) as started:
        yield started


@pytest.fixture
def browser(service: Service) -> Iterator[httpx.Client]:
    """A caller: a member of staff with a session, who sends what unsafe requests need."""
    with staff(service) as signed_in:
        signed_in.headers["X-CSRFToken"] = signed_in.cookies["csrftoken"]
        yield signed_in


class Consumer:
    """A receiver that is registered, and what it got."""

    def __init__(self, browser: httpx.Client) -> None:
        self.receiver, self._browser = Receiver(), browser
        answer = browser.post("/v1/webhooks", json={"url": self.receiver.url, "eventTypes": ALL})
        assert answer.status_code == 201, answer.text
        self.path, self.secret = f"/v1/webhooks/{answer.json()['webhookId']}", answer.json()["secret"]

    @property
    def events(self) -> list[str]:
        """What was taken, in the order of its coming; each is signed."""
        contents = [message.verified(self.secret) for message in self.receiver.messages]
        return [f"{c['data']['jobId']}|{c['data']['eventNumber']}|{c['type']}" for c in contents]

    def deliveries(self, state: str = "") -> list[dict[str, Any]]:
        query = {"limit": "100", **({"state": state} if state else {})}
        return list(self._browser.get(f"{self.path}/deliveries", params=query).json()["deliveries"])


@pytest.fixture
def consumer(browser: httpx.Client) -> Consumer:
    return Consumer(browser)


def upload(browser: httpx.Client, count: int = 1, content: bytes = b"") -> list[str]:
    """Upload like a client that tries again until it is accepted; the ids of the jobs."""
    ids: list[str] = []
    deadline = time.monotonic() + 120
    while len(ids) < count:
        assert time.monotonic() < deadline, "no upload was accepted"
        try:
            answer = browser.post("/v1/images", files={"file": ("gall.jpg", content or images.jpeg(64, 48))})
        except httpx.TransportError:  # the web process is being restarted
            time.sleep(0.1)
            continue
        assert answer.status_code in (202, 503), answer.text
        ids += [answer.json()["jobId"]] if answer.status_code == 202 else []
    return ids


def written(service: Service) -> list[str]:
    return service.manage("shell", "--no-imports", "-c", _DUMP).split()


def are_over(browser: httpx.Client, ids: list[str]) -> bool:
    return all(browser.get(f"/v1/jobs/{job_id}").json()["status"] != "processing" for job_id in ids)


def kill(service: Service, *kinds: str) -> None:
    for kind in kinds:
        for pid in service.pids(kind):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("away_s", [5, pytest.param(60, marks=pytest.mark.slow)])
def test_a_consumer_that_was_away_misses_nothing_and_gets_nothing_twice(
    service: Service, browser: httpx.Client, consumer: Consumer, away_s: float
) -> None:
    before = set(written(service))
    with consumer.receiver.up():
        ids = upload(browser, 2)
        kill(service, "web", "valkey")
        ids += upload(browser, 2)
        wait_until(service.is_ready, 60, "the service to be ready again")
        wait_until(lambda: are_over(browser, ids), 120, "the end of the jobs")
        consumer.receiver.wait_for(3 * len(ids))

    back_at = time.monotonic() + away_s
    ids += upload(browser, 3)
    kill(service, "valkey")
    ids += upload(browser, content=images.jpeg(640, 480)[:2000])  # it fails
    kill(service, "web")
    wait_until(service.is_ready, 60, "the service to be ready again")
    assert service.stop(signal.SIGTERM) == 0
    service.start()
    ids += upload(browser, 2)
    wait_until(lambda: are_over(browser, ids), 120, "the end of the jobs")
    wait_until(lambda: any(d["attempts"] > 1 for d in consumer.deliveries("pending")), 60, "attempts that failed")
    wait_until(lambda: time.monotonic() > back_at, away_s + 1, "the consumer's time to be over")

    with consumer.receiver.up():
        ids += upload(browser)
        wait_until(lambda: are_over(browser, ids), 120, "the end of the jobs")
        wait_until(lambda: not consumer.deliveries("pending"), 120, "all deliveries")
    assert Counter(consumer.events) == Counter(set(written(service)) - before)
    assert len({message.id for message in consumer.receiver.messages}) == len(consumer.receiver.messages)
    assert consumer.deliveries("failed") == []


def test_a_consumer_that_refuses_gets_the_same_again(
    service: Service, browser: httpx.Client, consumer: Consumer
) -> None:
    """Its answer was lost, or it was busy: the same id, the same payload."""

    def refuse_once(message: Message) -> Answer:
        came = sum(other.id == message.id for other in consumer.receiver.messages)
        return Answer(500 if came == 1 else 204)

    consumer.receiver.answer = refuse_once
    with consumer.receiver.up():
        [job_id] = upload(browser)
        messages = consumer.receiver.wait_for(6)
    # Not always 1, 2 and 3: a stage that lasts is in the history, too, and no webhook is told of it.
    told = [event.split("|")[1] for event in written(service) if event.startswith(job_id)]
    assert Counter(m.id for m in messages) == {f"{job_id}-{number}": 2 for number in told}
    assert len({m.body for m in messages}) == 3


def test_a_receiver_that_is_slow_holds_up_no_picture(browser: httpx.Client, consumer: Consumer) -> None:
    hold: list[Message] = []

    def never_in_time(message: Message) -> Answer:
        hold.append(message)
        wait_until(lambda: not hold, 60, "the pictures")
        return Answer()

    consumer.receiver.answer = never_in_time
    with consumer.receiver.up():
        upload(browser)
        wait_until(lambda: hold, 60, "the first message")
        ids = upload(browser, 6)
        wait_until(lambda: are_over(browser, ids), 60, "the end of the jobs")
        assert hold, "the receiver was not held"
        hold.clear()


def test_a_test_event_arrives_and_gone_disables(browser: httpx.Client, consumer: Consumer) -> None:
    with consumer.receiver.up():
        assert browser.post(f"{consumer.path}/test").status_code == 202
        [message] = consumer.receiver.wait_for(1)
        assert message.verified(consumer.secret)["type"] == "webhook.test"
        consumer.receiver.answer = lambda _: Answer(410)
        upload(browser)
        wait_until(lambda: not browser.get(consumer.path).json()["enabled"], 60, "the webhook to be disabled")
    assert "no more events" in browser.get(consumer.path).json()["disabledReason"]
    refused = browser.post(f"{consumer.path}/test")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_disabled")


def test_no_secret_is_in_the_log(service: Service, browser: httpx.Client, consumer: Consumer) -> None:
    with consumer.receiver.up():
        rotated = browser.post(f"{consumer.path}/secret").json()["secret"]
        upload(browser)
        [message, *_] = consumer.receiver.wait_for(1)
    for secret in (consumer.secret, rotated):
        message.verified(secret)
    wait_until(lambda: "webhook_delivered" in service.logs, 60, "the line about it")
    assert "whsec_" not in service.logs
    assert message.headers["webhook-signature"].split()[0] not in service.logs
    assert consumer.receiver.url not in service.logs
