"""One process with one database of pictures: does what a line of JSON asks, and answers with a line of JSON.

{"fill": {"pictures": 1000, "failed": 20}}
{"measure": "library", "times": 20}         seconds of each: elapsed, and of processor time
"""
# ruff: noqa: E402 - Django's models can be imported only when it is set up

import time
from pathlib import Path

import django

from gallimg_site import admin_site

django.setup()
admin_site.load()

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from bench.children import scale_data
from bench.children.lines import answer_of_bed
from media_jobs.admin.library import chips
from media_jobs.library import rows
from media_jobs.library.filters import Filter
from media_jobs.models import Job, Original
from media_jobs.states import JobState

_SIDES_PX = {"full": 2048, "web": 1920, "medium": 1024, "small": 512, "thumb": 200}
_CODES = ("truncated", "storage_unavailable", "too_many_pixels", "worker_lost")


class Bed:
    """A filled database, and the address of each page."""

    def __init__(self, *, pictures: int, failed: int) -> None:
        self._client = Client(SERVER_NAME="localhost")
        self._client.force_login(User.objects.create_superuser("boss"))
        scale_data.fill(done=pictures, queued=0, derived_share=1, sides_px=_SIDES_PX)
        _name_and_fail(failed)
        library = reverse("desk:library")
        self._pages = {
            "home": reverse("admin:index"),
            "library": library,
            "library_list": f"{library}?view=list",
            "library_next": library + chips.address(Filter(), after=rows.page(Filter(), cursor="", size=48).following),
            "library_failed": library + chips.address(Filter(state="failed")),
            "library_no_credit": library + chips.address(Filter(no_credit=True)),
            "library_stale": library + chips.address(Filter(stale=True)),
            "library_search": library + chips.address(Filter(q="herbarium 77")),
            "library_name": library + chips.address(Filter(sort="name")),
            "inbox": reverse("desk:inbox"),
            "inbox_group": reverse("desk:inbox_group", args=["damaged"]),
            "home_chart": reverse("desk:home_chart"),
            "home_storage": reverse("desk:home_storage"),
            "home_stale": reverse("desk:home_stale"),
        }
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self._backend: int = cursor.fetchone()[0]
        newest = Original.objects.order_by("-id").first()
        if newest:
            self._pages["picture"] = reverse("admin:media_jobs_original_change", args=[newest.pk])

    def measure(self, name: str) -> tuple[float, float]:
        """Seconds elapsed, and those of processor time: of this process and of the one that the database has for it."""
        begun, worked = time.perf_counter(), time.process_time() + self._database_s()
        answer = self._client.get(self._pages[name])
        seconds = time.perf_counter() - begun, time.process_time() + self._database_s() - worked
        assert answer.status_code == 200, answer.content
        return seconds

    def _database_s(self) -> float:
        """Processor time so far, by Linux, to the nanosecond; where there is no /proc, 0."""
        times = Path(f"/proc/{self._backend}/schedstat")
        return int(times.read_text().split()[0]) / 1e9 if times.exists() else 0.0


def _name_and_fail(failed: int) -> None:
    """Names that differ, a credit for most, and failures of several kinds among the newest pictures."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE media_jobs_original o SET filename = 'herbarium ' || n || '.jpg', "
            "creator = CASE WHEN n % 10 = 0 THEN '' ELSE 'Ada Lovelace' END "
            "FROM (SELECT id, row_number() OVER (ORDER BY id) n FROM media_jobs_original) numbered "
            "WHERE numbered.id = o.id"
        )
    newest = list(Job.objects.order_by("-id").values_list("pk", flat=True)[:failed])
    for number, code in enumerate(_CODES):
        mine = Job.objects.filter(pk__in=newest[number :: len(_CODES)])
        mine.update(state=JobState.FAILED, code=code, detail="It was so.")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


if __name__ == "__main__":
    answer_of_bed(Bed)
