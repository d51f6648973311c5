"""The failure inbox: grouped by what to do, with buttons that do it."""

import json
import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from media_jobs.callers import SYSTEM
from media_jobs.models import Job, JobEvent, WebhookDelivery
from media_jobs.services.images import deletion
from media_jobs.services.jobs import triage
from media_jobs.services.webhooks import fanout
from media_jobs.states import WebhookEvent
from tests.factories import make_failed_job, make_job, make_original
from tests.services.webhooks.helpers import make_webhook

pytestmark = pytest.mark.django_db
INBOX = reverse("desk:inbox")


def shown(browser: Client, show: str = "new") -> str:
    page = browser.get(INBOX, {"show": show}).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())


def press(browser: Client, do: str, group: str, *jobs: Job, **more: str) -> str:
    chosen = {"job": [job.pk for job in jobs]} if jobs else {"all": "1"}
    answer = browser.post(reverse("desk:inbox_act"), {"do": do, "group": group, **chosen, **more})
    assert answer.status_code == 302
    return "; ".join(str(message) for message in get_messages(answer.wsgi_request))


def unseen(browser: Client) -> str:
    found = re.search(r"(\d+\+?) failed\s", browser.get(INBOX).content.decode())
    return found[1] if found else "0"


def test_failures_are_grouped_by_what_to_do_with_count_example_and_button(boss: Client) -> None:
    for code in ("truncated", "undecodable", "storage_unavailable"):
        make_failed_job(code=code, original=make_original(code.encode(), filename=f"{code}.jpg", stored=False))
    page = shown(boss)
    assert "Damaged file 2 Ask for a new copy" in page
    assert "Storage, network or disk 1" in page
    assert "truncated.jpg" in page
    damaged, storage = page[page.index("Damaged file") :], page[page.index("Storage, network") : page.index("Damaged")]
    assert "Retry it" in storage
    assert "Retry" not in damaged
    assert "Tell the uploaders of all 2" in damaged


def test_an_empty_inbox_says_so_and_leads_on(boss: Client) -> None:
    assert "Nothing waits: all failures are decided about" in shown(boss)


def test_what_was_deleted_done_since_or_is_a_runs_does_not_wait_for_anybody(boss: Client) -> None:
    deletion.delete(make_failed_job().original_id, actor=SYSTEM)
    make_job(make_failed_job(original=make_original(b"2", stored=False)).original, state="done")
    assert unseen(boss) == "0"
    make_failed_job(original=make_original(b"3", stored=False))
    assert unseen(boss) == "1"


def test_a_group_is_retried_as_it_was_when_the_page_was_made(boss: Client) -> None:
    seen = [make_failed_job(code="storage_unavailable", original=make_original(b"1", stored=False)) for _ in range(2)]
    later = make_failed_job(code="storage_unavailable", original=make_original(b"2", stored=False))
    other = make_failed_job(code="truncated", original=make_original(b"3", stored=False))
    assert press(boss, "retry", "storage", until=str(seen[1].pk)) == "2 queued again."
    assert set(Job.objects.filter(state="failed")) == {later, other}


def test_seen_and_given_up_leave_the_number_and_say_why(boss: Client) -> None:
    first, second = (make_failed_job(original=make_original(bytes([n]), stored=False)) for n in (1, 2))
    assert press(boss, "seen", "damaged", first) == "1 marked as seen."
    assert unseen(boss) == "1"
    assert "Say why" in press(boss, "give_up", "damaged", second)
    assert press(boss, "give_up", "damaged", second, reason="The camera is lost.").endswith("1 given up.")
    assert unseen(boss) == "0"
    assert "Given up: The camera is lost." in shown(boss, "given_up")
    assert JobEvent.objects.get(job=second, type="given_up").data == {"reason": "The camera is lost."}
    assert press(boss, "reopen", "damaged", second, show="given_up").endswith("1 to be decided about again.")
    assert unseen(boss) == "1"


def test_a_retry_that_fails_again_counts_again(boss: Client) -> None:
    job = make_failed_job(code="storage_unavailable")
    press(boss, "seen", "storage", job)
    press(boss, "retry", "storage", job, show="seen")
    job.refresh_from_db()
    assert (job.state, job.triage) == ("queued", "")


@pytest.mark.django_db(transaction=True)  # on PostgreSQL an event is read after its commit
def test_the_uploader_is_told_by_webhook_in_the_curators_words(boss: Client) -> None:
    heard = make_failed_job(original=make_original(b"1", owner="key:gall", stored=False))
    deaf = make_failed_job(original=make_original(b"2", owner="key:mute", stored=False))
    make_webhook(owner="key:gall", types=[WebhookEvent.REPORTED])
    said = press(boss, "tell", "damaged", heard, deaf, message="Please send it again.")
    assert "told about 1" in said
    assert "Of 1 nobody hears" in said
    while fanout.fan_out():
        pass
    sent = json.loads(WebhookDelivery.objects.get(type="job.reported").payload)
    assert (sent["data"]["message"], sent["data"]["jobId"]) == ("Please send it again.", str(heard.pk))
    assert unseen(boss) == "1"


def test_failures_that_are_over_are_not_sorted(boss: Client) -> None:
    job = make_job(state="done")
    assert triage.mark_seen([job.pk], actor=SYSTEM) == 0
    assert not JobEvent.objects.filter(job=job, type="seen").exists()


def test_the_inbox_costs_as_many_queries_for_many_failures_as_for_few(boss: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            boss.get(INBOX)
        return len(asked)

    make_failed_job(original=make_original(b"0", stored=False))
    cost()
    few = cost()
    for number in range(1, 20):
        make_failed_job(original=make_original(bytes([number]), stored=False))
    assert cost() == few


def test_all_of_a_group_are_looked_at_page_by_page(boss: Client) -> None:
    for number in range(53):
        make_failed_job(original=make_original(bytes([number]), filename=f"n{number}.jpg", stored=False))
    page = boss.get(reverse("desk:inbox_group", args=["damaged"])).content.decode()
    assert page.count('name="job"') == 50
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following
    rest = boss.get(reverse("desk:inbox_group", args=["damaged"]) + following[1].replace("&amp;", "&"))
    assert rest.content.decode().count('name="job"') == 3
