"""What the client tries again, when, and what it says when that does not help."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from gallimg_client import Client, ProblemError, Retries, Unreachable

from tests.clients.scripted import BROKEN, Answer, accepted, problem, scripted

PHOTO = bytes(range(256)) * 1000


def test_an_upload_is_tried_again_under_the_same_key_until_it_is_taken(pauses: list[float]) -> None:
    passing = [
        BROKEN,
        problem(503, "backlog_full", Retry_After="2"),
        Answer(502, "<html>"),
        problem(408, "request_timeout", Retry_After="5"),
        accepted(),
    ]
    with scripted(*passing) as service, Client(service.url) as gallimg:
        assert gallimg.upload(PHOTO)["jobId"] == "job-1"
    keys = {asked.headers["Idempotency-Key"] for asked in service.asked}
    assert len(service.asked) == 5
    assert len(keys) == 1
    assert len(keys.pop()) == 36
    assert len({asked.body for asked in service.asked}) == 1
    assert PHOTO in service.asked[-1].body
    assert 0.25 <= pauses[0] <= 0.5
    assert 2 <= pauses[1] <= 2.5
    assert 1 <= pauses[2] <= 2
    assert 5 <= pauses[3] <= 6


def test_two_uploads_have_two_keys_unless_the_caller_has_one(pauses: list[float]) -> None:
    with scripted(*[accepted()] * 4) as service, Client(service.url) as gallimg:
        for key in (None, None, "mine", "mine"):
            gallimg.upload(PHOTO, idempotency_key=key)
    first, second, *mine = (asked.headers["Idempotency-Key"] for asked in service.asked)
    assert first != second
    assert mine == ["mine", "mine"]


@pytest.mark.parametrize(
    "final",
    [
        problem(400, "unknown_field"),
        problem(401, "bad_credential"),
        problem(409, "wrong_state"),
        problem(413, "file_too_large"),
        problem(500, "internal_error"),
        problem(503, "reads_not_configured"),  # the service names no time: waiting does not help
        problem(429, "quota_exceeded", Retry_After="61"),  # longer than anybody wants to wait
    ],
    ids=lambda answer: answer.body["code"],
)
def test_what_will_not_pass_is_said_at_once_with_code_and_sentence(final: Answer, pauses: list[float]) -> None:
    with scripted(final) as service, Client(service.url) as gallimg, pytest.raises(ProblemError) as caught:
        gallimg.upload(PHOTO)
    assert (caught.value.status, caught.value.code) == (final.status, final.body["code"])
    assert caught.value.detail == final.body["detail"]
    assert str(caught.value) == f"{final.body['detail']} ({final.body['code']}, HTTP {final.status})"
    assert caught.value.document["type"] == final.body["type"]
    assert pauses == []


def test_a_date_in_retry_after_is_waited_for_too(pauses: list[float]) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    with scripted(Answer(503, "", {"Retry-After": later}), accepted()) as service, Client(service.url) as gallimg:
        gallimg.upload(PHOTO)
    assert 15 < pauses[0] <= 20.5


def test_enough_is_enough(pauses: list[float]) -> None:
    retries = Retries(attempts=3, first_s=1)
    with scripted(*[problem(503, "storage_unavailable", Retry_After="5")] * 3) as service:
        with Client(service.url, retries=retries) as gallimg, pytest.raises(ProblemError, match="storage_unavailable"):
            gallimg.upload(PHOTO)
        assert service.left == []
    assert [pause // 1 in (5, 6) for pause in pauses] == [True, True]


def test_a_service_that_is_not_there_is_unreachable(pauses: list[float]) -> None:
    with Client("http://127.0.0.1:9", retries=Retries(attempts=4, first_s=1, longest_s=3)) as gallimg:
        with pytest.raises(Unreachable) as caught:
            gallimg.job("x")
        assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert [0.5 <= pauses[0] <= 1, 1 <= pauses[1] <= 2, 1.5 <= pauses[2] <= 3] == [True] * 3


def test_an_address_that_is_none_is_not_tried_again(pauses: list[float]) -> None:
    with Client("images.example.org") as gallimg, pytest.raises(httpx.UnsupportedProtocol):
        gallimg.job("x")
    assert pauses == []


def test_each_attempt_is_signed_with_a_fresh_token(pauses: list[float]) -> None:
    tokens = iter(["first", "second"])
    answers = (BROKEN, Answer(body={}))
    with scripted(*answers) as service, Client(service.url, lambda: next(tokens), user_id="ada") as gallimg:
        gallimg.job("x")
    assert [asked.headers["Authorization"] for asked in service.asked] == ["Bearer first", "Bearer second"]
    assert {asked.headers["X-User-ID"] for asked in service.asked} == {"ada"}
