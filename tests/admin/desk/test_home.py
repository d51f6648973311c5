"""The first page: what needs me, what came lately, and how the service is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from media_jobs.callers import SYSTEM
from media_jobs.library import overview
from media_jobs.models import Job, Original
from media_jobs.services.runs import lifecycle as runs
from tests.factories import make_derivative, make_failed_job, make_job, make_original

pytestmark = pytest.mark.django_db
HOME = reverse("admin:index")


def titles(browser: Client) -> list[str]:
    return [need["title"] for need in browser.get(HOME).context["needs"]]


def test_what_needs_somebody_comes_first_and_leads_to_where_it_is_done(boss: Client) -> None:
    assert titles(boss) == []
    assert "Nothing waits: all done." in boss.get(HOME).content.decode()
    make_failed_job(original=make_original(b"1", creator="Ada", stored=False), code="truncated")
    make_job(make_original(b"2", filename="nobodys.jpg", stored=False), state="done")
    runs.create(owner=SYSTEM, preset="ingest", note="Sharper")
    assert titles(boss) == ["Damaged file", "Pictures without credit", "Run “Sharper” waits to be confirmed"]
    for need in boss.get(HOME).context["needs"]:
        assert boss.get(need["link"].partition("#")[0]).status_code == 200


def test_the_latest_uploads_are_pictures(boss: Client) -> None:
    job = make_job(make_original(filename="oak.jpg", stored=False), state="done")
    made = make_derivative(job, "thumb", state="current")
    page = boss.get(HOME).content.decode()
    assert made.key in page
    assert 'alt="oak.jpg"' in page


def test_who_works_on_what_since_when(boss: Client) -> None:
    now = timezone.now()
    fields: dict[str, Any] = {
        "worker": "host-7",
        "lease_until": now + timedelta(minutes=1),
        "started_at": now - timedelta(minutes=3),
    }
    make_job(make_original(filename="oak.jpg", stored=False), state="processing", **fields)
    page = boss.get(HOME).content.decode()
    assert "host-7" in page
    assert "3\xa0minutes ago" in page


def test_what_is_in_work_is_told_until_nothing_waits(boss: Client) -> None:
    work = reverse("desk:home_work")
    assert boss.get(work)["X-Live"] == "over"
    job = make_job(make_original(filename="oak gall.jpg", stored=False))
    for page in (HOME, reverse("desk:inbox")):
        assert f'data-gi-live="{work}"' in boss.get(page).content.decode()
    first = boss.get(work)
    assert first["X-Live"] == "goes-on"
    assert "1 interactive" in first.content.decode()
    Job.objects.filter(pk=job.pk).update(state="done")
    assert boss.get(work)["X-Live"] == "over"
    assert f'data-gi-live="{work}"' not in boss.get(reverse("desk:inbox")).content.decode()


def test_hours_and_days_count_what_ended_in_them() -> None:
    now = timezone.now()
    make_job(make_original(b"1", stored=False), state="done", finished_at=now)
    make_failed_job(original=make_original(b"2", stored=False), finished_at=now - timedelta(hours=2))
    make_job(make_original(b"3", stored=False), state="done", finished_at=now - timedelta(days=3))
    day, month = overview.last_day(), overview.last_month()
    assert (len(day), len(month)) == (24, 30)
    assert (day[-1].done, day[-3].failed) == (1, 1)
    assert sum(bar.done for bar in day) == 1
    assert (sum(bar.done for bar in month), sum(bar.failed for bar in month)) == (2, 1)
    assert month[-4].done == 1


def test_the_parts_that_come_later_say_what_they_are_of(boss: Client) -> None:
    job = make_job(make_original(b"12345", stored=False), state="done", finished_at=timezone.now())
    make_derivative(job, "thumb", state="current", content=b"123")
    chart = boss.get(reverse("desk:home_chart")).content.decode()
    assert "The last 24 hours: 1 done, 0 failed" in chart
    storage = " ".join(boss.get(reverse("desk:home_storage")).content.decode().split())
    assert "Web versions</th><td>3 bytes</td><td>1 file</td>" in storage.replace("\xa0", " ")
    assert boss.get(reverse("desk:home_stale"))["X-Live"] == "over"


def test_the_first_page_costs_as_many_queries_for_much_as_for_little(boss: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            boss.get(HOME)
        return len(asked)

    def add(count: int) -> None:
        for _ in range(count):
            original = make_original(str(Original.objects.count()).encode(), stored=False)
            make_derivative(make_job(original, state="done"), state="current")
            make_failed_job(original=make_original(str(Original.objects.count()).encode(), stored=False))

    add(2)
    cost()
    few = cost()
    add(15)
    assert cost() == few


def test_the_queues_are_shown_by_the_names_that_rq_knows_them_by(boss: Client) -> None:
    page = boss.get(reverse("desk:queues")).content.decode()
    assert "interactive-" in page or "The queue does not answer" in page
