"""One process with the settings of the command: does what a line of JSON asks, and answers with a line of JSON.

{"fill": 48}            makes so many shadows, of one picture
{"since": SECONDS}      when each was compared since then
"""
# ruff: noqa: E402 - Django's models can be imported only when it is set up

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.conf import settings

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


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(fill(asked["fill"]) if "fill" in asked else compared(asked["since"])), flush=True)


if __name__ == "__main__":
    main()
