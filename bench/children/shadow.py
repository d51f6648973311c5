"""One process with the settings of the command: does what a line of JSON asks, and answers with a line of JSON.

{"fill": 48}            makes so many shadows, of one picture
{"since": SECONDS}      when each was compared since then
"""
# ruff: noqa: E402 - Django's models can be imported only when it is set up

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings

from bench.children.lines import answer_each
from bench.pictures import TWELVE
from media_jobs.models import Shadow
from tests.services.cutover.making import Site, make_shadow


def fill(count: int) -> int:
    site, photo = Site(Path(settings.LEGACY_FOLDER)), TWELVE.file().read_bytes()
    for number in range(count):
        make_shadow(site, f"gall/{number}/{number}_1_original.jpg", photo)
    return count


def compared(since: float) -> list[float]:
    found = Shadow.objects.filter(compared_at__gt=datetime.fromtimestamp(since, UTC)).order_by("compared_at")
    return [at.timestamp() for at in found.values_list("compared_at", flat=True) if at]


def answer(question: dict[str, Any]) -> object:
    match question:
        case {"fill": count}:
            return fill(count)
        case {"since": moment}:
            return compared(moment)
    raise ValueError(question)


if __name__ == "__main__":
    answer_each(answer)
