"""What tests of webhooks share."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models.functions import Now

from media_jobs.callers import ANONYMOUS
from media_jobs.models import Job, WebhookDelivery, WebhookEndpoint
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.webhooks import endpoints, fanout, payloads, sending
from media_jobs.services.webhooks.sending import Sent
from media_jobs.states import WebhookEvent
from tests.factories import make_job

ALL = [told for told in WebhookEvent if told is not WebhookEvent.TEST]


def make_webhook(
    owner: str = ANONYMOUS.id, url: str = "https://example.org/hook", *, types: list[WebhookEvent] | None = None
) -> WebhookEndpoint:
    """A webhook, by default for all types."""
    endpoint = endpoints.create(owner, url, ALL if types is None else types)
    endpoint.refresh_from_db()
    return endpoint


def make_delivery(endpoint: WebhookEndpoint | None = None, **fields: Any) -> WebhookDelivery:
    """A delivery of the first event of some job, due now."""
    endpoint = endpoint or make_webhook()
    job_id = uuid4()
    event = {"message_id": f"{job_id}-1", "type": WebhookEvent.QUEUED, "job_id": job_id, "event_number": 1}
    made = WebhookDelivery.objects.create(endpoint=endpoint, payload=payloads.of_test(), **(event | fields))
    made.refresh_from_db()
    return made


def read_all() -> None:
    while fanout.fan_out():
        pass


def told(endpoint: WebhookEndpoint) -> list[tuple[UUID | None, int | None, str]]:
    """Job, number and type of all deliveries, in the order in which they were made."""
    return list(endpoint.deliveries.order_by("id").values_list("job_id", "event_number", "type"))


def attempt(delivery: WebhookDelivery) -> Sent:
    """Send a delivery that is due, as a worker does."""
    claimed = sending.claim(delivery.endpoint_id)
    assert claimed is not None
    assert claimed.id == delivery.pk
    sent = sending.send(claimed)
    assert sending.record(claimed, sent)
    delivery.refresh_from_db()
    return sent


def make_due(delivery: WebhookDelivery) -> None:
    """Let the time come for which it waits."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_at=Now())


def due_in_s(delivery: WebhookDelivery) -> float:
    """In how many seconds it is sent next, by the database's clock."""
    found = WebhookDelivery.objects.annotate(now=from_now(0)).get(pk=delivery.pk)
    assert found.next_at
    return float((found.next_at - found.now).total_seconds())


def job_of(owner: str) -> Job:
    job = make_job()
    Job.objects.filter(pk=job.pk).update(owner=owner)
    return job


def delete_when_read(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Have somebody delete a webhook just after it was read so many times."""
    read, left = WebhookEndpoint.from_db, [times]

    def from_db(*args: Any) -> WebhookEndpoint:
        found = read(*args)
        left[0] -= 1
        if left[0] == 0:
            endpoints.delete(found)
        return found

    monkeypatch.setattr(WebhookEndpoint, "from_db", from_db)
