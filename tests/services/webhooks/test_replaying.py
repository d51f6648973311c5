"""What was given up, or taken, is sent again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media_jobs.errors import WebhookDisabled
from media_jobs.models import WebhookDelivery
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.webhooks import endpoints, replaying, schedule, sending
from media_jobs.states import DeliveryState
from tests.servers.receiver import Answer, Receiver
from tests.services.housekeeping.helpers import ago, do
from tests.services.webhooks.helpers import attempt, due_in_s, make_delivery, make_webhook

pytestmark = pytest.mark.django_db
FAILED: dict[str, Any] = {"state": DeliveryState.FAILED, "attempts": 10, "next_at": None}


def test_it_is_the_same_message_again_with_all_its_attempts(receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(500)
    delivery = make_delivery(make_webhook(url=receiver.url), **FAILED)
    replaying.replay(delivery)
    attempt(delivery)
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 11)
    assert due_in_s(delivery) < 2 * schedule.WAITS_S[0]
    receiver.answer = lambda _: Answer(200)
    replaying.replay(delivery)
    attempt(delivery)
    assert delivery.state == DeliveryState.DELIVERED
    assert len({(message.id, message.body) for message in receiver.messages}) == 1


def test_what_was_taken_can_be_sent_again(receiver: Receiver) -> None:
    delivery = make_delivery(make_webhook(url=receiver.url))
    attempt(delivery)
    replaying.replay(delivery)
    attempt(delivery)
    assert len(receiver.messages) == 2


def test_what_is_just_being_sent_is_left_alone() -> None:
    delivery = make_delivery()
    claimed = sending.claim(delivery.endpoint_id)
    assert claimed
    assert replaying.replay_all(WebhookDelivery.objects.all()) == 0
    delivery.refresh_from_db()
    assert delivery.lease_until


def test_what_failed_since_a_time_is_sent_again_and_nothing_else() -> None:
    endpoint = make_webhook()
    old, failed, taken = (make_delivery(endpoint, **FAILED) for _ in range(3))
    WebhookDelivery.objects.filter(pk=old.pk).update(created_at=from_now(-7200))
    WebhookDelivery.objects.filter(pk=taken.pk).update(state=DeliveryState.DELIVERED)
    others = make_delivery(**FAILED)
    assert replaying.replay_failed(endpoint, timezone.now() - timedelta(hours=1)) == 1
    pending = WebhookDelivery.objects.filter(state=DeliveryState.PENDING)
    assert [found.pk for found in pending] == [failed.pk]
    assert others.pk not in {found.pk for found in pending}


def test_nothing_is_sent_again_to_a_disabled_webhook() -> None:
    delivery = make_delivery(**FAILED)
    endpoints.disable(delivery.endpoint, "It is gone.")
    delivery.endpoint.refresh_from_db()
    with pytest.raises(WebhookDisabled):
        replaying.replay(delivery)
    with pytest.raises(WebhookDisabled):
        replaying.replay_failed(delivery.endpoint, timezone.now() - timedelta(days=1))
    assert replaying.replay_all(WebhookDelivery.objects.all()) == 0


def test_the_log_is_kept_for_thirty_days_and_what_is_on_its_way_for_longer() -> None:
    disabled = make_webhook()
    endpoints.disable(disabled, "It is gone.")
    old = [make_delivery(**FAILED), make_delivery(state=DeliveryState.DELIVERED, next_at=None), make_delivery(disabled)]
    on_its_way = make_delivery()
    WebhookDelivery.objects.update(created_at=ago(days=31))
    young = make_delivery(**FAILED)
    assert do("deliveries").repaired == len(old)
    assert {found.pk for found in WebhookDelivery.objects.all()} == {on_its_way.pk, young.pk}
