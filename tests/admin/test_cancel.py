"""Cancelling jobs that wait or are processed."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from media_jobs.models import Job
from media_jobs.states import JobState
from tests.admin.conftest import Login, logged_in
from tests.factories import make_failed_job, make_job

pytestmark = pytest.mark.django_db
LIST = reverse("admin:media_jobs_job_changelist")


def make_running_job() -> Job:
    return make_job(state="processing", worker="w", attempt=1, lease_until=timezone.now() + timedelta(minutes=1))


def page_of(job: Job) -> str:
    return reverse("admin:media_jobs_job_change", args=[job.pk])


def button_of(job: Job) -> str:
    return reverse("admin:media_jobs_job_cancel_this", args=[job.pk])


def ask(browser: Client, *jobs: Job, query: str = "", everything: bool = False) -> HttpResponse:
    form = {"action": "cancel", "_selected_action": [job.pk for job in jobs], "select_across": int(everything)}
    return browser.post(f"{LIST}{query}", form)  # type: ignore[return-value]  # Django's stubs: a subclass of their own


def answer(browser: Client, question: HttpResponse) -> str:
    """Say yes to the question as the page would send it, and return what comes of it."""
    page = question.content.decode()
    form: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        form.setdefault(name, []).append(value)
    found = re.search(r'<form class="gi-outcome" method="post" action="([^"]+)">', page)
    assert found
    done = browser.post(found[1].replace("&amp;", "&"), form)
    return "; ".join(str(message) for message in get_messages(done.wsgi_request))


def states() -> list[str]:
    return sorted(Job.objects.values_list("state", flat=True))


def test_cancelling_asks_first_and_reports_what_it_left(boss: Client) -> None:
    jobs = [make_job(), make_job(), make_running_job(), make_job(state="done"), make_failed_job()]
    question = ask(boss, *jobs)
    assert "2 waiting, 1 being processed" in question.content.decode()
    assert states() == ["done", "failed", "processing", "queued", "queued"]
    assert answer(boss, question) == "3 cancelled, 2 left as they are."
    assert states() == ["cancelled", "cancelled", "cancelled", "done", "failed"]


def test_everything_that_the_filter_finds_is_cancelled_and_nothing_else(boss: Client) -> None:
    wanted = [make_job(lane="bulk") for _ in range(60)]  # more than one page
    other = make_job()
    question = ask(boss, wanted[0], query="?lane__exact=bulk&state__exact=queued", everything=True)
    assert answer(boss, question) == "60 cancelled."
    assert list(Job.objects.filter(state=JobState.QUEUED)) == [other]


def test_there_is_nothing_to_agree_to_where_no_chosen_job_can_be_cancelled(boss: Client) -> None:
    page = ask(boss, make_failed_job()).content.decode()
    assert "None of these jobs can be cancelled" in page
    assert "Yes, cancel" not in page


@pytest.mark.parametrize("make", [make_job, make_running_job])
def test_the_button_on_a_jobs_page_cancels_that_job(make) -> None:
    ada = User.objects.create_superuser("ada")
    browser, job, other = logged_in(ada), make(), make_job()
    assert button_of(job) in browser.get(page_of(job)).content.decode()
    done = browser.post(button_of(job), {"_form_submitted": "on"}, follow=True).content.decode()
    assert "1 cancelled." in done
    assert "by ada" in done
    assert Job.objects.get(pk=job.pk).state == JobState.CANCELLED
    assert Job.objects.get(pk=other.pk).state == JobState.QUEUED


def test_following_a_link_never_cancels(boss: Client) -> None:
    assert boss.get(button_of(make_job())).status_code == 200  # the question
    assert states() == ["queued"]


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
def test_a_job_that_is_over_has_no_button(boss: Client, state: JobState) -> None:
    job = make_job(state=state, code="x")
    assert button_of(job) not in boss.get(page_of(job)).content.decode()
    assert boss.post(button_of(job), {"_form_submitted": "on"}).status_code == 403
    assert states() == [state]


@pytest.mark.parametrize("rights", [("view_job",), ("view_job", "retry_job")])
def test_viewers_without_the_right_to_cancel_cannot(staff: Login, rights: tuple[str, ...]) -> None:
    browser, job = staff(*rights), make_job()
    assert button_of(job) not in browser.get(page_of(job)).content.decode()
    assert 'value="cancel"' not in browser.get(LIST).content.decode()
    browser.post(LIST, {"action": "cancel", "_selected_action": [job.pk], "sure": "yes"})
    assert browser.post(button_of(job), {"_form_submitted": "on"}).status_code == 403
    assert states() == ["queued"]


def test_the_right_to_cancel_suffices_beside_the_right_to_view(staff: Login) -> None:
    browser = staff("view_job", "cancel_job")
    assert answer(browser, ask(browser, make_job())) == "1 cancelled."
