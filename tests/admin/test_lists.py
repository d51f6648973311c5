"""What the lists show, and what they cost."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from media_jobs import selectors
from media_jobs.models import Job, Original
from tests.factories import make_derivative, make_failed_job, make_job, make_original

LISTS = ["original", "job", "derivative", "jobevent"]


def listed(browser: Client, model: str, **query: str) -> str:
    return browser.get(reverse(f"admin:media_jobs_{model}_changelist"), query).content.decode()


def make_pictures(count: int) -> None:
    for _ in range(count):
        job = make_job(state="done")
        for rendition, side_px in (("thumb", 200), ("small", 512)):
            make_derivative(job, rendition, state="current", width_px=side_px, height_px=side_px)


@pytest.mark.django_db
@pytest.mark.parametrize("model", LISTS)
def test_a_list_costs_as_many_queries_for_thirty_rows_as_for_three(boss: Client, model: str) -> None:
    make_pictures(3)
    listed(boss, model)  # fills the caches of content types and the like
    with CaptureQueriesContext(
        connection,
    ) as few:
        listed(boss, model)
    make_pictures(27)
    with CaptureQueriesContext(connection) as many:
        listed(boss, model)
    assert len(many) == len(few)
    assert len(few) <= 16


@pytest.mark.django_db
def test_the_list_shows_the_smallest_current_picture(boss: Client) -> None:
    job = make_job(make_original(filename="oak.jpg", stored=False), state="done")
    small = make_derivative(job, "small", content=b"small", state="current", width_px=512, height_px=400)
    thumb = make_derivative(job, "thumb", content=b"thumb", state="current")
    old = make_derivative(job, "thumb", content=b"old", width_px=90, height_px=90, state="replaced")
    page = listed(boss, "original")
    assert f'src="{selectors.derivative_url(thumb)}" alt="Thumbnail of oak.jpg"' in page
    assert selectors.derivative_url(small) not in page
    assert selectors.derivative_url(old) not in page


@pytest.mark.django_db
def test_a_picture_that_is_not_there_yet_is_a_placeholder_that_says_why(boss: Client) -> None:
    make_failed_job(original=make_original(filename="oak.jpg", stored=False))
    assert 'aria-label="No picture of oak.jpg: failed"' in listed(boss, "original")


@pytest.mark.django_db
def test_the_state_shown_and_filtered_is_that_of_the_newest_job(boss: Client) -> None:
    retried, broken, untouched = (make_original(filename=name, stored=False) for name in ("retried", "broken", "new"))
    make_failed_job(original=retried)
    make_job(retried, state="done")
    make_job(broken, state="done")
    make_failed_job(original=broken)
    found = {
        latest: [
            name for name in ("retried", "broken", "new") if f">{name}<" in listed(boss, "original", latest=latest)
        ]
        for latest in ("done", "failed", "none", "queued")
    }
    assert found == {"done": ["retried"], "failed": ["broken"], "none": ["new"], "queued": []}
    assert untouched.jobs.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("search", ["oak-ga", "{pk}", "{sha}", "key:7"])
def test_an_original_is_found_by_name_id_checksum_and_owner(boss: Client, search: str) -> None:
    wanted = make_original(b"one", filename="oak-gall.jpg", owner="key:7", stored=False)
    make_original(b"two", filename="rose.jpg", stored=False)
    page = listed(boss, "original", q=search.format(pk=wanted.pk, sha=wanted.sha256))
    assert "oak-gall.jpg" in page
    assert "rose.jpg" not in page


@pytest.mark.django_db
def test_failures_are_grouped_by_cause_the_commonest_first(boss: Client) -> None:
    for code in ("truncated", "worker_lost", "worker_lost"):
        make_failed_job(code=code)
    page = listed(boss, "job")
    assert 0 < page.index("worker_lost (2)") < page.index("truncated (1)")


@pytest.mark.django_db
def test_a_job_that_nobody_has_begun_shows_its_age_only(boss: Client) -> None:
    make_job(make_original(stored=False))
    page = listed(boss, "job")
    assert "just now" in page
    assert 'class="gi-quiet"></' not in page


@pytest.mark.django_db
def test_a_job_says_in_words_why_it_failed_and_at_which_attempt(boss: Client) -> None:
    make_failed_job(detail="The file breaks off <in> the middle.", attempt=2)
    page = listed(boss, "job")
    assert "The file breaks off &lt;in&gt; the middle." in page
    assert "2 of 3" in page


@pytest.mark.django_db
def test_the_list_of_originals_says_why_a_picture_failed_until_a_newer_job_is_done(boss: Client) -> None:
    original = make_original(stored=False)
    make_failed_job(original=original, code="truncated", detail="The file breaks off <in> the middle.")
    page = listed(boss, "original")
    assert "The file breaks off &lt;in&gt; the middle." in page
    assert "<code>truncated</code>" in page
    make_job(original, state="done")
    assert "The file breaks off" not in listed(boss, "original")


@pytest.mark.django_db
def test_a_hostile_file_name_stays_text(boss: Client) -> None:
    name = "<script>alert(1)</script>.jpg"
    job = make_failed_job(original=make_original(filename=name, stored=False, metadata={"x": name}))
    pages = [
        listed(boss, "original"),
        listed(boss, "job"),
        boss.get(reverse("admin:media_jobs_original_change", args=[job.original_id])).content.decode(),
        boss.get(reverse("admin:media_jobs_job_change", args=[job.pk])).content.decode(),
    ]
    assert [name in page for page in pages] == [False] * 4


@pytest.mark.django_db
def test_the_page_of_an_original_shows_its_pictures_facts_jobs_and_the_way_to_its_file(boss: Client) -> None:
    original = make_original(stored=False, metadata={"camera": {"model": "X100"}, "kept": ["Artist", "Credit"]})
    make_failed_job(original=original, detail="It was damaged.")
    thumb = make_derivative(make_job(original, state="done"), "thumb", state="current")
    page = boss.get(reverse("admin:media_jobs_original_change", args=[original.pk])).content.decode()
    for text in (
        selectors.derivative_url(thumb),
        "camera.model",
        "X100",
        "Artist, Credit",
        "It was damaged.",
        reverse("desk:picture_download", args=[original.pk]),
        "may contain position data",
    ):
        assert text in page


@pytest.mark.django_db
def test_the_overview_counts_and_links_to_what_it_counted(boss: Client) -> None:
    now = timezone.now()
    make_failed_job(original=make_original(filename="failed.jpg", stored=False), finished_at=now)
    make_job(make_original(filename="today.jpg", stored=False), state="done", finished_at=now)
    make_job(make_original(filename="older.jpg", stored=False), state="done", finished_at=now - timedelta(days=2))
    tiles = {tile["title"]: tile for tile in boss.get(reverse("admin:index")).context["tiles"]}
    assert {title: tile["count"] for title, tile in tiles.items()} == {
        "Queued": 0,
        "Processing": 0,
        "Failed": 1,
        "Done today": 1,
    }
    assert "failed.jpg" in boss.get(tiles["Failed"]["link"]).content.decode()
    done_today = boss.get(tiles["Done today"]["link"]).content.decode()
    assert "today.jpg" in done_today
    assert "older.jpg" not in done_today


@pytest.mark.django_db
def test_the_sidebar_counts_failures_and_stops_at_a_hundred(boss: Client) -> None:
    index = reverse("admin:index")
    assert "failed</span>" not in "".join(boss.get(index).content.decode().split())
    job = make_failed_job()
    assert "1 failed" in boss.get(index).content.decode()
    many = [make_original(str(number).encode(), stored=False) for number in range(100)]
    fields = {"preset_id": job.preset_id, "wanted": [], "owner": "", "state": "failed", "code": "truncated"}
    Job.objects.bulk_create(Job(original=original, **fields) for original in many)
    assert "99+ failed" in boss.get(index).content.decode()


@pytest.mark.django_db
def test_after_the_login_comes_the_overview(client: Client) -> None:
    User.objects.create_superuser("ada", password="a long enough one")
    answer = client.post(reverse("admin:login"), {"username": "ada", "password": "a long enough one"})
    assert answer["Location"] == reverse("admin:index")


@pytest.mark.django_db
def test_originals_without_a_job_can_be_listed(boss: Client) -> None:
    make_original(filename="alone.jpg", stored=False)
    assert Original.objects.count() == 1
    assert "alone.jpg" in listed(boss, "original")


@pytest.mark.django_db
def test_an_empty_list_says_what_is_so_and_leads_back(boss: Client) -> None:
    assert "There are no jobs yet" in listed(boss, "job")
    assert "Nothing matches “zebra”" in listed(boss, "job", q="zebra")
    page = listed(boss, "job", state__exact="failed")
    assert "Nothing is like that" in page
    assert "Show all jobs" in page
