"""Which addresses are taken, how many webhooks, and what of them can be had again."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from media_jobs.errors import BadWebhookUrl, TooManyWebhooks, WebhookDisabled
from media_jobs.models import WebhookEndpoint
from media_jobs.services.webhooks import endpoints
from media_jobs.states import TOLD_BY_DEFAULT, WebhookEvent
from tests.services.webhooks.helpers import make_webhook

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "url", ["https://example.org/hook", "https://example.org:8443/a?b=c", "https://1.1.1.1/", "https://[2606:4700::1]/"]
)
def test_an_address_on_the_internet_is_taken(url: str) -> None:
    assert make_webhook(url=url).url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/hook", "https"),
        ("ftp://example.org/", "https"),
        ("example.org/hook", "https"),
        ("https://", "host"),
        ("https://example.org:x/", "not an address"),
        ("https://[::1/", "not an address"),
        ("https://me:pass@example.org/", "password"),
        ("https://example.org/#part", "fragment"),
        ("https://example.org/möhre", "ASCII"),
        ("https://example.org/a b", "ASCII"),
        ("https://example.org/" + "a" * 2000, "2000"),
        ("https://127.0.0.1/", "public"),
        ("https://10.0.0.1/", "public"),
        ("https://[fd00::1]/", "public"),
        ("https://localhost/", "public"),
        ("https://db.internal/", "public"),
        ("https://printer.local./", "public"),
        ("https://redis:6379/", "public"),
    ],
)
def test_any_other_is_refused_with_its_reason(url: str, why: str) -> None:
    with pytest.raises(BadWebhookUrl, match=why):
        endpoints.create("key:a", url)
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "https://localhost/", "http://[::1]/"])
def test_this_host_is_taken_where_a_setting_says_so(url: str, settings: Any) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    endpoints.check_url(url)
    with pytest.raises(BadWebhookUrl):
        endpoints.check_url("http://10.0.0.1/")


def test_a_change_is_checked_as_well() -> None:
    endpoint = make_webhook()
    with pytest.raises(BadWebhookUrl):
        endpoints.change(endpoint, url="https://10.0.0.1/")
    endpoints.change(endpoint, event_types=[WebhookEvent.FAILED, WebhookEvent.QUEUED, WebhookEvent.FAILED])
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.event_types) == ("https://example.org/hook", ["job.queued", "job.failed"])


def test_who_asks_for_nothing_in_particular_hears_how_jobs_end() -> None:
    assert endpoints.create("key:a", "https://example.org/").event_types == [told.value for told in TOLD_BY_DEFAULT]


def test_an_owner_has_so_many_and_another_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST", 2)
    for _ in range(2):
        make_webhook("key:a")
    with pytest.raises(TooManyWebhooks, match="2 webhooks"):
        make_webhook("key:a")
    make_webhook("key:b")


@pytest.mark.django_db(transaction=True)
def test_at_once_one_gets_no_more_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(6)
    monkeypatch.setattr(endpoints, "MOST", 2)
    monkeypatch.setattr(endpoints, "check_url", lambda _: together.wait(30))

    def create(_: int) -> bool:
        try:
            endpoints.create("key:a", "https://example.org/hook")
        except TooManyWebhooks:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(create, range(6))) == WebhookEndpoint.objects.count() == 2


def test_each_webhook_has_a_secret_of_its_own() -> None:
    assert make_webhook().secret != make_webhook().secret


def test_a_disabled_one_is_not_tested_and_says_why() -> None:
    endpoint = make_webhook()
    assert endpoints.disable(endpoint, "It is gone.")
    assert not endpoints.disable(endpoint, "Once more.")
    endpoint.refresh_from_db()
    with pytest.raises(WebhookDisabled, match=r"It is gone\."):
        endpoints.send_test(endpoint)
    assert endpoints.enable(endpoint)
    assert not endpoints.enable(endpoint)
    endpoints.send_test(endpoint)
