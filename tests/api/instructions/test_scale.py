"""Each list and detail costs a fixed number of statements, however many there are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_jobs.models import Instruction
from tests import people
from tests.factories import make_derivative, make_detail, make_instruction, make_job, make_original

pytestmark = pytest.mark.django_db


def fill(owner: str, count: int) -> Instruction:
    """So many instructions with as many files each of them; the last one."""
    for _ in range(count):
        instruction = make_instruction(owner)
        for _ in range(count):
            job = make_job(make_original(owner=owner, stored=False), state="done")
            make_derivative(job, "thumb", content=str(job.pk).encode(), state="current")
            make_detail(instruction, job)
    return instruction


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/instructions", 2),
        ("/instructions?status=DONE&createdAfter=2020-01-01", 2),
        ("/instructions?page=1&pageSize=3", 2),
        ("/instructions/{id}", 1),
        ("/instructions/{id}/details", 4),
        ("/instructions/{id}/details/{detail}", 3),
        ("/instructions/{id}/details/{detail}/file", 4),
        ("/products", 1),
        ("/files", 2),
        ("/files?status=DONE&due=true", 3),
        ("/files?kind=uploads", 2),
    ],
)
def test_a_call_costs_as_many_statements_for_many_as_for_few(path: str, most: int) -> None:
    key, whole = people.api_key()
    caller, owner = people.program(whole), f"key:{key.prefix}"

    def cost(instruction: Instruction) -> int:
        detail = instruction.details.first()
        assert detail
        url = path.format(id=instruction.pk, detail=detail.pk)
        with CaptureQueriesContext(connection) as queries:
            answer = caller.get(url)
            content = b"".join(answer) if answer.streaming else answer.content
        assert (answer.status_code, bool(content)) == (200, True)
        return len(queries)

    first = fill(owner, 1)
    cost(first)  # notes that the key is in use
    few = cost(first)
    assert cost(fill(owner, 4)) == few <= most + 1  # and the key itself
