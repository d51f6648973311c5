"""However many jobs there have been, nobody reads through all of them to find the next, or one, or how many wait."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.test import Client

from bench.plans import whole_tables
from media_jobs.models import Job, Original
from media_jobs.models.base import uuid7
from media_jobs.services.jobs import dispatch
from media_jobs.services.jobs.claiming import claim_next
from media_jobs.states import JobState, Lane
from tests import working
from tests.factories import make_job, make_original
from tests.images import jpeg

pytestmark = pytest.mark.django_db


@pytest.fixture
def past(valkey: object) -> list[Job]:
    """Two thousand jobs, of which two hundred wait."""
    original, job = make_original(), make_job(state=JobState.DONE)
    originals = _copies(original, ({"key": f"originals/{n}.jpg", "sha256": f"{n:064}"} for n in range(2_000)))
    Original.objects.bulk_create(originals)
    states = [JobState.QUEUED if n % 10 == 0 else JobState.DONE for n in range(2_000)]
    rows = (
        {"original_id": o.pk, "state": s, "queue_position": n}
        for n, (o, s) in enumerate(zip(originals, states, strict=True))
    )
    jobs = Job.objects.bulk_create(_copies(job, rows))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            # So small a table may be read whole now and then; what is asked is whether an index could serve.
            cursor.execute("SET LOCAL enable_seqscan = off")
    return jobs


def _copies(row: models.Model, differing: Iterable[dict[str, Any]]) -> list[Any]:
    same = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return [type(row)(**{**same, "id": uuid7(), **fields}) for fields in differing]


def upload() -> None:
    answer = Client().post("/v1/images", {"file": SimpleUploadedFile("gall.jpg", jpeg(), "image/jpeg")})
    assert answer.status_code == 202, answer.content


def poll(job: Job) -> None:
    assert Client().get(f"/v1/jobs/{job.pk}").status_code == 200


def test_no_statement_on_a_jobs_way_reads_all_jobs(past: list[Job]):
    acts: dict[str, Callable[[], object]] = {
        "accept": upload,
        "dispatch": dispatch.top_up,
        "claim": lambda: claim_next(Lane.INTERACTIVE, working.named("worker")),
        "poll what is done": lambda: poll(past[1]),
        "poll what waits": lambda: poll(past[-10]),
    }
    plans = {name: whole_tables(act) for name, act in acts.items()}
    assert all(plans.values())
    assert {name: found for name, seen in plans.items() if (found := _of_all_jobs(seen))} == {}
    assert _of_all_jobs(whole_tables(lambda: list(Job.objects.filter(detail="damaged"))))


def _of_all_jobs(plans: dict[str, set[str]]) -> list[str]:
    return [sql for sql, tables in plans.items() if "media_jobs_job" in tables]
