"""DELETE /v1/jobs/{id} and POST /v1/jobs/{id}/retry: what may be changed, by whom, and what is answered."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from media_jobs.models import Job
from media_jobs.states import JobState
from tests import people, working
from tests.factories import make_failed_job, make_job, make_original

pytestmark = pytest.mark.django_db


def cancel(client: Client, job: Job):
    return client.delete(f"/v1/jobs/{job.pk}")


def retry(client: Client, job: Job):
    return client.post(f"/v1/jobs/{job.pk}/retry")


def refused(response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_waiting_job_is_cancelled(client):
    job = make_job()
    response = cancel(client, job)
    assert response.status_code == 200
    answer = response.json()
    assert (answer["jobId"], answer["status"], answer["code"]) == (str(job.pk), "error", "cancelled")
    assert client.get(f"/v1/jobs/{job.pk}").json() == answer
    assert cancel(client, job).json() == answer


def test_a_job_at_work_is_cancelled(client):
    job = working.claim(make_job().pk, "a")
    assert cancel(client, job).json()["code"] == "cancelled"
    assert Job.objects.get().state == JobState.CANCELLED


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED])
def test_what_is_over_cannot_be_cancelled(client, state):
    refused(cancel(client, make_job(state=state, code="undecodable")), 409, "wrong_state")


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_a_job_that_came_to_nothing_is_queued_again(client, state):
    job = make_failed_job(state=state)
    response = retry(client, job)
    assert response.status_code == 202
    assert response.json() == {"jobId": str(job.pk), "imageId": str(job.original_id), "estimatedTime": 5000}
    assert response.headers["Location"] == f"/v1/jobs/{job.pk}"
    assert response.headers["Retry-After"] == "5"
    assert client.get(f"/v1/jobs/{job.pk}").json()["status"] == "processing"


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.DONE])
def test_a_job_that_needs_no_retry_gets_none(client, state):
    refused(retry(client, make_job(state=state)), 409, "wrong_state")


@pytest.mark.parametrize("change", [cancel, retry])
def test_jobs_of_others_and_jobs_that_do_not_exist_are_not_found(client, change):
    job = make_job(make_original(stored=False, owner="staff:99"))
    refused(change(client, job), 404, "not_found")
    Job.objects.all().delete()
    refused(change(client, job), 404, "not_found")


@pytest.mark.parametrize(
    ("change", "permission", "state"),
    [(cancel, "cancel_job", JobState.QUEUED), (retry, "retry_job", JobState.CANCELLED)],
)
def test_staff_change_the_jobs_of_others_with_the_permission_that_the_admin_asks_for(change, permission, state):
    job = make_job(make_original(stored=False, owner="somebody"), state=state)
    client = people.staff("view_job")
    refused(change(client, job), 403, "permission_denied")
    User.objects.get().user_permissions.add(Permission.objects.get(codename=permission))
    assert change(client, job).status_code in (200, 202)


@pytest.mark.parametrize("change", [cancel, retry])
def test_staff_signed_in_by_cookie_must_send_the_csrf_header(change):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("curator"))
    refused(change(client, make_job()), 403, "permission_denied")
