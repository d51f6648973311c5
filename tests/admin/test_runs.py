"""Reprocess runs in the admin: described by a form, moved by buttons, followed on a page."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from media_jobs.admin.runs.choice_text import choice_text
from media_jobs.models import ReprocessRun
from media_jobs.services.runs.selection import Selection
from media_jobs.states import RunState, Staleness
from tests.admin.conftest import Login
from tests.factories import make_job, make_original
from tests.services.runs.working import confirmed, drive, make_run

pytestmark = pytest.mark.django_db
ADD = reverse("admin:media_jobs_reprocessrun_add")
LIST = reverse("admin:media_jobs_reprocessrun_changelist")
ITEMS = reverse("admin:media_jobs_runitem_changelist")
FORM: dict[str, Any] = {
    "preset_name": "gallformers",
    "failure_limit": 20,
    "renditions": "thumb, small",
    "missing": "on",
}


@pytest.fixture
def curator(staff: Login) -> Client:
    return staff("view_reprocessrun", "manage_reprocessrun", "view_runitem", "view_job", "view_original")


def page_of(run: ReprocessRun, name: str = "change") -> str:
    return reverse(f"admin:media_jobs_reprocessrun_{name}", args=[run.pk])


def press(browser: Client, run: ReprocessRun, name: str) -> Any:
    return browser.post(page_of(run, name), {"_form_submitted": "on"})


def said(answer: Any) -> str:
    return "; ".join(str(message) for message in get_messages(answer.wsgi_request))


def state_of(run: ReprocessRun) -> str:
    return ReprocessRun.objects.get(pk=run.pk).state


def test_a_run_is_described_and_shows_what_it_would_cost(curator):
    make_job(make_original(stored=False), state="failed", code="undecodable")
    answer = curator.post(ADD, FORM)
    run = ReprocessRun.objects.get()
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"] == page_of(run)
    assert (run.state, run.wanted, run.selection) == (RunState.DRAFT, ["small", "thumb"], {"missing": True})
    page = curator.get(page_of(run)).content.decode()
    assert "Estimate" in page
    assert page_of(run, "confirm") in page


def test_what_is_wrong_in_the_form_is_said_in_a_sentence(curator):
    page = curator.post(ADD, {**FORM, "ids": "x\n\ny", "quiet_hours": "night"}).content.decode()
    assert "look like 08:00-18:00" in page
    assert "Line 3 begins with" in page
    page = curator.post(ADD, {**FORM, "renditions": "huge", "note": "all oaks"}).content.decode()
    assert "has no rendition huge" in page
    assert 'value="all oaks"' in page or ">all oaks" in page  # all else that was filled in is still there
    assert not ReprocessRun.objects.exists()


def test_buttons_lead_from_state_to_state(curator):
    make_job(make_original(stored=False), state="done")
    run = make_run()
    for name, state in (
        ("confirm", RunState.RUNNING),
        ("pause", RunState.PAUSED),
        ("resume", RunState.RUNNING),
        ("stop", RunState.CANCELLED),
        ("accept", RunState.ACCEPTED),
    ):
        assert press(curator, run, name).status_code == 302, name
        assert state_of(run) == state, name
    assert "that does not lead to" in said(press(curator, run, "roll_back")) or state_of(run) == RunState.ACCEPTED


def test_the_page_shows_how_far_it_is_and_what_failed(curator):
    failed = make_original(stored=False)
    make_job(failed, state="done")
    run = confirmed()
    run.items.update(state="failed", code="undecodable")
    drive(run)
    page = curator.get(page_of(run)).content.decode()
    assert "1 of 1" in page
    assert "<code>undecodable</code>" in page
    assert str(failed.pk) in page
    listed = curator.get(f"{ITEMS}?run__id__exact={run.pk}&state__exact=failed").content.decode()
    assert "undecodable" in listed
    assert str(run) in curator.get(LIST).content.decode()


def test_who_may_only_look_moves_nothing(staff):
    run = make_run()
    onlooker = staff("view_reprocessrun")
    assert page_of(run, "confirm") not in onlooker.get(page_of(run)).content.decode()
    assert press(onlooker, run, "confirm").status_code == 403
    assert onlooker.get(ADD).status_code == 403
    assert state_of(run) == RunState.DRAFT


def test_a_run_is_filled_in_by_the_address_that_leads_to_it(curator: Client) -> None:
    page = curator.get(ADD, {"stale": "rights"}).content.decode()
    boxes = re.findall(r'<input[^>]*name="stale"[^>]*>', page)
    assert [
        re.findall(r'value="(\w+)"', box)[0] for box in boxes if "checked" in re.sub(r'class="[^"]*"', "", box)
    ] == ["rights"]


def test_the_bar_of_a_run_is_live_until_it_does_not_move_by_itself(curator: Client) -> None:
    run = make_run()
    url = reverse("desk:run_live", args=[run.pk])
    ReprocessRun.objects.filter(pk=run.pk).update(state="running")
    assert curator.get(url)["X-Live"] == "goes-on"
    assert url in curator.get(reverse("admin:media_jobs_reprocessrun_change", args=[run.pk])).content.decode()
    ReprocessRun.objects.filter(pk=run.pk).update(state="finished")
    assert curator.get(url)["X-Live"] == "over"


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(), "all"),
        (Selection(stale=tuple(Staleness)), "with stale web versions"),
        (Selection(stale=(Staleness.RIGHTS,)), "with stale web versions: its rights were changed since"),
        (Selection(tags=("oak", "gall"), missing=True), "of which a size is missing; tagged oak and gall"),
        (Selection(after=datetime(2026, 3, 1, 8, tzinfo=UTC)), "uploaded since 1 March 2026, 08:00 UTC"),
        (
            Selection(prefix="originals/0", listed=True),
            "those that were chosen one by one; whose key begins with originals/0",
        ),
    ],
)
def test_the_choice_of_a_run_is_said_in_words(selection: Selection, said: str) -> None:
    assert choice_text(ReprocessRun(selection=selection.to_json())) == said


def test_a_run_names_who_began_it_and_keeps_ids_under_technical(curator: Client) -> None:
    run = make_run()
    page = curator.get(reverse("admin:media_jobs_reprocessrun_change", args=[run.pk])).content.decode()
    technical = page.rindex("Technical")  # behind the menu, which has a group of that name
    assert page.rindex(str(run.pk)) > technical
    assert "Begun by" in page[:technical]
