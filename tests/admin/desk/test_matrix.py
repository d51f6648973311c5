"""Each page and each action of the desk, asked for by each group."""

import pytest
from django.urls import reverse

from media_jobs.callers import SYSTEM
from media_jobs.models import Job, Preset
from media_jobs.services.runs import lifecycle
from tests.admin.desk.matrix import GROUPS, ROWS, Row, Things, browser_of
from tests.admin.desk.shadows import make_shadow
from tests.admin.desk.test_preset_pages import table
from tests.factories import make_derivative, make_failed_job, make_job

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


@pytest.fixture
def things() -> Things:
    done = make_job(state="done")
    make_derivative(done, "thumb", state="current")
    return Things(
        picture=done.original,
        failed=make_failed_job(),
        waiting=make_job(),
        preset=Preset.objects.get(name="ingest", current=True),
        run=lifecycle.create(owner=SYSTEM, preset="ingest"),
        shadow=make_shadow(kept=False),
    )


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_each_group_may_what_the_matrix_says_and_no_more(row: Row, things: Things) -> None:
    answers = {group: row.ask(browser_of(group), things) for group in GROUPS[: row.least]}
    assert answers == dict.fromkeys(answers, 403)
    for group in GROUPS[row.least : row.least + 1]:  # after it the thing may be in another state
        assert row.ask(browser_of(group), things) in (200, 302)


def test_a_crafted_post_of_an_action_that_is_not_offered_changes_nothing(things: Things) -> None:
    viewer = browser_of("Viewer")
    for action in ("retry", "cancel", "delete_selected"):
        chosen = {"action": action, "_selected_action": [things.failed.pk, things.waiting.pk], "sure": "yes"}
        viewer.post(reverse("admin:media_jobs_job_changelist"), {**chosen, "select_across": 1})
    assert sorted(Job.objects.values_list("state", flat=True)) == ["done", "failed", "queued"]


def test_a_viewer_saves_no_preset_and_makes_no_preview(things: Things) -> None:
    sent = table(size_0__quality=11)
    viewer, url = browser_of("Viewer"), reverse("desk:preset", args=["ingest"])
    for do in ("save", "preview"):
        assert viewer.post(url, {**sent, "do": do, "picture": str(things.picture.pk)}).status_code == 403


def test_a_denied_page_is_one_of_ours_with_a_way_back(things: Things) -> None:
    answer = browser_of("Viewer").get(reverse("admin:auth_user_changelist"), headers={"accept": "text/html"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "You may not see or do this" in page
    assert f'href="{reverse("admin:index")}"' in page


def test_every_group_finds_in_the_menu_what_it_may_open_and_nothing_else(things: Things) -> None:
    for number, group in enumerate(GROUPS):
        browser = browser_of(group)
        page = browser.get(reverse("admin:index")).content.decode()
        menu = [row for row in ROWS if row.name in ("library", "jobs", "presets", "changes", "API keys", "people")]
        for row in menu:
            assert (f'href="{row.url(things)}"' in page) == (number >= row.least), (group, row.name)
