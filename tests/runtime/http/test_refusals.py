"""What the server answers by itself says the same as what views answer."""

import json
import re
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse

from media_jobs.api.shared import routes
from media_jobs.api.shared.problem_types import TYPES
from media_jobs.api.shared.problems.documents import Problem
from media_jobs.api.shared.problems.statuses import statuses
from media_jobs.runtime.http import refusals
from tests.api import documented


@pytest.mark.parametrize("code", refusals.CODES)
def test_a_refusal_is_a_whole_answer_with_the_problem_document_of_its_code(code):
    head, _, body = refusals.answer(code, "", "Why.").partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    status = int(line.split()[1])
    sent = json.loads(body)
    expected = Problem(status, code, sent["detail"]).document("")
    del expected["instance"]
    assert sent == expected
    assert [status] == statuses(code)
    assert sent["title"] == TYPES[code].title
    assert {f"Content-Length: {len(body)}", "Connection: close"} <= set(fields)
    assert any(field.startswith("Retry-After: ") for field in fields) is (status in (408, 503))


@pytest.mark.parametrize(
    "path", ["", "/", "/v1/images", "/instructions", "/instructions/1/details", "/files", "/healthz"]
)
@pytest.mark.parametrize("code", refusals.CODES)
def test_a_refusal_has_the_form_of_all_answers_at_its_address(code, path):
    head, _, body = refusals.answer(code, path, "Why.").partition(b"\r\n\r\n")
    sent = json.loads(body)
    [status] = statuses(code)
    detail = sent["message"] if routes.takes_envelope(path) else sent["detail"]
    expected, content_type = Problem(status, code, detail).body(path)
    expected.pop("instance", None)
    assert sent == expected
    assert f"\r\nContent-Type: {content_type}\r\n".encode() in head


def test_the_addresses_of_envelopes_are_those_of_the_api():
    assert refusals._IN_ENVELOPES == routes._IN_ENVELOPES


class Answer(HttpResponse):
    """As Django's test client has it."""

    def json(self) -> Any:
        return json.loads(self.content)


@pytest.mark.parametrize("code", ["request_timeout", "address_too_long", "head_too_large", "overloaded"])
def test_the_document_of_the_api_tells_of_each_at_every_address(code):
    for method, pattern, _ in documented.calls():
        path = re.sub(r"\{\w+\}", str(UUID(int=1)), pattern)
        head, _, body = refusals.answer(code, path).partition(b"\r\n\r\n")
        content_type = re.search(rb"Content-Type: (\S+)", head)
        assert content_type
        answer = Answer(body, status=statuses(code)[0], content_type=content_type[1].decode())
        assert documented.complaint(answer, method.upper(), path) == ""
