"""/v1/webhooks: whoever is known registers addresses, and nobody else sees them."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from media_jobs.callers import Scope
from media_jobs.models import ApiKey, IdempotencyKey, WebhookDelivery, WebhookEndpoint
from media_jobs.services.webhooks import endpoints
from media_jobs.states import TOLD, DeliveryState, WebhookEvent
from tests import people
from tests.services.webhooks.helpers import delete_when_read, make_delivery, make_webhook

pytestmark = pytest.mark.django_db
URL = "https://example.org/hook"


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(name, is_staff=True))
    return client


@pytest.fixture
def me() -> Client:
    return signed_in("me")


@pytest.fixture
def other() -> Client:
    return signed_in("other")


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return getattr(client, method)(path, **content, headers=headers)


def register(client: Client, **fields: Any) -> dict[str, Any]:
    answer = send(client, "post", "/v1/webhooks", {"url": URL, **fields})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def endpoint_of(answer: dict[str, Any]) -> WebhookEndpoint:
    return WebhookEndpoint.objects.get(pk=answer["webhookId"])


def test_a_new_webhook_has_a_secret_that_is_shown_once(me: Client) -> None:
    answer = send(me, "post", "/v1/webhooks", {"url": URL, "eventTypes": ["job.done"]})
    found = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"/v1/webhooks/{found['webhookId']}"
    assert answer["Cache-Control"] == "no-store"
    assert set(found) == {
        "webhookId",
        "url",
        "eventTypes",
        "enabled",
        "disabledReason",
        "failingSince",
        "createdAt",
        "secret",
    }
    assert (found["url"], found["eventTypes"], found["enabled"]) == (URL, ["job.done"], True)
    assert found["secret"] == endpoint_of(found).secret
    for path in ("/v1/webhooks", answer["Location"], answer["Location"] + "/deliveries"):
        assert "whsec_" not in me.get(path).content.decode()


def test_it_belongs_to_who_registered_it(me: Client, other: Client) -> None:
    mine, theirs = register(me), register(other)
    assert [found["webhookId"] for found in me.get("/v1/webhooks").json()["webhooks"]] == [mine["webhookId"]]
    assert endpoint_of(theirs).owner == f"staff:{User.objects.get(username='other').pk}"


CALLS = [
    ("get", ""),
    ("patch", ""),
    ("delete", ""),
    ("post", "/secret"),
    ("post", "/test"),
    ("get", "/deliveries"),
    ("post", "/replay"),
    ("post", "/deliveries/{delivery}/replay"),
]
BODIES: dict[str, dict[str, Any]] = {"/replay": {"since": "2026-01-01T00:00:00Z"}, "": {"enabled": False}}


@pytest.mark.parametrize(("method", "call"), CALLS)
def test_what_is_anothers_is_not_there(me: Client, other: Client, method: str, call: str) -> None:
    endpoint = endpoint_of(register(other))
    delivery = make_delivery(endpoint)
    before = WebhookEndpoint.objects.values().get(), WebhookDelivery.objects.values().get()
    path = f"/v1/webhooks/{endpoint.pk}" + call.format(delivery=delivery.pk)
    body = BODIES.get(call, {}) if method != "get" else None
    assert send(me, method, path, body).status_code == 404
    User.objects.filter(username="me").update(is_superuser=True)
    assert send(me, method, path, body).status_code == 404
    assert (WebhookEndpoint.objects.values().get(), WebhookDelivery.objects.values().get()) == before
    assert send(other, method, path, body).status_code in (200, 202, 204)


@pytest.mark.parametrize(("method", "call"), [("get", None), ("post", None), *CALLS])
def test_a_stranger_has_none(client: Client, me: Client, method: str, call: str | None) -> None:
    path = "/v1/webhooks" if call is None else f"/v1/webhooks/{register(me)['webhookId']}"
    answer = send(client, method, path + (call or "").format(delivery=uuid4()), {} if method != "get" else None)
    assert answer.status_code == 403
    assert "credentials" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "call"), [("post", None), *CALLS])
def test_a_key_without_manage_may_look_and_no_more(method: str, call: str | None) -> None:
    row, key = people.api_key(Scope.UPLOAD, Scope.READ)
    program, endpoint = people.program(key), make_webhook(f"key:{row.prefix}")
    delivery = make_delivery(endpoint)
    path = "/v1/webhooks" if call is None else f"/v1/webhooks/{endpoint.pk}" + call.format(delivery=delivery.pk)
    body = ({"url": URL} if call is None else BODIES.get(call, {})) if method != "get" else None
    before = list(WebhookEndpoint.objects.values()), list(WebhookDelivery.objects.values())
    answer = send(program, method, path, body)
    if method == "get":
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert (list(WebhookEndpoint.objects.values()), list(WebhookDelivery.objects.values())) == before
    ApiKey.objects.update(may_manage=True)
    assert send(program, method, path, body).status_code in (200, 201, 202, 204)


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({}, "bad_field", "url"),
        ({"url": "https://10.0.0.1/"}, "bad_webhook_url", "public internet"),
        ({"url": "http://example.org/"}, "bad_webhook_url", "https"),
        ({"url": URL, "eventTypes": ["job.done", "job.dnoe"]}, "bad_field", "job.dnoe"),
        ({"url": URL, "eventTypes": ["webhook.test"]}, "bad_field", "webhook.test"),
        ({"url": URL, "eventTypes": []}, "bad_field", "eventTypes"),
        ({"url": URL, "evenTypes": ["job.done"]}, "unknown_field", "eventTypes"),
        ({"url": 5, "eventTypes": "job.done"}, "bad_field", "eventTypes"),
    ],
)
def test_a_field_that_is_wrong_is_named(me: Client, body: dict[str, Any], code: str, says: str) -> None:
    answer = send(me, "post", "/v1/webhooks", body)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert says in answer.json()["detail"]


def test_more_than_enough_are_refused(me: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST", 1)
    register(me)
    answer = send(me, "post", "/v1/webhooks", {"url": URL})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_a_request_that_comes_again_gets_the_same_secret_and_makes_no_second_webhook(me: Client) -> None:
    key = {"Idempotency-Key": "k1"}
    first, second = (send(me, "post", "/v1/webhooks", {"url": URL}, **key) for _ in range(2))
    assert second.json() == first.json()
    assert second["Idempotency-Replayed"] == "true"
    assert WebhookEndpoint.objects.count() == 1
    changed = send(me, "post", "/v1/webhooks", {"url": URL + "2"}, **key)
    assert (changed.status_code, IdempotencyKey.objects.count()) == (422, 1)


def test_a_new_secret_takes_over_while_the_former_one_is_valid_for_a_day(me: Client) -> None:
    first = register(me)
    path = f"/v1/webhooks/{first['webhookId']}/secret"
    answer, again = (send(me, "post", path, **{"Idempotency-Key": "k2"}) for _ in range(2))
    assert answer.status_code == 200
    assert set(answer.json()) == {"secret", "previousValidUntil"}
    assert again.json() == answer.json()
    endpoint = endpoint_of(first)
    assert (endpoint.secret, endpoint.previous_secret) == (answer.json()["secret"], first["secret"])


def test_it_is_changed_disabled_and_enabled(me: Client) -> None:
    path = f"/v1/webhooks/{register(me)['webhookId']}"
    changed = send(me, "patch", path, {"url": URL + "2", "eventTypes": ["job.queued"]}).json()
    assert (changed["url"], changed["eventTypes"]) == (URL + "2", ["job.queued"])
    disabled = send(me, "patch", path, {"enabled": False}).json()
    assert (disabled["enabled"], disabled["disabledReason"]) == (False, "Its owner has disabled it.")
    refused = send(me, "post", path + "/test")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_disabled")
    assert send(me, "patch", path, {"enabled": True}).json()["disabledReason"] is None
    assert send(me, "patch", path, {"enable": True}).status_code == 400
    assert send(me, "patch", path, {"url": "https://10.0.0.1/"}).status_code == 400


def test_deleting_it_deletes_its_deliveries(me: Client) -> None:
    found = register(me)
    make_delivery(endpoint_of(found))
    assert me.delete(f"/v1/webhooks/{found['webhookId']}").status_code == 204
    assert not WebhookDelivery.objects.exists()
    assert me.delete(f"/v1/webhooks/{found['webhookId']}").status_code == 404


def test_a_test_waits_for_a_worker(me: Client) -> None:
    found = register(me)
    answer = send(me, "post", f"/v1/webhooks/{found['webhookId']}/test")
    assert answer.status_code == 202
    delivery = answer.json()
    assert (delivery["type"], delivery["state"], delivery["jobId"]) == (WebhookEvent.TEST, "pending", None)
    listed = me.get(f"/v1/webhooks/{found['webhookId']}/deliveries").json()["deliveries"]
    assert listed == [delivery]


def test_deliveries_are_listed_newest_first_page_by_page(me: Client) -> None:
    endpoint = endpoint_of(register(me))
    made = [str(make_delivery(endpoint).pk) for _ in range(5)]
    path, pages, before = f"/v1/webhooks/{endpoint.pk}/deliveries?limit=2", [], ""
    while before is not None:
        page = me.get(path + (f"&before={before}" if before else "")).json()
        pages.append([found["deliveryId"] for found in page["deliveries"]])
        before = page["next"]
    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]


def test_deliveries_are_filtered_by_state(me: Client) -> None:
    endpoint = endpoint_of(register(me))
    make_delivery(endpoint)
    failed = make_delivery(endpoint, state=DeliveryState.FAILED, next_at=None, code="receiver_timeout")
    path = f"/v1/webhooks/{endpoint.pk}/deliveries"
    found = me.get(path + "?state=failed").json()["deliveries"]
    assert [(d["deliveryId"], d["code"]) for d in found] == [(str(failed.pk), "receiver_timeout")]
    for wrong in ("state=lost", "limit=0", "limit=101", "before=1", "stat=failed"):
        assert me.get(f"{path}?{wrong}").status_code == 400


def test_one_or_all_failed_deliveries_are_sent_again(me: Client) -> None:
    endpoint = endpoint_of(register(me))
    ended = {"state": DeliveryState.FAILED, "next_at": None}
    first, _ = make_delivery(endpoint, **ended), make_delivery(endpoint, **ended)
    path = f"/v1/webhooks/{endpoint.pk}"
    one = send(me, "post", f"{path}/deliveries/{first.pk}/replay")
    assert (one.status_code, one.json()["state"]) == (202, "pending")
    assert send(me, "post", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}).json() == {"replayed": 1}
    assert send(me, "post", f"{path}/replay", {}).status_code == 400
    assert send(me, "post", f"{path}/deliveries/{uuid4()}/replay").status_code == 404


@pytest.mark.parametrize(
    ("method", "call"),
    [("post", "/test"), ("post", "/deliveries/{delivery}/replay"), ("post", "/secret"), ("patch", "")],
)
def test_what_is_deleted_at_that_moment_is_not_there(
    me: Client, monkeypatch: pytest.MonkeyPatch, method: str, call: str
) -> None:
    endpoint = endpoint_of(register(me))
    path = f"/v1/webhooks/{endpoint.pk}" + call.format(delivery=make_delivery(endpoint).pk)
    delete_when_read(monkeypatch, 1)
    answer = send(me, method, path, {"url": "https://example.org/other"} if method == "patch" else None)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not WebhookEndpoint.objects.exists()


def test_the_document_says_what_receivers_get(client: Client) -> None:
    document = client.get("/openapi.json").json()
    sent = document["webhooks"]["jobEvent"]["post"]
    assert [header["name"] for header in sent["parameters"]] == [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ]
    schema = document["components"]["schemas"]["JobEventPayload"]
    example = sent["requestBody"]["content"]["application/json"]["examples"]["done"]["value"]
    assert set(example) == set(schema["properties"])
    test = document["webhooks"]["test"]["post"]["requestBody"]["content"]["application/json"]
    [example] = [shown["value"] for shown in test["examples"].values()]
    assert example["type"] == "webhook.test"
    told = [schema, document["components"]["schemas"]["TestPayload"]]
    named = {value for one in told for value in one["properties"]["type"]["enum"]}
    assert named == {*TOLD.values(), WebhookEvent.TEST}
