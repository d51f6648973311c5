"""Callers of /api/v1/ingest learn that a job is done as those of /v1 do."""

import pytest
from django.db.models import Q

from media_jobs.models import Job
from media_jobs.services.jobs import transitions
from media_jobs.states import JobState
from tests import images
from tests.api.parking import Finished, room
from tests.api.uploading import file, nothing_is_stored, refused
from tests.factories import make_job

pytestmark = pytest.mark.django_db

UPLOAD = "/api/v1/ingest/upload"
STATUS = "/api/v1/ingest/status"


def cancel(job: Job) -> None:
    assert transitions.move(job.pk, Q(), "cancelled", actor="test", state=JobState.CANCELLED)


def test_a_status_that_is_known_is_not_sent_again(client):
    job = make_job(preset="ingest")
    first = client.get(f"{STATUS}/{job.pk}")
    known = {"if-none-match": first.headers["ETag"]}
    again = client.get(f"{STATUS}/{job.pk}", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Retry-After"] == first.headers["Retry-After"]
    assert again.headers["Cache-Control"] == "private, no-cache"
    cancel(job)
    changed = client.get(f"{STATUS}/{job.pk}", headers=known)
    assert (changed.status_code, changed.json()["status"]) == (200, "cancelled")


def test_a_status_waits_for_the_end_of_the_job(client):
    job = make_job(preset="ingest")
    response = client.get(f"{STATUS}/{job.pk}", {"wait": "30"}, **room())
    cancel(job)
    answer = Finished(response)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


def test_an_upload_waits_for_the_end_of_its_job(client):
    response = client.post(f"{UPLOAD}?wait=10", {"image": file(images.jpeg(30, 20))}, **room())
    job = Job.objects.get()
    cancel(job)
    answer = Finished(response)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.headers["Location"] == f"{STATUS}/{job.pk}"


def test_an_upload_that_is_not_done_in_time_is_accepted_all_the_same(client):
    answer = Finished(client.post(f"{UPLOAD}?wait=1", {"image": file(images.jpeg(30, 20))}, **room()))
    assert (answer.status_code, answer.json()["status"]) == (202, "processing")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_wait_that_is_none_is_refused_before_anything_is_stored(client):
    refused(client.post(f"{UPLOAD}?wait=soon", {"image": file(images.jpeg(30, 20))}, **room()), 400, "bad_wait")
    assert nothing_is_stored()
