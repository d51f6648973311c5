"""What the event loop answers by itself says the same as what views answer."""

import json

import pytest

from media_jobs.api.shared.problem_types import TYPES
from media_jobs.api.shared.problems.documents import Problem
from media_jobs.api.shared.problems.statuses import statuses
from media_jobs.runtime.http import refusals


@pytest.mark.parametrize("code", refusals.CODES)
def test_a_refusal_is_a_whole_answer_with_the_problem_document_of_its_code(code):
    head, _, body = refusals.answer(code).partition(b"\r\n\r\n")
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
