"""How callers learn that a job is done: entity tags, when to look again, and answers that wait for it."""

import pytest
from django.contrib.auth.models import User
from django.db.models import Q

from media_jobs.models import Derivative, Job
from media_jobs.services.jobs import estimates, transitions
from media_jobs.services.waiting.waits import Poll
from media_jobs.states import DerivativeState, JobState
from tests import images, working
from tests.api.parking import Finished, parked, room
from tests.api.uploading import URL, file, nothing_is_stored, refused
from tests.factories import make_derivative, make_failed_job, make_job, make_original

pytestmark = pytest.mark.django_db


def path(job: Job) -> str:
    return f"/v1/jobs/{job.pk}"


def cancel(job: Job) -> None:
    assert transitions.move(job.pk, Q(), "cancelled", actor="test", state=JobState.CANCELLED)


def test_who_has_the_answer_already_is_told_so_with_when_to_look_again(client):
    job = make_job()
    first = client.get(path(job))
    tag = first.headers["ETag"]
    assert tag.startswith('"1-1-')
    again = client.get(path(job), headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Retry-After"] == first.headers["Retry-After"] == "5"
    for answer in (first, again):
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Content-Length"] == str(len(first.content))


@pytest.mark.parametrize("named", ["W/{}", '"other", {}', "*"])
def test_a_tag_is_recognised_however_it_comes_back(client, named):
    job = make_job()
    tag = client.get(path(job)).headers["ETag"]
    assert client.get(path(job), headers={"if-none-match": named.format(tag)}).status_code == 304


def test_each_event_and_progress_between_them_change_the_tag(client):
    job = working.claim(make_job().pk, "a")
    tags = [client.get(path(job)).headers["ETag"]]
    Job.objects.filter(pk=job.pk).update(progress=40)  # as a worker's heartbeat does
    tags.append(client.get(path(job)).headers["ETag"])
    assert transitions.move(job.pk, Q(), "stage", actor="test", stage="storing")
    tags.append(client.get(path(job)).headers["ETag"])
    assert len(set(tags)) == 3


def test_a_guess_does_not_change_the_tag(client):
    job = make_job()
    before = client.get(path(job))
    make_job(state=JobState.DONE, duration_ms=60_000, finished_at=job.created_at, worker="a")
    estimates.forget()
    after = client.get(path(job))
    assert after.json()["estimatedTime"] != before.json()["estimatedTime"]
    assert after.headers["ETag"] == before.headers["ETag"]


def test_derivatives_that_a_later_job_replaced_change_the_tag_of_the_older_one(client):
    job = make_job(state=JobState.DONE)
    old = make_derivative(job, state=DerivativeState.CURRENT)
    tag = client.get(path(job)).headers["ETag"]
    Derivative.objects.filter(pk=old.pk).update(state=DerivativeState.REPLACED)
    make_derivative(job, content=b"\xff\xd8 new", state=DerivativeState.CURRENT)
    assert client.get(path(job), headers={"if-none-match": tag}).status_code == 200


def test_an_image_has_a_tag_that_changes_with_its_jobs(client):
    job = make_job()
    url = f"/v1/images/{job.original_id}"
    tag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"if-none-match": tag}).status_code == 304
    cancel(job)
    answer = client.get(url, headers={"if-none-match": tag})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-cache")


@pytest.mark.parametrize("wait", ["-1", "31", "1.5", "soon", "", "1e1", "١", "99999999999999999999"])
def test_a_wait_that_is_none_is_refused(client, wait):
    answer = client.get(path(make_job()), {"wait": wait}, **room())
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_wait")


@pytest.mark.parametrize("wait", ["31", "soon"])
def test_a_wait_that_is_none_is_refused_before_an_upload_is_stored(client, wait):
    refused(client.post(f"{URL}?wait={wait}", {"file": file(images.jpeg(30, 20))}, **room()), 400, "bad_wait")
    assert nothing_is_stored()


def test_a_poll_waits_for_the_end_of_the_job_and_then_tells_of_it(client):
    job = make_job()
    response = client.get(path(job), {"wait": "30"}, **room())
    poll = parked(response)
    assert isinstance(poll, Poll)
    assert (poll.job_id, poll.known) == (job.pk, None)
    cancel(job)
    answer = Finished(response)
    assert (answer.status_code, answer.json()["code"]) == (200, "cancelled")
    assert answer.headers["ETag"] == client.get(path(job)).headers["ETag"]
    assert "Retry-After" not in answer.headers


def test_a_poll_that_knows_the_answer_waits_for_the_next_event(client):
    job = make_job()
    tag = client.get(path(job)).headers["ETag"]
    response = client.get(path(job), {"wait": "30"}, headers={"if-none-match": tag}, **room())
    poll = parked(response)
    assert isinstance(poll, Poll)
    assert poll.known == 1
    answer = Finished(response)  # nothing has happened, and the time is over
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["Retry-After"] == "5"
    cancel(job)
    assert Finished(response).status_code == 200


def test_a_poll_that_knows_less_than_there_is_to_know_does_not_wait(client):
    job = make_job()
    answer = client.get(path(job), {"wait": "30"}, headers={"if-none-match": '"1-0-older"'}, **room())
    assert answer.json()["status"] == "processing"


@pytest.mark.parametrize("state", [JobState.DONE, JobState.CANCELLED])
def test_nobody_waits_for_what_is_over(client, state):
    job = make_job(state=state)
    response = client.get(path(job), {"wait": "30"}, **room())
    assert response.json()["status"] in ("done", "error")
    tag = response.headers["ETag"]
    assert client.get(path(job), {"wait": "30"}, headers={"if-none-match": tag}, **room()).status_code == 304


@pytest.mark.parametrize("place", [{}, room(0)], ids=["a server that cannot", "a full room"])
def test_where_nobody_may_wait_a_poll_answers_at_once(client, place):
    answer = client.get(path(make_job()), {"wait": "30"}, **place)
    assert (answer.status_code, answer.json()["status"]) == (200, "processing")
    assert answer.headers["Retry-After"] == "5"


def test_what_becomes_anothers_or_goes_meanwhile_is_not_told(client):
    job = make_job()
    response = client.get(path(job), {"wait": "30"}, **room())
    Job.objects.filter(pk=job.pk).update(owner="somebody else")
    answer = Finished(response)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_answer_that_waited_has_the_headers_of_all_others(client):
    job = make_job()
    at_once = client.get(path(job))
    later = Finished(client.get(path(job), {"wait": "30"}, **room()))
    assert set(later.headers) == set(at_once.headers)
    assert later.headers["X-Request-ID"] != at_once.headers["X-Request-ID"]
    alike = [name for name in at_once.headers if name != "X-Request-ID"]
    assert [later.headers[name] for name in alike] == [at_once.headers[name] for name in alike]


def test_others_jobs_are_not_waited_for(client):
    job = make_job(make_original(stored=False, owner="staff:99"))
    assert client.get(path(job), {"wait": "30"}, **room()).status_code == 404


def test_an_upload_that_waits_answers_with_the_finished_job(client):
    response = client.post(f"{URL}?wait=10", {"file": file(images.jpeg(300, 200))}, **room())
    job = Job.objects.get()
    early = Finished(response)
    assert (early.status_code, early.json()["jobId"]) == (202, str(job.pk))
    assert early.headers["Retry-After"]
    working.run(job.pk)
    late = Finished(response)
    assert (late.status_code, late.json()["status"]) == (200, "done")
    assert [made["name"] for made in late.json()["derivatives"]] == ["full", "medium", "small", "thumb"]
    assert late.headers["Location"] == path(job)
    assert late.headers["Cache-Control"] == early.headers["Cache-Control"] == "no-store"


def test_a_repeated_upload_waits_for_the_same_job(client):
    headers = {"idempotency-key": "once"}
    content = images.jpeg(300, 200)
    client.post(URL, {"file": file(content)}, headers=headers)
    cancel(Job.objects.get())
    answer = Finished(client.post(f"{URL}?wait=10", {"file": file(content)}, headers=headers, **room()))
    assert (answer.status_code, answer.json()["status"]) == (200, "error")
    assert answer.headers["Idempotency-Replayed"] == "true"


def test_a_retry_may_wait_too(client):
    job = make_failed_job()
    response = client.post(f"{path(job)}/retry?wait=10", **room())
    assert Finished(response).status_code == 202
    cancel(job)
    assert Finished(response).json()["code"] == "cancelled"


def test_a_bug_in_an_answer_that_waited_is_a_problem_document(client, monkeypatch):
    job = make_job()
    response = client.get(path(job), {"wait": "30"}, **room())

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("media_jobs.selectors.job", broken)
    answer = Finished(response)
    assert answer.status_code == 500
    assert b"ZeroDivision" not in answer.content


def test_staff_wait_for_the_jobs_that_they_may_see(client):
    client.force_login(User.objects.create_superuser("curator"))
    job = make_job(make_original(stored=False, owner="somebody else"))
    assert isinstance(parked(client.get(path(job), {"wait": "30"}, **room())), Poll)
