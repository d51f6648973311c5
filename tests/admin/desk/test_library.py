"""The library: filters as chips, search, orders, and pages that begin where the last one ended."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from media_jobs.callers import SYSTEM
from media_jobs.library import rows
from media_jobs.library.filters import Filter, Shown, Sort
from media_jobs.models import EngineVersion, Job, Original, Tag
from media_jobs.services.images import deletion
from tests.factories import make_derivative, make_failed_job, make_job, make_original

pytestmark = pytest.mark.django_db
LIBRARY = reverse("desk:library")
AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def make(name: str, **fields: Any) -> Original:
    return make_original(name.encode(), filename=name, stored=False, **fields)


def names(browser: Client, **query: str) -> list[str]:
    page = browser.get(LIBRARY, query).content.decode()
    return re.findall(r'<a class="gi-cell-name"[^>]*>([^<]+)</a>', page)


def found(**said: Any) -> set[str]:
    """The names of those that a filter finds, which are as many as it counts."""
    matching = [picture.filename for picture in rows.matching(Filter(**said))]
    assert rows.count(Filter(**said), at_most=100) == len(matching)
    return set(matching)


def test_each_filter_finds_what_it_says_and_nothing_else() -> None:
    make_job(make("done.jpg", owner="key:a", creator="Ada", licence="https://cc.org/by/4.0"), state="done")
    make_failed_job(original=make("failed.png", format="png", size_bytes=5_000_000))
    make_job(make("waiting.jpg", metadata={"cameraModel": "X100V"}), preset="ingest")
    Tag.objects.create(original=make("tagged.jpg", digital_source_type=AI), name="oak")
    deletion.delete(make("gone.jpg").pk, actor=SYSTEM)
    assert found(state="failed") == {"failed.png"}
    assert found(state="waiting") == {"waiting.jpg"}
    assert found(state="done") == {"done.jpg"}
    assert found(state="none") == {"tagged.jpg"}
    assert found(preset="ingest") == {"waiting.jpg"}
    assert found(owner="key:a") == {"done.jpg"}
    assert found(format="png") == {"failed.png"}
    assert found(size="1m-10m") == {"failed.png"}
    assert found(camera="x100") == {"waiting.jpg"}
    assert found(licence="by/4") == {"done.jpg"}
    assert found(tag="oak") == found(ai=True) == {"tagged.jpg"}
    assert found(no_credit=True) == found(no_licence=True) == {"failed.png", "waiting.jpg", "tagged.jpg"}
    assert found(deleted=True) == {"gone.jpg"}
    assert found(state="failed", format="jpeg") == set()
    assert len(found()) == 4


def test_a_picture_whose_newest_job_is_done_has_not_failed() -> None:
    make_job(make_failed_job(original=make("again.jpg")).original, state="done")
    assert (found(state="failed"), found(state="done")) == (set(), {"again.jpg"})


def test_days_are_those_of_the_services_zone_and_both_ends_belong() -> None:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    for name, at in (("now", today), ("before", today - timedelta(seconds=1)), ("old", today - timedelta(days=9))):
        Original.objects.filter(pk=make(name).pk).update(created_at=at)
    day = today.date()
    assert found(period="today") == {"now"}
    assert found(period="yesterday") == {"before"}
    assert found(day_from=str(day - timedelta(days=9)), day_to=str(day - timedelta(days=1))) == {"before", "old"}


def test_stale_is_what_a_run_would_make_anew() -> None:
    EngineVersion.objects.create(name="new")
    for name, engine in (("fresh.jpg", "new"), ("stale.jpg", "old")):
        make_derivative(
            make_job(make(name), state="done"), "thumb", state="current", engine=engine, content=name.encode()
        )
    assert found(stale=True) == {"stale.jpg"}


@pytest.mark.parametrize("term", ["oak gall", "OAK", "{pk}", "{sha}", "hedge", "Ada"])
def test_search_finds_names_tags_creators_ids_and_checksums(boss: Client, term: str) -> None:
    wanted = make("oak-gall.jpg", creator="Ada Lovelace")
    make("rose.jpg")
    Tag.objects.create(original=wanted, name="hedge")
    assert names(boss, q=term.format(pk=wanted.pk, sha=wanted.sha256[:20])) == ["oak-gall.jpg"]


def test_an_empty_page_says_what_was_looked_for_and_leads_back(boss: Client) -> None:
    assert "There are no pictures yet" in boss.get(LIBRARY).content.decode()
    page = boss.get(LIBRARY, {"q": "zebra"}).content.decode()
    assert "No picture matches “zebra”" in page
    assert f'href="{LIBRARY}">Show all pictures' in page


def test_a_filter_survives_its_address_and_what_it_cannot_mean_is_left_out() -> None:
    wanted = Filter(q="a b&c", state=Shown.FAILED, day_from="2026-02-28", ai=True, sort=Sort.NAME)
    assert Filter.from_query(wanted.to_query()) == wanted
    wild = {"state": "x", "sort": "'; --", "day_from": "2026-02-30", "size": "huge", "format": "exe", "period": "ever"}
    assert Filter.from_query(wild) == Filter()
    assert Filter().to_query() == {}


def test_a_chip_removes_its_filter_and_keeps_the_others(boss: Client) -> None:
    page = boss.get(LIBRARY, {"state": "failed", "q": "oak", "no_credit": "1"}).content.decode()
    links = re.findall(r'gi-chip-on" href="\?([^"]*)"', page)
    kept = [dict(parse_qsl(link.replace("&amp;", "&"))) for link in links]
    assert {"q": "oak", "no_credit": "1"} in kept
    assert {"state": "failed", "q": "oak"} in kept
    assert len(kept) == 3


def test_chips_count_what_they_find(boss: Client) -> None:
    make_failed_job(original=make("failed.jpg"))
    page = " ".join(boss.get(LIBRARY).content.decode().split())
    assert 'Failed <span class="gi-quiet">1</span>' in page
    assert 'Waiting or in work <span class="gi-quiet">0</span>' in page


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_follow_each_other_without_gap_or_repeat_whatever_comes_meanwhile(sort: Sort) -> None:
    for number in range(7):
        make(f"{number % 3}.jpg", size_bytes=1 + number % 2)
    wanted, seen, cursor = Filter(sort=sort), [], ""
    expected = {picture.pk for picture in rows.matching(wanted)}
    while True:
        page = rows.page(wanted, cursor=cursor, size=2)
        seen += [picture.pk for picture in page.pictures]
        if len(seen) == 2:
            make("0 between.jpg", size_bytes=3)
        if not page.following:
            break
        cursor = page.following
    assert len(seen) == len(set(seen))
    assert expected <= set(seen)


def test_orders_are_what_they_are_called() -> None:
    for name, size in (("b.jpg", 3), ("a.jpg", 1), ("c.jpg", 2)):
        make(name, size_bytes=size)
    orders = {
        sort: "".join(picture.filename[0] for picture in rows.page(Filter(sort=sort), cursor="", size=9).pictures)
        for sort in Sort
    }
    assert orders == {Sort.NEWEST: "cab", Sort.OLDEST: "bac", Sort.NAME: "abc", Sort.LARGEST: "bca"}


@pytest.mark.parametrize("cursor", ["x", "AAAA", "bnVsbA", "WzEsMl0", "%00", "é"])
def test_a_cursor_that_says_nothing_begins_at_the_first(boss: Client, cursor: str) -> None:
    make("one.jpg")
    assert names(boss, after=cursor) == ["one.jpg"]


def test_a_cursor_of_another_order_is_no_error() -> None:
    for name in ("a.jpg", "b.jpg"):
        make(name)
    cursors = [rows.page(Filter(sort=sort), cursor="", size=1).following for sort in Sort]
    for sort in Sort:
        for cursor in cursors:
            assert len(rows.page(Filter(sort=sort), cursor=cursor, size=2).pictures) <= 2
    assert {p.filename for p in rows.matching(Filter.from_query({"q": "a\0.jpg"}))} == {"a.jpg"}


def test_a_page_costs_as_many_queries_for_sixty_pictures_as_for_three(boss: Client) -> None:
    def cost(view: str) -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            boss.get(LIBRARY, {"view": view})
        return [query["sql"] for query in asked]

    def add(count: int) -> None:
        for _ in range(count):
            make_derivative(make_job(make(f"{Original.objects.count()}.jpg"), state="done"), state="current")

    add(3)
    cost("")
    few = cost("")
    add(20)
    assert len(cost("")) == len(cost("list")) == len(few)
    assert [sql for sql in few if "COUNT(" in sql and "LIMIT" not in sql] == []


def test_the_list_shows_what_the_grid_has_no_room_for(boss: Client) -> None:
    make_failed_job(original=make("oak.jpg", owner="key:7"), detail="It <broke> off.")
    page = boss.get(LIBRARY, {"view": "list"}).content.decode()
    assert "It &lt;broke&gt; off." in page
    assert "key:7" in page


def test_a_picture_by_ai_has_its_badge(boss: Client) -> None:
    make("drawn.jpg", digital_source_type=AI)
    assert '<span class="gi-badge">AI</span>' in boss.get(LIBRARY).content.decode()


def test_tiles_are_asked_for_again_while_their_pictures_wait(boss: Client) -> None:
    job, other = make_job(make("waits.jpg")), make("other.jpg")
    page = boss.get(LIBRARY).content.decode()
    assert page.count("data-gi-open") == 1
    url, asked = reverse("desk:library_live"), {"picture": [str(job.original_id), "no id"]}
    first = boss.get(url, asked)
    assert "waits.jpg" in first.content.decode()
    assert other.filename not in first.content.decode()
    assert first["X-Live"] == "goes-on"
    assert boss.get(url, asked, headers={"if-none-match": first["ETag"]}).status_code == 304
    Job.objects.update(state="done")
    then = boss.get(url, {**asked, "view": "list"}, headers={"if-none-match": first["ETag"]})
    assert (then.status_code, then["X-Live"]) == (200, "over")
    assert "<table" in then.content.decode()


def test_the_address_of_a_filter_is_a_query_of_django() -> None:
    assert Filter.from_query(QueryDict("q=oak&ai=1&stale=")) == Filter(q="oak", ai=True)
