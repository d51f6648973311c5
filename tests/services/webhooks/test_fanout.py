"""Every event becomes one delivery for each webhook that wants it: none is missed, and none made twice."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from media_jobs import event_log
from media_jobs.callers import ANONYMOUS, SYSTEM
from media_jobs.event_log import EventCursor
from media_jobs.models import JobEvent, WebhookCursor, WebhookDelivery, WebhookEndpoint
from media_jobs.services.jobs import lifecycle
from media_jobs.services.jobs.transitions import record
from media_jobs.services.webhooks import endpoints, fanout, payloads
from media_jobs.states import TOLD, TOLD_BY_DEFAULT, DerivativeState, JobState, WebhookEvent
from tests.factories import make_derivative, make_failed_job, make_job
from tests.services.jobs.threads import InThread
from tests.services.webhooks.helpers import job_of, make_webhook, read_all, told

pytestmark = pytest.mark.django_db(transaction=True)  # what is not committed cannot be read


def in_thread(call: Callable[[], Any]) -> Any:
    """What `call` returns to somebody with a connection of his own."""
    returned: list[Any] = []
    InThread(lambda: returned.append(call())).ended()
    return returned[0]


def test_the_events_of_a_job_are_told_once_each_by_their_numbers() -> None:
    endpoint = make_webhook()
    job = make_job()
    lifecycle.cancel(job.pk, actor=ANONYMOUS)
    lifecycle.retry(job.pk, actor=ANONYMOUS)
    read_all()
    read_all()
    assert told(endpoint) == [(job.pk, 1, "job.queued"), (job.pk, 2, "job.cancelled"), (job.pk, 3, "job.retried")]
    assert {d.message_id for d in endpoint.deliveries.all()} == {f"{job.pk}-{number}" for number in (1, 2, 3)}


def test_each_webhook_gets_the_types_that_it_asks_for() -> None:
    ends, begins = make_webhook(types=list(TOLD_BY_DEFAULT)), make_webhook(types=[WebhookEvent.QUEUED])
    job = make_job()
    lifecycle.cancel(job.pk, actor=ANONYMOUS)
    read_all()
    assert [kind for _, _, kind in told(ends)] == ["job.cancelled"]
    assert [kind for _, _, kind in told(begins)] == ["job.queued"]


def test_what_a_history_says_besides_is_not_told() -> None:
    endpoint = make_webhook()
    job = make_job()
    read_all()
    with transaction.atomic():
        type(job).objects.filter(pk=job.pk).update(last_event=2)
        record(job.pk, "stage", actor=SYSTEM)
    read_all()
    assert len(told(endpoint)) == 1
    assert "stage" not in TOLD


def test_a_webhook_hears_of_its_owner_only() -> None:
    mine, other = make_webhook("key:a"), make_webhook("key:b")
    lifecycle.cancel(job_of("key:a").pk, actor=SYSTEM)
    read_all()
    assert [number for _, number, _ in told(mine)] == [1, 2]
    assert told(other) == []


def test_a_key_that_acts_for_users_hears_of_their_jobs_and_each_user_of_his_own() -> None:
    key, user, other_key = make_webhook("key:web"), make_webhook("key:web|ann"), make_webhook("key:we")
    job_of("key:web|ann")
    job_of("key:web|bob")
    job_of("https://issuer|ann")
    read_all()
    assert (len(told(key)), len(told(user)), len(told(other_key))) == (2, 1, 0)


def test_the_issuer_of_a_token_is_no_owner() -> None:
    endpoint = make_webhook("https://issuer.example")
    job_of("https://issuer.example|ann")
    read_all()
    assert told(endpoint) == []


def test_what_was_before_a_webhook_is_none_of_its_business() -> None:
    make_job()
    first = make_webhook()
    second_job = make_job()
    second = make_webhook()
    third_job = make_job()
    read_all()
    assert [job for job, _, _ in told(first)] == [second_job.pk, third_job.pk]
    assert [job for job, _, _ in told(second)] == [third_job.pk]


def test_nobody_reads_while_there_is_no_webhook_and_the_reader_begins_with_the_first() -> None:
    for _ in range(3):
        make_job()
    assert fanout.fan_out() == 0
    assert not WebhookCursor.objects.exists()
    make_webhook()
    assert fanout.fan_out() == 0
    make_job()
    assert fanout.fan_out() == 1


def test_a_disabled_webhook_hears_of_nothing_and_goes_on_with_what_comes_after() -> None:
    endpoint = make_webhook()
    endpoints.disable(endpoint, "for a while")
    make_job()
    endpoints.enable(WebhookEndpoint.objects.get())
    later = make_job()
    read_all()
    assert [job for job, _, _ in told(endpoint)] == [later.pk]


def test_while_another_goes_on_it_hears_of_nothing_either() -> None:
    disabled, other = make_webhook(), make_webhook()
    endpoints.disable(disabled, "for a while")
    make_job()
    read_all()
    endpoints.enable(WebhookEndpoint.objects.get(pk=disabled.pk))
    make_job()
    read_all()
    assert (len(told(disabled)), len(told(other))) == (1, 2)


def test_an_event_that_was_made_a_delivery_already_is_not_made_one_again() -> None:
    endpoint = make_webhook()
    make_job()
    read_all()
    WebhookCursor.objects.update(transaction_id=0, event_id=0)
    read_all()
    assert len(told(endpoint)) == 1


def test_a_job_that_is_gone_is_told_of_no_more() -> None:
    endpoint = make_webhook()
    make_job().delete()
    make_job()
    read_all()
    assert len(told(endpoint)) == 1


def test_many_events_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "BATCH", 3)
    endpoint = make_webhook()
    for _ in range(7):
        make_job()
    assert [fanout.fan_out() for _ in range(4)] == [3, 3, 1, 0]
    assert len(told(endpoint)) == 7


@pytest.mark.postgres
def test_an_event_that_is_committed_late_is_not_missed() -> None:
    endpoint = make_webhook()
    with transaction.atomic():
        early = make_job()
        late = in_thread(make_job)  # begins later, and is there before
        in_thread(read_all)
    read_all()
    assert [job for job, _, _ in told(endpoint)] == [early.pk, late.pk]


@pytest.mark.postgres
def test_of_two_readers_one_leaves_it_to_the_other() -> None:
    endpoint = make_webhook()
    make_job()
    with transaction.atomic():
        WebhookCursor.objects.select_for_update().get()
        assert in_thread(fanout.fan_out) == 0
    assert fanout.fan_out() == 1
    assert len(told(endpoint)) == 1


def test_a_reader_that_dies_before_the_end_has_done_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = make_webhook()
    make_job()

    def die(_: EventCursor) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fanout, "move_cursor", die)
        with pytest.raises(KeyboardInterrupt):
            fanout.fan_out()
    assert told(endpoint) == []
    read_all()
    assert len(told(endpoint)) == 1


def test_the_end_of_the_log_is_after_all_that_can_be_read_and_before_what_comes() -> None:
    make_job()
    end = event_log.horizon()
    assert event_log.events_after(end, limit=10) == []
    make_job()
    assert len(event_log.events_after(end, limit=10)) == 1


# --- payloads -------------------------------------------------------------------------------------


def payload_of(job_id: UUID) -> dict[str, object]:
    return dict(json.loads(WebhookDelivery.objects.filter(job_id=job_id).latest("id").payload))


def finish(event: str, **fields: object) -> dict[str, object]:
    """The payload of the event by which a job ends."""
    make_webhook()
    job = make_job()
    if event == "done":
        make_derivative(job, "thumb", state=DerivativeState.CURRENT)
    type(job).objects.filter(pk=job.pk).update(last_event=2, **fields)
    with transaction.atomic():
        record(job.pk, event, actor=SYSTEM, data={"code": "undecodable", "detail": "x" * 5000, "secret": "s3cr3t"})
    read_all()
    return payload_of(job.pk)


def test_a_finished_job_is_told_with_its_derivatives(settings) -> None:
    payload = finish("done", state=JobState.DONE, wanted=["thumb"])
    data = payload["data"]
    assert isinstance(data, dict)
    assert payload["type"] == "job.done"
    assert str(payload["timestamp"]).endswith("Z")
    job = JobEvent.objects.latest("id").job
    assert data.pop("derivatives") == [
        {
            "name": "thumb",
            "url": f"{settings.PUBLIC_BASE_URL}/media/{job.original.derivatives.get().key}",
            "width": 200,
            "height": 200,
            "bytes": 2,
            "contentType": "image/jpeg",
        }
    ]
    assert data == {
        "eventNumber": 2,
        "jobId": str(job.pk),
        "imageId": str(job.original_id),
        "preset": "gallformers",
        "jobUrl": f"{settings.PUBLIC_BASE_URL}/v1/jobs/{job.pk}",
        "imageUrl": f"{settings.PUBLIC_BASE_URL}/v1/images/{job.original_id}",
    }


def test_a_failed_job_is_told_with_its_reason_and_nothing_else_of_its_history() -> None:
    payload = finish("failed", state=JobState.FAILED, code="undecodable")
    assert isinstance(payload["data"], dict)
    assert payload["data"]["code"] == "undecodable"
    assert payload["data"]["detail"] == "x" * 1000
    assert "s3cr3t" not in json.dumps(payload)


def test_a_payload_stays_below_its_limit_whatever_a_job_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [{"name": f"rendition-{uuid4()}"} for _ in range(1000)]
    monkeypatch.setattr(payloads, "_derivatives", lambda _: many)
    payload = finish("done", state=JobState.DONE)
    assert isinstance(payload["data"], dict)
    assert payload["data"]["derivatives"] is None
    assert len(WebhookDelivery.objects.latest("id").payload.encode()) < payloads.MOST_BYTES


def test_the_addresses_in_a_payload_are_those_of_the_api(settings, client) -> None:
    make_webhook()
    job = make_failed_job()
    read_all()
    data = payload_of(job.pk)["data"]
    assert isinstance(data, dict)
    for url in (data["jobUrl"], data["imageUrl"]):
        assert client.get(url.removeprefix(settings.PUBLIC_BASE_URL)).status_code == 200
