"""Lists stay quick, and say so, where there is more than anybody counts."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from media_jobs.admin import queries
from media_jobs.library import search
from media_jobs.models import Job
from tests.admin.test_lists import LISTS, listed
from tests.factories import make_derivative, make_failed_job, make_job, make_original

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def counts_to_100(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a hundred rows count as ten thousand would: 2 pages."""
    monkeypatch.setattr(queries, "LIST_MOST", 100)


def make_many(count: int, **fields: object) -> None:
    one = make_job()
    given = {"original_id": one.original_id, "preset_id": one.preset_id, "wanted": [], "owner": ""}
    Job.objects.bulk_create(Job(**{**given, **fields}) for _ in range(count - 1))


@pytest.mark.usefixtures("counts_to_100")
def test_a_list_counts_no_further_than_it_must_and_says_so(boss: Client) -> None:
    make_many(101)
    assert "100+ jobs" in " ".join(listed(boss, "job").split())
    Job.objects.latest("id").delete()
    assert "100 jobs" in " ".join(listed(boss, "job").split())


@pytest.mark.usefixtures("counts_to_100")
def test_one_may_go_on_to_the_last_page_all_the_same(boss: Client) -> None:
    make_many(830)
    opened = [0, 1]
    while opened[-1] > opened[-2]:
        page = listed(boss, "job", p=str(opened[-1]))
        opened.append(max(opened[-1], *(int(number) for number in re.findall(r"[?;]p=(\d+)", page))))
    assert opened[-1] == 17
    assert len(opened) < 8
    assert str(Job.objects.earliest("id").pk) in listed(boss, "job", p="17")


@pytest.mark.usefixtures("counts_to_100")
def test_what_is_offered_to_be_chosen_does_not_pretend_to_know_how_many(boss: Client) -> None:
    make_many(150, state="failed", code="truncated")
    text = " ".join(listed(boss, "job").split())
    assert "Select all 100+ jobs" in text
    boss.post(
        reverse("admin:media_jobs_job_changelist"),
        {"action": "retry", "_selected_action": [Job.objects.latest("id").pk], "select_across": 1},
    )
    assert not Job.objects.filter(state="failed").exists()


@pytest.mark.usefixtures("counts_to_100")
def test_the_tiles_and_the_causes_say_at_least(boss: Client) -> None:
    make_many(140, state="failed", code="truncated")
    tiles = {tile["title"]: str(tile["count"]) for tile in boss.get(reverse("admin:index")).context["tiles"]}
    assert tiles["Failed"] == "100+"
    assert "<strong>100+</strong>" in boss.get(reverse("admin:index")).content.decode()
    assert "truncated (100+)" in listed(boss, "job")


def test_the_list_of_failures_offers_each_cause_with_how_many_it_has(boss: Client) -> None:
    for code in ("truncated", "worker_lost", "worker_lost"):
        make_failed_job(code=code)
    causes = boss.get(reverse("admin:media_jobs_job_changelist"), {"state__exact": "failed"}).context["causes"]
    assert [(cause["code"], cause["times"]) for cause in causes] == [("worker_lost", 2), ("truncated", 1)]
    of_one = boss.get(reverse("admin:media_jobs_job_changelist") + causes[0]["link"])
    assert of_one.context["cl"].result_count == 2
    back = next(cause["link"] for cause in of_one.context["causes"] if cause["chosen"])
    assert boss.get(reverse("admin:media_jobs_job_changelist") + back).context["cl"].result_count == 3


def test_a_cause_stays_chosen_after_its_last_job_was_retried(boss: Client) -> None:
    make_failed_job(code="worker_lost")
    assert "truncated (0)" in listed(boss, "job", code="truncated")


def test_all_failures_of_one_cause_are_retried_in_one_go(boss: Client) -> None:
    make_many(1_001, state="failed", code="worker_lost")
    url = reverse("admin:media_jobs_job_changelist") + "?code=worker_lost&state__exact=failed"
    chosen = {"action": "retry", "_selected_action": [Job.objects.latest("id").pk], "select_across": 1}
    assert "1,000 queued again." in boss.post(url, chosen, follow=True).content.decode()
    assert not Job.objects.filter(state="failed").exists()


def counting(browser: Client, model: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries_made:
        listed(browser, model)
    return [query["sql"] for query in queries_made if "COUNT(" in query["sql"]]


@pytest.mark.parametrize("model", LISTS)
def test_no_list_counts_a_whole_table(boss: Client, model: str) -> None:
    make_derivative(make_job())
    counted = counting(boss, model)
    assert counted
    assert [sql for sql in counted if "LIMIT" not in sql] == []


@pytest.mark.parametrize("part", [slice(None), slice(13), slice(14), slice(25)])
def test_a_job_is_found_by_its_id_or_that_of_its_original_or_the_beginning_of_it(boss: Client, part: slice) -> None:
    wanted = make_job(make_original(b"1", filename="wanted.jpg", stored=False))
    for number in (wanted.pk, wanted.original_id):
        assert "wanted.jpg" in listed(boss, "job", q=f"  {str(number)[part].upper()} ")


def test_an_id_finds_nothing_else(boss: Client) -> None:
    wanted, other = make_job(make_original(b"1", filename="a.jpg", stored=False)), make_job()
    page = listed(boss, "job", q=str(wanted.pk))
    assert str(wanted.pk) in page
    assert str(other.pk) not in page


@pytest.mark.parametrize("name", ["20240101-1234-5", "1699999999999999", "0123456789abcdef0123456789abcdef"])
def test_a_file_whose_name_looks_like_a_number_of_ours_is_found(boss: Client, name: str) -> None:
    make_job(make_original(b"1", filename=f"{name}.jpg", stored=False))
    assert f"{name}.jpg" in listed(boss, "job", q=name)
    assert f"{name}.jpg" in listed(boss, "original", q=name)


@pytest.mark.parametrize("model", LISTS)
@pytest.mark.parametrize("term", ["", "  "])
def test_who_searches_for_nothing_sees_everything(
    boss: Client, monkeypatch: pytest.MonkeyPatch, model: str, term: str
) -> None:
    monkeypatch.setattr(search, "FEW", 2)
    for number in range(4):
        make_derivative(make_failed_job(), content=str(number).encode())
    cl = boss.get(reverse(f"admin:media_jobs_{model}_changelist"), {"q": term}).context["cl"]
    assert cl.result_count == 4


@pytest.mark.parametrize("few", [2, 2_000])
def test_a_search_that_finds_much_finds_all_of_it(boss: Client, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(search, "FEW", few)
    for number in range(5):
        make_job(make_original(str(number).encode(), filename=f"oak {number} gall.jpg", stored=False))
    make_job(make_original(b"x", filename="oak.jpg", stored=False))
    page = " ".join(listed(boss, "job", q="oak gall").split())
    assert "5 jobs" in page
