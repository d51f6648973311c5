"""A delivery is sent until it is taken: when, how often, and what follows from each answer."""

import random
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import structlog
from django.utils import timezone

from media_jobs.errors import DeliveryFailed
from media_jobs.models import WebhookDelivery, WebhookEndpoint
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.webhooks import endpoints, schedule, sending
from media_jobs.services.webhooks.sending import Sent, Waiting
from media_jobs.states import DeliveryState, WebhookEvent
from tests.servers.receiver import Answer, Receiver
from tests.services.webhooks.helpers import attempt, due_in_s, make_delivery, make_due, make_webhook

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
_HOUR_S = 3600


@pytest.fixture
def delivery(receiver: Receiver) -> WebhookDelivery:
    """One that is due for a receiver on this host."""
    return make_delivery(make_webhook(url=receiver.url))


def fail_on(receiver: Receiver, status: int, **headers: str) -> None:
    receiver.answer = lambda _: Answer(status, {name.replace("_", "-"): value for name, value in headers.items()})


# --- what is sent ---------------------------------------------------------------------------------


def test_what_is_taken_is_delivered_and_never_sent_again(receiver: Receiver, delivery: WebhookDelivery) -> None:
    attempt(delivery)
    assert (delivery.state, delivery.attempts, delivery.response_status) == (DeliveryState.DELIVERED, 1, 204)
    assert delivery.next_at is None
    assert delivery.ended_at
    assert sending.claim(delivery.endpoint_id) is None
    [message] = receiver.messages
    assert message.id == delivery.message_id
    assert message.body.decode() == delivery.payload


def test_it_is_signed_with_the_secret_and_after_a_rotation_with_both(
    receiver: Receiver, delivery: WebhookDelivery
) -> None:
    first = delivery.endpoint.secret
    second = endpoints.rotate_secret(delivery.endpoint)
    attempt(delivery)
    for secret in (first, second):
        assert receiver.messages[0].verified(secret)["type"]


def test_a_former_secret_signs_for_a_day_and_not_longer() -> None:
    endpoint = make_webhook()
    first = endpoint.secret
    second = endpoints.rotate_secret(endpoint)
    now = timezone.now()
    assert endpoint.secrets(now + timedelta(hours=23)) == [second, first]
    assert endpoint.secrets(now + timedelta(hours=25)) == [second]
    assert len({first, second, endpoints.rotate_secret(endpoint)}) == 3
    assert first not in endpoint.secrets(now)


def test_each_attempt_has_the_time_at_which_it_is_made(receiver: Receiver, delivery: WebhookDelivery) -> None:
    fail_on(receiver, 500)
    before = int(timezone.now().timestamp())
    for _ in range(2):
        attempt(delivery)
        make_due(delivery)
    for message in receiver.messages:
        assert int(message.headers["webhook-timestamp"]) >= before
        message.verified(delivery.endpoint.secret)
    assert receiver.messages[0].id == receiver.messages[1].id
    assert receiver.messages[0].body == receiver.messages[1].body


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [(302, "receiver_redirected"), (400, "receiver_refused"), (404, "receiver_refused"), (503, "receiver_refused")],
)
def test_all_but_2xx_is_a_failure_and_tried_again(
    receiver: Receiver, delivery: WebhookDelivery, status: int, code: str
) -> None:
    receiver.answer = lambda _: Answer(status, {"Location": receiver.url}, b"no, thank you")
    attempt(delivery)
    assert (delivery.state, delivery.code, delivery.response_status) == (DeliveryState.PENDING, code, status)
    assert str(status) in delivery.detail
    assert delivery.response_body == "no, thank you"
    assert len(receiver.messages) == 1


def test_an_address_that_is_not_global_is_never_sent_to_also_where_it_was_when_registered(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    delivery = make_delivery(make_webhook(url="http://127.0.0.1:9/hook"))
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    attempt(delivery)
    assert (delivery.state, delivery.code) == (DeliveryState.PENDING, "receiver_address_refused")


def test_nobody_who_answers_in_time_is_a_failure(
    receiver: Receiver, delivery: WebhookDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    receiver.answer = lambda _: Answer(200 if over.wait(60) else 500)
    monkeypatch.setattr(sending, "LIMIT_S", 0.3)
    attempt(delivery)
    over.set()
    assert delivery.code == "receiver_timeout"


def test_a_bug_in_sending_is_a_failure_like_another(delivery: WebhookDelivery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_jobs.adapters.webhooks.client.post", lambda *_, **__: 1 / 0)
    sent = attempt(delivery)
    assert isinstance(sent.error, DeliveryFailed)
    assert (delivery.state, delivery.code) == (DeliveryState.PENDING, "delivery_failed")


def test_gone_disables_the_webhook_and_says_so(receiver: Receiver, delivery: WebhookDelivery) -> None:
    fail_on(receiver, 410)
    attempt(delivery)
    assert (delivery.state, delivery.code) == (DeliveryState.FAILED, "receiver_gone")
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.disabled_at
    assert "no more events" in endpoint.disabled_reason
    make_delivery(endpoint)
    assert sending.waiting() == []
    assert sending.claim(endpoint.pk) is None


# --- when again -----------------------------------------------------------------------------------


def test_the_waits_are_those_of_the_specification_and_span_three_days() -> None:
    minute, hour = 60, 3600
    expected = [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
    for number, wait_s in enumerate(expected, start=1):
        drawn = {schedule.wait_s(number) for _ in range(20)}
        assert len(drawn) > 1
        assert all(found and 0.9 * wait_s <= found + 0.1 and found - 0.1 <= 1.1 * wait_s for found in drawn)
    assert schedule.wait_s(len(expected) + 1) is None
    assert 3 * 24 * hour < sum(expected) < 4 * 24 * hour


def test_each_failure_waits_for_longer_until_it_is_given_up(receiver: Receiver, delivery: WebhookDelivery) -> None:
    fail_on(receiver, 500)
    for wait_s in schedule.WAITS_S:
        attempt(delivery)
        assert 0.9 * wait_s - 5 < due_in_s(delivery) < 1.1 * wait_s + 5
        assert sending.claim(delivery.endpoint_id) is None
        make_due(delivery)
    attempt(delivery)
    assert (delivery.state, delivery.attempts, delivery.next_at) == (DeliveryState.FAILED, 10, None)


def test_retry_after_is_waited_for_where_it_is_longer(receiver: Receiver, delivery: WebhookDelivery) -> None:
    fail_on(receiver, 503, Retry_After="7200")
    attempt(delivery)
    assert 7190 < due_in_s(delivery) <= 7200
    assert delivery.not_before
    fail_on(receiver, 503, Retry_After="1")
    make_due(delivery)
    attempt(delivery)
    assert due_in_s(delivery) > 200


@pytest.mark.parametrize(
    ("header", "least_s", "most_s"),
    [
        ("30", 30, 30),
        ("0", 0, 0),
        ("9" * 400, 86_400, 86_400),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400, 86_400),
        ("soon", 0, 0),
        ("-5", 0, 0),
        ("", 0, 0),
        ("٣", 0, 0),
    ],
)
def test_retry_after_is_read_as_a_number_or_a_date(header: str, least_s: float, most_s: float) -> None:
    assert least_s <= schedule.retry_after_s(header) <= most_s


def test_retry_after_as_a_date_is_waited_for() -> None:
    in_two_hours = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    assert 7000 < schedule.retry_after_s(in_two_hours) <= 7200


def test_three_days_without_success_disable_the_webhook_and_say_so(
    receiver: Receiver, delivery: WebhookDelivery
) -> None:
    fail_on(receiver, 500)
    attempt(delivery)
    since = timezone.now() - sending.GIVEN_UP_AFTER - timedelta(minutes=1)
    WebhookEndpoint.objects.update(failing_since=since)
    make_due(delivery)
    with structlog.testing.capture_logs() as logs:
        attempt(delivery)
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.disabled_at
    assert "three days" in endpoint.disabled_reason
    assert "500" in endpoint.disabled_reason
    assert [line["webhook"] for line in logs if line["event"] == "webhook_disabled"] == [str(endpoint.pk)]
    assert delivery.state == DeliveryState.PENDING  # enabled again, it is sent


def test_a_success_ends_the_count(receiver: Receiver, delivery: WebhookDelivery) -> None:
    fail_on(receiver, 500)
    attempt(delivery)
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.failures == 1
    assert endpoint.failing_since
    fail_on(receiver, 200)
    make_due(delivery)
    attempt(delivery)
    endpoint.refresh_from_db()
    assert [endpoint.failures, endpoint.failing_since] == [0, None]


def test_when_the_receiver_is_back_what_waits_is_sent_at_once(receiver: Receiver) -> None:
    endpoint = make_webhook(url=receiver.url)
    away = {"attempts": 2, "code": "receiver_unreachable", "next_at": from_now(_HOUR_S)}
    lost = make_delivery(endpoint, **away)
    put_off = make_delivery(endpoint, **{**away, "not_before": from_now(_HOUR_S)})
    refused = make_delivery(endpoint, **{**away, "code": "receiver_refused", "response_status": 500})
    gateway = make_delivery(endpoint, **{**away, "code": "receiver_refused", "response_status": 502})
    WebhookEndpoint.objects.update(failures=4, failing_since=timezone.now())
    attempt(make_delivery(endpoint))
    assert [due_in_s(d) <= 0 for d in (lost, put_off, refused, gateway)] == [True, False, False, True]


def test_one_failure_among_successes_brings_nothing_forward(receiver: Receiver) -> None:
    endpoint = make_webhook(url=receiver.url)
    lost = make_delivery(endpoint, attempts=2, code="receiver_timeout", next_at=from_now(_HOUR_S))
    WebhookEndpoint.objects.update(failures=1, failing_since=timezone.now())
    attempt(make_delivery(endpoint))
    assert due_in_s(lost) > 3000


# --- tests ----------------------------------------------------------------------------------------


def test_a_test_is_sent_once_and_its_failure_counts_for_nothing(receiver: Receiver) -> None:
    fail_on(receiver, 500)
    endpoint = make_webhook(url=receiver.url)
    test = endpoints.send_test(endpoint)
    attempt(test)
    assert (test.state, test.attempts) == (DeliveryState.FAILED, 1)
    endpoint.refresh_from_db()
    assert endpoint.failures == 0
    assert receiver.messages[0].content["type"] == WebhookEvent.TEST


# --- several senders ------------------------------------------------------------------------------


def test_what_one_is_sending_nobody_else_sends(delivery: WebhookDelivery) -> None:
    assert sending.claim(delivery.endpoint_id)
    assert sending.claim(delivery.endpoint_id) is None
    assert sending.waiting() == []


def test_what_a_sender_that_died_had_in_hand_is_sent_by_another_when_its_lease_is_over(
    receiver: Receiver, delivery: WebhookDelivery
) -> None:
    first = sending.claim(delivery.endpoint_id)
    assert first
    WebhookDelivery.objects.update(lease_until=from_now(-1))
    second = sending.claim(delivery.endpoint_id)
    assert second
    assert not sending.record(first, Sent(error=DeliveryFailed("too late")))
    assert sending.record(second, sending.send(second))
    assert not sending.record(first, Sent(error=DeliveryFailed("much too late")))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)
    assert WebhookEndpoint.objects.get().failures == 0


def test_an_outcome_of_what_was_deleted_meanwhile_is_dropped(receiver: Receiver, delivery: WebhookDelivery) -> None:
    claimed = sending.claim(delivery.endpoint_id)
    assert claimed
    delivery.endpoint.delete()
    assert not sending.record(claimed, sending.send(claimed))


def test_webhooks_that_work_come_before_those_that_do_not() -> None:
    failing, working, idle = make_webhook(), make_webhook(), make_webhook()
    WebhookEndpoint.objects.filter(pk=failing.pk).update(failures=3)
    make_delivery(failing)
    make_delivery(working)
    make_delivery(idle, next_at=from_now(60))
    assert sending.waiting() == [Waiting(working.pk, False), Waiting(failing.pk, True)]


def test_what_is_due_for_longest_comes_first() -> None:
    endpoint = make_webhook()
    later, sooner = (make_delivery(endpoint, next_at=from_now(-s)) for s in (5, 50))
    claimed = [sending.claim(endpoint.pk) for _ in range(2)]
    assert [found and found.id for found in claimed] == [sooner.pk, later.pk]


# --- secrets --------------------------------------------------------------------------------------


def test_no_secret_signature_or_address_is_logged(receiver: Receiver) -> None:
    with structlog.testing.capture_logs() as logs:
        endpoint = make_webhook(url=f"{receiver.url}?token=t0k3n")
        former = endpoint.secret
        endpoints.rotate_secret(endpoint)
        attempt(make_delivery(endpoint))
        fail_on(receiver, 500)
        failing = make_delivery(endpoint)
        claimed = sending.claim(endpoint.pk)
        assert claimed
        sending.record(claimed, sending.send(claimed))
    said = repr(logs) + repr(endpoint) + repr(failing) + repr(claimed)
    assert "webhook_delivered" in said
    for secret in (former, endpoint.secret, "v1,", "t0k3n"):
        assert secret not in said.replace(repr(endpoint), "")


def test_jitter_is_drawn_anew_each_time() -> None:
    random.seed(1)
    assert len({schedule.wait_s(9) for _ in range(10)}) > 1
