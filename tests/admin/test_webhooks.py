"""Webhooks in the admin: a secret is shown once, a delivery explains itself, and both need their rights."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from media_jobs.models import WebhookDelivery, WebhookEndpoint
from media_jobs.services.webhooks import endpoints
from media_jobs.states import DeliveryState, WebhookEvent
from tests.admin.conftest import Login
from tests.services.webhooks.helpers import delete_when_read, make_delivery, make_webhook

pytestmark = pytest.mark.django_db
ADD = reverse("admin:media_jobs_webhookendpoint_add")
LIST = reverse("admin:media_jobs_webhookendpoint_changelist")
DELIVERIES = reverse("admin:media_jobs_webhookdelivery_changelist")
FORM: dict[str, Any] = {"owner": "key:web", "url": "https://example.org/hook", "event_types": ["job.done"]}
FAILED: dict[str, Any] = {
    "state": DeliveryState.FAILED,
    "next_at": None,
    "attempts": 10,
    "code": "receiver_refused",
    "detail": "The receiver answered 500; only 200 to 299 count as taken.",
    "response_status": 500,
    "response_body": "<b>broken</b>",
}


def page_of(endpoint: WebhookEndpoint, name: str = "change") -> str:
    return reverse(f"admin:media_jobs_webhookendpoint_{name}", args=[endpoint.pk])


def delivery_page(delivery: WebhookDelivery, name: str = "change") -> str:
    return reverse(f"admin:media_jobs_webhookdelivery_{name}", args=[delivery.pk])


def press(browser: Client, url: str) -> Any:
    return browser.post(url, {"_form_submitted": "on"})


def said(answer: Any) -> str:
    return "; ".join(str(message) for message in get_messages(answer.wsgi_request))


def everywhere(browser: Client, endpoint: WebhookEndpoint) -> str:
    """All that the admin and its tables of sessions and log entries show of a webhook."""
    pages = [LIST, page_of(endpoint), page_of(endpoint, "history"), page_of(endpoint, "delete"), DELIVERIES, "/admin/"]
    kept = repr(list(Session.objects.values())) + repr([s.get_decoded() for s in Session.objects.all()])
    return "".join(browser.get(page).content.decode() for page in pages) + kept + repr(browser.cookies)


# --- secrets --------------------------------------------------------------------------------------


def test_a_new_webhook_shows_its_secret_once_and_never_again(boss: Client) -> None:
    answer = boss.post(ADD, FORM)
    endpoint = WebhookEndpoint.objects.get()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert endpoint.secret in answer.content.decode().replace("&#x2B;", "+")
    assert (endpoint.owner, endpoint.url, endpoint.event_types) == ("key:web", FORM["url"], ["job.done"])
    assert "whsec_" not in everywhere(boss, endpoint)


def test_a_new_secret_is_asked_for_and_shown_once(boss: Client) -> None:
    endpoint = make_webhook()
    question = boss.get(page_of(endpoint, "new_secret"))
    assert "24 hours" in question.content.decode()
    assert "whsec_" not in question.content.decode()
    answer = boss.post(page_of(endpoint, "new_secret"))
    former, endpoint = endpoint.secret, WebhookEndpoint.objects.get()
    assert (endpoint.previous_secret, endpoint.secret != former) == (former, True)
    assert endpoint.secret in answer.content.decode().replace("&#x2B;", "+")
    assert "no-store" in answer["Cache-Control"]
    assert "whsec_" not in everywhere(boss, endpoint)


def test_a_secret_cannot_be_set_by_a_form(boss: Client) -> None:
    endpoint = make_webhook()
    boss.post(page_of(endpoint), {**FORM, "secret": "whsec_mine", "owner": "key:mine", "url": "https://example.org/2"})
    changed = WebhookEndpoint.objects.get()
    assert (changed.secret, changed.owner, changed.url) == (endpoint.secret, endpoint.owner, "https://example.org/2")


# --- the form -------------------------------------------------------------------------------------


def test_an_address_that_is_not_public_is_refused_in_the_form(boss: Client) -> None:
    answer = boss.post(ADD, {**FORM, "url": "https://10.0.0.1/"})
    assert "must be on the public internet" in answer.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_too_many_are_refused_with_a_sentence(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST", 1)
    make_webhook("key:web")
    answer = boss.post(ADD, FORM)
    assert answer.status_code == 302
    assert "no more are allowed" in said(answer)


# --- a webhook's page -----------------------------------------------------------------------------


def test_its_page_says_what_it_does_and_what_came_of_it(boss: Client) -> None:
    endpoint = make_webhook()
    delivery = make_delivery(endpoint, **FAILED)
    WebhookEndpoint.objects.update(failures=3, failing_since=timezone.now())
    page = boss.get(page_of(endpoint)).content.decode()
    for text in ("failing", "3", "After three days", "receiver_refused", delivery_page(delivery)):
        assert text in page


def test_a_disabled_one_says_why_and_is_enabled_by_a_button(boss: Client) -> None:
    endpoint = make_webhook()
    endpoints.disable(endpoint, "The receiver answered 410.")
    page = boss.get(page_of(endpoint)).content.decode()
    assert "The receiver answered 410." in page
    assert page_of(endpoint, "send_test") not in page
    assert press(boss, page_of(endpoint, "enable")).status_code == 302
    assert WebhookEndpoint.objects.get().disabled_at is None
    assert press(boss, page_of(endpoint, "disable")).status_code == 302
    assert "boss has disabled it" in WebhookEndpoint.objects.get().disabled_reason


def test_a_test_is_sent_by_a_button_that_leads_to_what_comes_of_it(boss: Client) -> None:
    endpoint = make_webhook()
    answer = press(boss, page_of(endpoint, "send_test"))
    delivery = endpoint.deliveries.get()
    assert delivery.type == WebhookEvent.TEST
    assert answer["Location"] == delivery_page(delivery)


@pytest.mark.parametrize(("status", "shown"), [("working", "a"), ("failing", "b"), ("disabled", "c")])
def test_webhooks_are_filtered_by_their_status(boss: Client, status: str, shown: str) -> None:
    for name in ("a", "b", "c"):
        make_webhook(f"key:{name}", f"https://{name}.example/")
    WebhookEndpoint.objects.filter(owner="key:b").update(failures=1)
    endpoints.disable(WebhookEndpoint.objects.get(owner="key:c"), "gone")
    page = boss.get(LIST, {"status": status}).content.decode()
    assert set(re.findall(r"([abc])\.example", page)) == {shown}


def test_a_query_string_which_may_hold_a_key_is_on_its_form_only(boss: Client) -> None:
    endpoint = make_webhook(url="https://example.org/hook?token=t0k3n")
    make_delivery(endpoint)
    for page in (LIST, DELIVERIES, delivery_page(endpoint.deliveries.get())):
        assert "t0k3n" not in boss.get(page).content.decode()


@pytest.mark.parametrize("times", [1, 2])  # the third time it is locked
@pytest.mark.parametrize("name", ["send_test", "new_secret", "disable"])
def test_what_is_deleted_at_that_moment_is_not_there(
    boss: Client, monkeypatch: pytest.MonkeyPatch, name: str, times: int
) -> None:
    endpoint = make_webhook()
    delete_when_read(monkeypatch, times)
    boss.raise_request_exception = False
    assert press(boss, page_of(endpoint, name)).status_code < 500


# --- deliveries -----------------------------------------------------------------------------------


def test_a_delivery_explains_itself(boss: Client) -> None:
    page = boss.get(delivery_page(make_delivery(**FAILED))).content.decode()
    for text in ("10 attempts", "answered 500", "&lt;b&gt;broken&lt;/b&gt;", "webhook.test"):
        assert text in page


def test_deliveries_are_filtered(boss: Client) -> None:
    first, second = make_delivery(**FAILED), make_delivery()
    for query, shown in (
        ({"state__exact": "failed"}, first),
        ({"state__exact": "pending"}, second),
        ({"endpoint__id__exact": str(second.endpoint_id)}, second),
        ({"q": str(first.job_id)}, first),
        ({"q": "receiver_refused"}, first),
    ):
        page = boss.get(DELIVERIES, query).content.decode()
        assert [d for d in (first, second) if delivery_page(d) in page] == [shown], query


def test_one_is_sent_again_by_a_button_and_many_by_an_action(boss: Client) -> None:
    one, *many = (make_delivery(**FAILED) for _ in range(3))
    disabled = make_delivery(**FAILED)
    endpoints.disable(disabled.endpoint, "gone")
    press(boss, delivery_page(one, "replay_this"))
    assert [d.pk for d in WebhookDelivery.objects.filter(state=DeliveryState.PENDING)] == [one.pk]
    chosen = [d.pk for d in (*many, disabled)]
    answer = boss.post(DELIVERIES, {"action": "replay", "_selected_action": chosen})
    assert said(answer).endswith("2 sent again, 1 left as they are: in hand, or of disabled webhooks.")
    assert WebhookDelivery.objects.filter(state=DeliveryState.PENDING).count() == 3


# --- rights ---------------------------------------------------------------------------------------


def test_who_may_only_look_changes_nothing(staff: Login) -> None:
    endpoint = make_webhook()
    delivery = make_delivery(endpoint, **FAILED)
    browser = staff("view_webhookendpoint", "view_webhookdelivery")
    page = browser.get(page_of(endpoint)).content.decode()
    assert [name for name in ("send_test", "new_secret", "disable") if page_of(endpoint, name) in page] == []
    for name in ("send_test", "new_secret", "disable", "enable"):
        assert press(browser, page_of(endpoint, name)).status_code == 403
    assert press(browser, delivery_page(delivery, "replay_this")).status_code == 403
    assert browser.post(ADD, FORM).status_code == 403
    browser.post(DELIVERIES, {"action": "replay", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert (delivery.state, endpoint.disabled_at, endpoint.previous_secret) == (DeliveryState.FAILED, None, "")
    assert WebhookDelivery.objects.count() == 1


def test_testing_and_sending_again_have_rights_of_their_own(staff: Login) -> None:
    endpoint = make_webhook()
    tester = staff("view_webhookendpoint", "test_webhookendpoint")
    assert press(tester, page_of(endpoint, "send_test")).status_code == 302
    delivery = make_delivery(endpoint, **FAILED)
    sender = staff("view_webhookdelivery", "replay_webhookdelivery")
    assert press(sender, delivery_page(delivery, "replay_this")).status_code == 302
    assert WebhookDelivery.objects.filter(state=DeliveryState.PENDING).count() == 2
