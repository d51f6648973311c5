"""How the client waits: by answers that wait, by streams, and by whatever is left of both."""

import itertools
from typing import Any

import pytest
from gallimg_client import Client, JobFailed, ProblemError, StillProcessing, Unreachable
from gallimg_client.sse import messages

from tests.clients.scripted import BROKEN, Answer, Asked, accepted, job, problem, scripted

STREAM = {"Content-Type": "text/event-stream"}
DONE, PROCESSING = Answer(body=job("done")), Answer(body=job("processing"), headers={"Retry-After": "3"})
FULL = problem(503, "too_many_waiters", Retry_After="10")
HEARTBEAT = "retry: 1000\nevent: heartbeat\nid: 7-1\ndata: {}\n\n"


def told(number: int, status: str = "processing") -> str:
    return f'id: 7-{number}\ndata: {{"jobId": "job-1", "number": {number}, "status": "{status}"}}\n\n'


def stream(*parts: str) -> Answer:
    return Answer(body="".join(parts), headers=STREAM)


def paths(asked: list[Asked]) -> list[str]:
    return [request.path for request in asked]


# --- answers that wait ----------------------------------------------------------------------------


def test_the_service_is_asked_to_wait(pauses: list[float]) -> None:
    with scripted(DONE) as service, Client(service.url) as gallimg:
        assert gallimg.wait("job-1")["status"] == "done"
    assert paths(service.asked) == ["/v1/jobs/job-1?wait=30"]


def test_where_there_is_no_room_to_wait_it_is_asked_when_it_says(pauses: list[float]) -> None:
    with scripted(PROCESSING, PROCESSING, DONE) as service, Client(service.url) as gallimg:
        gallimg.wait("job-1")
    assert pauses == [3, 3]


def test_a_restart_is_waited_for_as_long_as_it_takes(pauses: list[float]) -> None:
    with scripted(*[BROKEN] * 7, problem(502, ""), DONE) as service, Client(service.url) as gallimg:
        assert gallimg.wait("job-1", timeout_s=60)["status"] == "done"


def test_a_job_that_fails_is_an_exception_with_its_code() -> None:
    failed = Answer(body=job("error", code="truncated", detail="The file breaks off."))
    with scripted(failed) as service, Client(service.url) as gallimg, pytest.raises(JobFailed) as caught:
        gallimg.wait("job-1")
    assert (caught.value.code, caught.value.detail) == ("truncated", "The file breaks off.")
    assert caught.value.job["imageId"] == "image-1"


def test_what_is_not_over_in_time_is_said_to_go_on(pauses: list[float]) -> None:
    with scripted(PROCESSING) as service, Client(service.url) as gallimg:
        with pytest.raises(StillProcessing, match="job-1 is not over after 0 s") as caught:
            gallimg.wait("job-1", timeout_s=0)
        assert isinstance(caught.value, TimeoutError)
    refused = pytest.raises(Unreachable, match="job-1")
    with scripted(*[BROKEN] * 5) as service, Client(service.url) as gallimg, refused:
        gallimg.wait("job-1", timeout_s=0)


def test_an_upload_that_waits_needs_one_call_where_the_job_is_over_in_time(pauses: list[float]) -> None:
    with scripted(Answer(200, job("done"))) as service, Client(service.url) as gallimg:
        assert gallimg.process(b"pixels")["status"] == "done"
    assert paths(service.asked) == ["/v1/images?wait=30"]
    with scripted(accepted(), DONE) as service, Client(service.url) as gallimg:
        assert gallimg.process(b"pixels", timeout_s=5)["status"] == "done"
    assert paths(service.asked)[0] == "/v1/images?wait=5"
    assert paths(service.asked)[1].startswith("/v1/jobs/job-1?wait=")
    failed = Answer(200, job("error", code="truncated"))
    with scripted(failed) as service, Client(service.url) as gallimg, pytest.raises(JobFailed):
        gallimg.process(b"pixels")


# --- streams --------------------------------------------------------------------------------------


def test_whoever_wants_to_hear_of_each_step_follows_a_stream(pauses: list[float]) -> None:
    heard: list[Any] = []
    answers = [stream(HEARTBEAT, told(2), told(3, "done")), PROCESSING, DONE]
    with scripted(*answers) as service, Client(service.url) as gallimg:
        assert gallimg.wait("job-1", on_event=heard.append)["status"] == "done"
    assert [event["number"] for event in heard] == [2, 3]
    assert paths(service.asked) == ["/v1/events?job=job-1", "/v1/jobs/job-1", "/v1/jobs/job-1"]


def test_a_job_that_was_over_before_the_stream_began_is_noticed(pauses: list[float]) -> None:
    with scripted(stream(HEARTBEAT), DONE) as service, Client(service.url) as gallimg:
        assert gallimg.wait("job-1", on_event=print)["status"] == "done"


def test_a_stream_that_breaks_goes_on_behind_the_last_message(pauses: list[float]) -> None:
    heard: list[Any] = []
    cut_off = stream(HEARTBEAT, told(2), told(3)[:-1])  # its empty line is missing: it has not arrived
    answers = [cut_off, PROCESSING, BROKEN, stream(HEARTBEAT.replace("7-1", "7-2"), told(3, "done")), PROCESSING, DONE]
    with scripted(*answers) as service, Client(service.url) as gallimg:
        gallimg.wait("job-1", on_event=heard.append)
    assert [event["number"] for event in heard] == [2, 3]
    streams = [request for request in service.asked if request.path.startswith("/v1/events")]
    assert [request.headers["Last-Event-ID"] for request in streams] == [None, "7-2", "7-2"]
    assert pauses[0] == 1  # as the stream says


@pytest.mark.parametrize("refusal", [FULL, problem(404, "not_found"), Answer(200, "<html>")])
def test_without_a_stream_answers_that_wait_do(refusal: Answer, pauses: list[float]) -> None:
    silent = [refusal] * (4 if refusal.status == 200 else 1)  # a proxy's page is asked for again
    with scripted(*silent, DONE) as service, Client(service.url) as gallimg:
        assert gallimg.wait("job-1", on_event=print)["status"] == "done"
    assert paths(service.asked)[-1] == "/v1/jobs/job-1?wait=30"
    assert sum(pauses) < 10


def test_what_goes_wrong_with_who_is_told_is_not_taken_for_the_services_fault(pauses: list[float]) -> None:
    def fail(_: object) -> None:
        raise ProblemError(503, {"code": "of another service"}, 1)

    refused = pytest.raises(ProblemError, match="of another service")
    answers = [stream(HEARTBEAT, told(2)), PROCESSING]
    with scripted(*answers) as service, Client(service.url) as gallimg, refused:
        gallimg.wait("job-1", on_event=fail)


def test_events_go_on_over_connections_and_readers(pauses: list[float]) -> None:
    answers = [stream(HEARTBEAT, told(2)), FULL, stream(told(3)), stream(told(4))]
    with scripted(*answers) as service, Client(service.url) as gallimg:
        with gallimg.events("job-1", "job-2") as events:
            assert [event["number"] for event in itertools.islice(events, 2)] == [2, 3]
        with gallimg.events(last_id=events.last_id) as others:
            assert next(others)["number"] == 4
    assert paths(service.asked)[0] == "/v1/events?job=job-1&job=job-2"
    assert [request.headers["Last-Event-ID"] for request in service.asked] == [None, "7-2", "7-2", "7-3"]
    assert 10 <= pauses[1] <= 10.5


def test_events_that_are_refused_for_good_are_an_exception() -> None:
    refused = pytest.raises(ProblemError, match="insufficient_scope")
    with scripted(problem(403, "insufficient_scope")) as service, Client(service.url) as gallimg, refused:
        next(gallimg.events())


# --- the format -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_messages_are_read_as_the_standard_says_wherever_they_are_cut(end: str, size: int) -> None:
    parts = [
        "\ufeffdata: a\ndata:b\nid: 1",
        ": comment",
        "id\nevent: e\ndata\nretry: 50\nretry: x",
        "data: \u2028\x85é\x0b",
    ]
    content = "\n\n".join([*parts, "data: cut off\n"]).replace("\n", end).encode()
    found = list(messages(content[at : at + size] for at in range(0, len(content), size)))
    assert [(found.id, found.name, found.data, found.retry_s) for found in found] == [
        ("1", "message", "a\nb", None),
        ("", "e", "", 0.05),
        ("", "message", "\u2028\x85é\x0b", 0.05),
    ]
