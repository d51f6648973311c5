"""Trying failed jobs again."""

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from media_jobs.models import Job, JobEvent
from media_jobs.states import JobState
from tests.admin.conftest import Login, logged_in
from tests.factories import make_failed_job, make_job

LIST = reverse("admin:media_jobs_job_changelist")


def page_of(job: Job) -> str:
    return reverse("admin:media_jobs_job_change", args=[job.pk])


def button_of(job: Job) -> str:
    return reverse("admin:media_jobs_job_retry_this", args=[job.pk])


def retry(browser: Client, *jobs: Job, query: str = "", everything: bool = False) -> str:
    """Run the action on the list, and return what it says."""
    answer = browser.post(
        f"{LIST}{query}",
        {"action": "retry", "_selected_action": [job.pk for job in jobs], "select_across": int(everything)},
    )
    return "; ".join(str(message) for message in get_messages(answer.wsgi_request))


def states() -> list[str]:
    return sorted(Job.objects.values_list("state", flat=True))


@pytest.mark.django_db
def test_retry_queues_the_failed_and_reports_what_it_left(boss: Client) -> None:
    jobs = [*(make_failed_job() for _ in range(3)), make_job(state="done"), make_job()]
    assert retry(boss, *jobs) == "3 queued again, 2 left as they are."
    assert states() == ["done", *["queued"] * 4]


@pytest.mark.django_db
def test_retry_works_on_everything_that_the_filter_finds_and_on_nothing_else(boss: Client) -> None:
    wanted = [make_failed_job(code="worker_lost") for _ in range(60)]  # more than one page
    other = make_failed_job(code="truncated")
    assert retry(boss, wanted[0], query="?code=worker_lost", everything=True) == "60 queued again."
    assert list(Job.objects.filter(state=JobState.FAILED)) == [other]


@pytest.mark.django_db
def test_the_history_names_the_person_who_retried() -> None:
    ada = User.objects.create_superuser("ada")
    job = make_failed_job()
    retry(logged_in(ada), job)
    assert JobEvent.objects.filter(job=job).latest("number").actor == f"staff:{ada.pk}"
    assert "by ada" in logged_in(ada).get(page_of(job)).content.decode()


@pytest.mark.django_db
def test_the_button_on_a_jobs_page_retries_that_job(boss: Client) -> None:
    job, other = make_failed_job(), make_failed_job()
    assert button_of(job) in boss.get(page_of(job)).content.decode()
    answer = boss.post(button_of(job), {"_form_submitted": "on"}, follow=True)
    assert "1 queued again." in answer.content.decode()
    assert Job.objects.get(pk=job.pk).state == JobState.QUEUED
    assert Job.objects.get(pk=other.pk).state == JobState.FAILED


@pytest.mark.django_db
def test_following_a_link_never_retries(boss: Client) -> None:
    job = make_failed_job()
    assert boss.get(button_of(job)).status_code == 200  # the question
    assert states() == ["failed"]


@pytest.mark.django_db
def test_another_sites_form_cannot_retry() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("boss"))
    assert browser.post(button_of(make_failed_job()), {"_form_submitted": "on"}).status_code == 403
    assert states() == ["failed"]


@pytest.mark.django_db
@pytest.mark.parametrize("state", [JobState.DONE, JobState.QUEUED])
def test_a_job_that_cannot_be_retried_has_no_button(boss: Client, state: JobState) -> None:
    job = make_job(state=state)
    assert button_of(job) not in boss.get(page_of(job)).content.decode()


@pytest.mark.django_db
def test_viewers_without_the_right_to_retry_cannot(staff: Login) -> None:
    browser, job = staff("view_job"), make_failed_job()
    assert button_of(job) not in browser.get(page_of(job)).content.decode()
    assert 'value="retry"' not in browser.get(LIST).content.decode()
    retry(browser, job)
    assert browser.post(button_of(job), {"_form_submitted": "on"}).status_code == 403
    assert states() == ["failed"]


@pytest.mark.django_db
def test_the_right_to_retry_suffices_beside_the_right_to_view(staff: Login) -> None:
    assert retry(staff("view_job", "retry_job"), make_failed_job()) == "1 queued again."


@pytest.mark.django_db
def test_a_made_up_job_is_refused(boss: Client) -> None:
    for nonsense in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        url = reverse("admin:media_jobs_job_retry_this", args=[nonsense])
        assert boss.post(url, {"_form_submitted": "on"}).status_code == 403
