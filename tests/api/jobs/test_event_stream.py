"""/v1/events: who may listen, to what, and from where."""

import logging

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gallimg_site.logs import unsigned
from media_jobs import event_log
from media_jobs.api.events.views import MOST_JOBS
from media_jobs.callers import ANONYMOUS
from media_jobs.event_log import EventCursor
from media_jobs.models.base import uuid7
from media_jobs.services.waiting.waits import Stream
from tests.api.parking import parked, room
from tests.factories import make_job, make_original

pytestmark = pytest.mark.django_db
URL = "/v1/events"


@pytest.fixture
def staff_client():
    client = Client()
    client.force_login(User.objects.create_superuser("curator"))
    return client


def stream(response) -> Stream:
    assert response.status_code == 200, response.content
    wait = parked(response)
    assert isinstance(wait, Stream)
    return wait


def refused(response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_stream_says_that_it_is_one_to_everybody_on_its_way(staff_client):
    response = staff_client.get(URL, headers={"accept": "text/event-stream"}, **room())
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["Incremental"] == "?1"
    assert response.headers["Cache-Control"] == "private, no-cache, no-transform"
    assert "Content-Length" not in response.headers


def test_a_stream_begins_with_its_place_so_that_nothing_after_it_is_missed(staff_client):
    make_job()
    response = staff_client.get(URL, **room())
    first = next(iter(response.streaming_content)).decode()
    place = event_log.horizon()
    assert first.startswith("retry: ")
    assert first.endswith(f"\nevent: heartbeat\nid: {place}\ndata: {{}}\n\n")


@pytest.mark.parametrize("how", [{"headers": {"last-event-id": "0-3"}}, {"query_params": {"lastEventId": "0-3"}}])
def test_a_stream_goes_on_where_its_client_was(staff_client, how):
    for _ in range(5):
        make_job()
    assert stream(staff_client.get(URL, **how, **room())).cursor == event_log.resumed(EventCursor(0, 3))


@pytest.mark.parametrize("place", ["3", "a-b", "-1-3", "0-99999999999999999999"])
def test_a_place_that_is_none_is_refused(staff_client, place):
    refused(staff_client.get(URL, headers={"last-event-id": place}, **room()), 400, "bad_cursor")


def test_strangers_have_to_name_their_jobs_since_they_are_all_one_caller(client):
    refused(client.get(URL, **room()), 400, "jobs_not_named")
    job = make_job()
    found = stream(client.get(URL, {"job": str(job.pk)}, **room()))
    assert (found.caller, found.jobs) == (ANONYMOUS, frozenset({job.pk}))


@pytest.mark.parametrize("name", ["no-id", "00000000-0000-7000-8000-000000000000", "another's"])
def test_a_job_that_is_not_there_for_the_caller_is_not_found(client, name):
    other = make_job(make_original(stored=False, owner="somebody else"))
    refused(client.get(URL, {"job": str(other.pk) if name == "another's" else name}, **room()), 404, "not_found")


def test_not_everything_may_be_named(client):
    names = [str(uuid7()) for _ in range(MOST_JOBS + 1)]
    refused(client.get(URL, {"job": names}, **room()), 400, "jobs_not_named")


@pytest.mark.parametrize("place", [{}, room(0)], ids=["a server that cannot", "a full room"])
def test_where_nobody_may_wait_a_stream_is_refused_with_when_to_come_again(staff_client, place):
    response = staff_client.get(URL, **place)
    refused(response, 503, "too_many_waiters")
    assert response.headers["Retry-After"] == "10"


def test_a_look_at_the_head_does_not_wait(staff_client):
    response = staff_client.head(URL, **room())
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/event-stream")
    list(response)


def test_a_ticket_lets_a_browser_listen_for_who_asked_for_it_once(staff_client, client):
    answer = staff_client.post(f"{URL}/ticket")
    assert (answer.status_code, answer.headers["Cache-Control"], answer.json()["expiresIn"]) == (201, "no-store", 60)
    ticket = answer.json()["ticket"]
    found = stream(client.get(URL, {"ticket": ticket}, **room()))
    assert found.caller.id == f"staff:{User.objects.get().pk}"
    refused(client.get(URL, {"ticket": ticket}, **room()), 403, "ticket_invalid")


def test_a_wrong_ticket_does_not_fall_back_on_a_session(staff_client):
    refused(staff_client.get(URL, {"ticket": ""}, **room()), 403, "ticket_invalid")


def test_a_session_alone_gives_no_ticket_to_another_page():
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("curator"))
    assert client.post(f"{URL}/ticket").status_code == 403


def test_a_ticket_is_not_in_the_log(staff_client, client, caplog):
    ticket = staff_client.post(f"{URL}/ticket").json()["ticket"]
    with caplog.at_level(logging.DEBUG):
        client.get(URL, {"job": str(uuid7()), "ticket": ticket}, **room())
    logged = [record.msg if isinstance(record.msg, dict) else {"event": str(record.msg)} for record in caplog.records]
    assert any(ticket in str(line) for line in logged)  # before the formatter cuts it out
    assert not any(ticket in str(unsigned(None, "", dict(line))) for line in logged)
