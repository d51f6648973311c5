"""One process with the settings of the command: does what a line of JSON asks, and answers with a line of JSON.

{"fill": 48}            stores so many originals
{"seconds": RUN}        how long the jobs of a run took
"""
# ruff: noqa: E402 - Django's models can be imported only when it is set up

import json
import sys
from uuid import UUID

import django

django.setup()

from django.db.models import Max, Min

from bench.pictures import TWELVE
from media_jobs.models import Job
from tests.factories import make_original


def fill(count: int) -> int:
    content = TWELVE.file().read_bytes()
    for _ in range(count):
        make_original(content)
    return count


def seconds(run: str) -> float:
    """From the first claim to the last end, on the database's clock."""
    times = Job.objects.filter(run=UUID(run)).aggregate(first=Min("started_at"), last=Max("finished_at"))
    return float((times["last"] - times["first"]).total_seconds())


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(fill(asked["fill"]) if "fill" in asked else seconds(asked["seconds"])), flush=True)


if __name__ == "__main__":
    main()
