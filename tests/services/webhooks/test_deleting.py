"""A webhook is deleted with its deliveries, while others make them and write down what came of them."""

import pytest
from django.db import connection, transaction

from media_jobs.models import WebhookDelivery, WebhookEndpoint
from media_jobs.services.webhooks import endpoints, fanout, payloads
from tests.factories import make_job
from tests.services.jobs.threads import InThread, wait_until
from tests.services.webhooks.helpers import make_delivery, make_webhook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def someone_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def test_it_waits_for_whoever_writes_down_what_came_of_a_delivery() -> None:
    delivery = make_delivery(make_webhook())
    with transaction.atomic():  # in the order of `sending.record`
        WebhookEndpoint.objects.select_for_update(no_key=True).get()
        deleting = InThread(endpoints.delete, delivery.endpoint)
        wait_until(someone_waits_for_us)
        WebhookDelivery.objects.update(attempts=1)
    deleting.ended()
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_it_waits_for_whoever_makes_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = make_webhook()
    make_job()
    deleting: list[InThread] = []

    def delete_meanwhile(*_: object) -> str:
        deleting.append(InThread(endpoints.delete, endpoint))
        wait_until(someone_waits_for_us)
        return "{}"

    monkeypatch.setattr(payloads, "of_event", delete_meanwhile)
    assert fanout.fan_out() == 1
    deleting[0].ended()
    assert not WebhookDelivery.objects.exists()
