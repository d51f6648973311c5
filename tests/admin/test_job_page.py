"""What the page of a job says about its status and its history."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from media_jobs.models import Job, MaintenanceTask
from media_jobs.services.jobs import transitions
from media_jobs.states import JobState, Lane
from tests.admin.conftest import Login
from tests.factories import make_failed_job, make_job

pytestmark = pytest.mark.django_db


def page_of(browser: Client, job: Job) -> str:
    page = browser.get(reverse("admin:media_jobs_job_change", args=[job.pk])).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def work_was_done(*, ago: timedelta = timedelta(seconds=5)) -> None:
    MaintenanceTask.objects.update_or_create(name="leases", defaults={"finished_at": timezone.now() - ago})


def test_a_waiting_job_says_how_many_are_before_it_in_its_lane(boss: Client) -> None:
    work_was_done()
    jobs = [make_job(queue_position=position) for position in range(4)]
    make_job(lane=Lane.BULK, queue_position=0)
    assert "Next in the lane interactive." in page_of(boss, jobs[0])
    assert "one job is ahead of it" in page_of(boss, jobs[1])
    assert "3 jobs are ahead of it" in page_of(boss, jobs[3])


def test_a_job_that_is_due_later_says_when_and_why(boss: Client) -> None:
    work_was_done()
    later = timezone.now() + timedelta(days=3)
    job = make_job(not_before=later, attempt=1, code="storage_unavailable", detail="The storage did not answer.")
    page = page_of(boss, job)
    assert f"It will be tried again at {later.day} {later:%B %Y, %H:%M:%S}" in page
    assert "The last attempt failed: The storage did not answer. storage_unavailable" in page


def test_a_job_in_work_names_its_worker_and_what_it_does(boss: Client) -> None:
    until = timezone.now() + timedelta(days=1)
    job = make_job(state="processing", worker="host:7", attempt=1, lease_until=until, stage="rendering", progress=40)
    assert "Worker host:7 is processing it (rendering, 40 %); its lease lasts until" in page_of(boss, job)


def test_a_job_whose_worker_went_silent_says_so(boss: Client) -> None:
    gone = timezone.now() - timedelta(minutes=3)
    job = make_job(state="processing", worker="host:7", attempt=1, lease_until=gone)
    assert "worker host:7 went silent; its lease expired at" in page_of(boss, job)


@pytest.mark.parametrize(
    ("seen", "says"), [(None, "No worker has been seen yet"), (10, "No worker has been seen since")]
)
def test_a_waiting_job_says_that_no_worker_runs(boss: Client, seen: int | None, says: str) -> None:
    if seen:
        work_was_done(ago=timedelta(minutes=seen))
    job = make_job()
    assert says in page_of(boss, job)
    make_job(state="processing", worker="w", attempt=1, lease_until=timezone.now() + timedelta(minutes=1))
    assert "No worker has been seen" not in page_of(boss, job)


@pytest.mark.parametrize("state", [JobState.DONE, JobState.CANCELLED])
def test_a_job_that_is_over_waits_for_nothing(boss: Client, state: JobState) -> None:
    page = page_of(boss, make_job(state=state))
    assert "in the lane" not in page
    assert "No worker" not in page


@pytest.mark.parametrize(("lane", "words"), [(Lane.BULK, "reprocessing"), (Lane.HEAVY, "needs much memory")])
def test_the_lane_is_explained(boss: Client, lane: Lane, words: str) -> None:
    assert f"{lane}: {words}" in page_of(boss, make_job(lane=lane))


def test_the_traceback_of_a_bug_is_there_folded_and_harmless(boss: Client) -> None:
    job = make_failed_job(code="internal_error", traceback='File "a.py"\n<script>alert(1)</script>')
    page = boss.get(reverse("admin:media_jobs_job_change", args=[job.pk])).content.decode()
    assert re.search(r"<details[^>]*>\s*<summary>Traceback", page)
    assert "File &quot;a.py&quot;\n&lt;script&gt;alert(1)" in page
    assert "Traceback" not in page_of(boss, make_failed_job())


def page_with_event(browser: Client, event: str, data: dict[str, Any]) -> str:
    job = make_job()
    with_event = transitions.move(job.pk, Q(), event, actor="host:7", data=data, progress=0)
    assert with_event
    return page_of(browser, job)


@pytest.mark.parametrize(
    ("blame", "words"),
    [
        ("file", "the file itself"),
        ("server", "storage, network"),
        ("machine", "memory or time"),
        ("bug", "a bug of ours"),
    ],
)
def test_the_history_says_whose_fault_a_failed_attempt_was_and_what_follows(
    boss: Client, blame: str, words: str
) -> None:
    data = {"code": "c_x", "detail": "It broke.", "blame": blame, "attempt": 2, "lane": "heavy", "wait_s": 31.0}
    page = page_with_event(boss, "retry_due", data)
    assert "failed, to be tried again by host:7 It broke. c_x" in page
    for fact in (f"because of {words}", "attempt 2", "lane heavy", "again in 31.0 s"):
        assert fact in page


def test_what_is_not_known_is_not_shown(boss: Client) -> None:
    page = page_with_event(boss, "failed", {"detail": "It broke.", "code": "x", "blame": "file", "wait_s": None})
    assert "None" not in page[page.index("History") :]


@pytest.mark.parametrize(
    ("event", "title"),
    [("handed_back", "handed back"), ("lease_expired", "lease expired"), ("some_news", "some news")],
)
def test_every_event_has_a_title_in_words(boss: Client, event: str, title: str) -> None:
    assert f"{title} by host:7" in page_with_event(boss, event, {})


def test_no_right_no_page(staff: Login) -> None:
    job = make_failed_job(traceback="secret")
    assert staff("view_original").get(reverse("admin:media_jobs_job_change", args=[job.pk])).status_code == 403
