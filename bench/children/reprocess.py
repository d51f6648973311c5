"""One process with the settings of the command: does what a line of JSON asks, and answers with a line of JSON.

{"fill": 48}            stores so many originals
{"ended": RUN}          when each job of a run was done, in seconds
"""
# ruff: noqa: E402 - Django's models can be imported only when it is set up

from typing import Any
from uuid import UUID

import django

django.setup()

from bench.children.lines import answer_each
from bench.pictures import TWELVE
from media_jobs.models import Job
from tests.factories import make_original


def fill(count: int) -> int:
    content = TWELVE.file().read_bytes()
    for _ in range(count):
        make_original(content)
    return count


def ended(run: str) -> list[float]:
    """On the database's clock, in order."""
    jobs = Job.objects.filter(run=UUID(run), finished_at__isnull=False).order_by("finished_at")
    return [moment.timestamp() for moment in jobs.values_list("finished_at", flat=True) if moment]


def answer(question: dict[str, Any]) -> object:
    match question:
        case {"fill": count}:
            return fill(count)
        case {"ended": run}:
            return ended(run)
    raise ValueError(question)


if __name__ == "__main__":
    answer_each(answer)
