"""One thing done to many pictures: the set is frozen, shown, confirmed, and done little by little."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from media_jobs.callers import SYSTEM
from media_jobs.library.filters import Filter
from media_jobs.models import BulkAction, Change, Job, JobEvent, MaintenanceTask, Original, ReprocessRun, RunItem
from media_jobs.services.bulk import driving, lifecycle
from media_jobs.services.housekeeping import running
from media_jobs.services.housekeeping.tasks import task_named
from media_jobs.services.images import deletion
from media_jobs.states import BulkKind
from tests.factories import make_failed_job, make_job, make_original

pytestmark = pytest.mark.django_db


def make(name: str, **fields: Any) -> Original:
    return make_original(name.encode(), filename=name, stored=False, **fields)


def choose(browser: Client, kind: str, *pictures: Original, query: str | None = None) -> BulkAction:
    """Choose in the library, and return what is to be confirmed."""
    chosen: dict[str, Any] = {"scope": "chosen", "picture": [picture.pk for picture in pictures]}
    if query is not None:
        chosen = {"scope": "all", "query": query}
    answer = browser.post(reverse("desk:bulk_choose"), {"kind": kind, **chosen})
    assert answer.status_code == 302
    return BulkAction.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])


def preview(browser: Client, action: BulkAction) -> str:
    return " ".join(browser.get(reverse("desk:bulk", args=[action.pk])).content.decode().split())


def confirm(browser: Client, action: BulkAction, **said: Any) -> BulkAction:
    answer = browser.post(reverse("desk:bulk_confirm", args=[action.pk]), said)
    assert answer.status_code == 302, re.findall(r'role="alert">(.*?)</', answer.content.decode())
    while BulkAction.objects.filter(pk=action.pk, state="running").exists():
        driving.drive_all("a worker")
    action.refresh_from_db()
    return action


def test_a_licence_is_set_for_all_that_match_and_for_nothing_else(boss: Client) -> None:
    for number in range(120):
        make(f"oak {number}.jpg")
    other = make("rose.jpg")
    action = choose(boss, "rights", query="q=oak")
    page = preview(boss, action)
    assert "Set rights of 120 pictures?" in page
    assert "and 108 more" in page
    done = confirm(boss, action, licence="https://example.org/by")
    assert (done.state, done.total, done.done, done.failed) == ("finished", 120, 120, 0)
    assert Original.objects.filter(licence="https://example.org/by").count() == 120
    other.refresh_from_db()
    assert other.licence == ""


def test_what_comes_after_the_preview_is_not_part_of_it(boss: Client) -> None:
    make("one.jpg")
    action = choose(boss, "delete", query="")
    later = make("two.jpg")
    assert confirm(boss, action).done == 1
    later.refresh_from_db()
    assert later.deleted_at is None


def test_the_buttons_say_what_they_do_and_keeping_changes_nothing(boss: Client) -> None:
    action = choose(boss, "delete", make("one.jpg"), make("two.jpg"))
    page = preview(boss, action)
    assert ">Delete 2 pictures</button>" in page
    assert ">Keep them</button>" in page
    boss.post(reverse("desk:bulk_confirm", args=[action.pk]), {"keep": "1"})
    assert not BulkAction.objects.exists()
    assert not Original.objects.exclude(deleted_at=None).exists()


def test_deleted_pictures_are_restored_together(boss: Client) -> None:
    pictures = [make_job(make(name), state="done").original for name in ("one.jpg", "two.jpg")]
    confirm(boss, choose(boss, "delete", *pictures))
    assert confirm(boss, choose(boss, "restore", query="deleted=1")).done == 2
    assert not Original.objects.exclude(deleted_at=None).exists()


def test_rights_of_one_are_copied_to_the_others(boss: Client) -> None:
    source = make("source.jpg", creator="Ada", licence="https://example.org/by")
    others = [make("one.jpg"), make("two.jpg", credit="Archive")]
    confirm(boss, choose(boss, "rights", source, *others), copy_from=str(source.pk))
    for other in others:
        other.refresh_from_db()
        assert (other.creator, other.licence) == ("Ada", "https://example.org/by")
    assert others[1].credit == "Archive"


def test_the_one_whose_rights_are_copied_goes_on_to_have_them_from_its_file(boss: Client) -> None:
    by_file = {"creator": "Ada", "rights_in_file": {"creator": "Ada"}}
    source, alike = make("source.jpg", **by_file), make("alike.jpg", **by_file)
    done = confirm(boss, choose(boss, "rights", source, alike), copy_from=str(source.pk), credit="Kew")
    assert (done.done, done.failed) == (2, 0)
    stated = dict(Original.objects.values_list("pk", "stated_rights"))
    assert stated == {source.pk: {"credit": "Kew"}, alike.pk: {"creator": "Ada", "credit": "Kew"}}
    lines = {change.object_id: change.after for change in Change.objects.filter(action="described")}
    assert lines[str(source.pk)] == {"credit": "Kew"}
    assert lines[str(alike.pk)] == {"credit": "Kew", "creator is stated": True}


def test_tags_are_added_to_those_that_are_there(boss: Client) -> None:
    picture = make("one.jpg")
    for tags in ("oak", "oak, gall"):
        action = confirm(boss, choose(boss, "tag", picture), tags=tags)
    assert sorted(picture.tags.values_list("name", flat=True)) == ["gall", "oak"]
    assert confirm(boss, choose(boss, "tag", picture), tags="oak").skipped == 1
    assert action.done == 1


def test_failed_ones_wait_again_behind_all_uploads_and_others_are_left_alone(boss: Client) -> None:
    failed, done = make_failed_job(original=make("failed.jpg")), make_job(make("done.jpg"), state="done")
    action = confirm(boss, choose(boss, "retry", failed.original, done.original))
    assert (action.done, action.skipped) == (1, 1)
    failed.refresh_from_db()
    assert (failed.state, failed.lane) == ("queued", "bulk")


def test_jobs_that_wait_are_cancelled(boss: Client) -> None:
    job = make_job(make("waits.jpg"))
    confirm(boss, choose(boss, "cancel", job.original))
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_making_anew_becomes_a_run_of_exactly_these(boss: Client) -> None:
    chosen = [make_job(make(name), state="done").original for name in ("one.jpg", "two.jpg")]
    make_job(make("three.jpg"), state="done")
    boss.post(reverse("desk:bulk_confirm", args=[choose(boss, "redo", *chosen).pk]), {"preset": "ingest"})
    run = ReprocessRun.objects.get()
    assert (run.state, run.preset.name) == ("running", "ingest")
    assert set(RunItem.objects.filter(run=run).values_list("original", flat=True)) == {one.pk for one in chosen}
    assert not BulkAction.objects.exists()


def test_one_that_fails_holds_up_none_and_says_why(boss: Client) -> None:
    good, gone = make("good.jpg"), make("gone.jpg")
    action = choose(boss, "rights", good, gone)
    deletion.delete(gone.pk, actor=SYSTEM)
    done = confirm(boss, action, creator="Ada")
    assert (done.done, done.failed) == (1, 1)
    page = preview(boss, done)
    assert "gone.jpg" in page
    assert "This image has been deleted." in page


def test_it_is_stopped_between_two_batches_and_what_is_done_stays(boss: Client, monkeypatch) -> None:
    for number in range(130):
        make(f"{number}.jpg")
    action = choose(boss, "rights", query="")
    monkeypatch.setattr(driving, "TURN_S", 0.0)
    boss.post(reverse("desk:bulk_confirm", args=[action.pk]), {"creator": "Ada"})
    driving.drive_all("a worker")
    monkeypatch.setattr(driving, "_BATCH", 30)
    monkeypatch.setattr(driving, "TURN_S", 1e-9)
    driving.drive_all("a worker")
    boss.post(reverse("desk:bulk_stop", args=[action.pk]))
    driving.drive_all("a worker")
    action.refresh_from_db()
    assert action.state == "stopped"
    assert Original.objects.filter(creator="Ada").count() == action.done < 130


def test_of_two_who_confirm_at_once_one_is_told(boss: Client) -> None:
    action = choose(boss, "delete", make("one.jpg"))
    confirm(boss, action)
    answer = boss.post(reverse("desk:bulk_confirm", args=[action.pk]))
    assert "confirmed before" in [str(message) for message in get_messages(answer.wsgi_request)][-1]


def test_nothing_chosen_says_so_and_leads_back(boss: Client) -> None:
    answer = boss.post(reverse("desk:bulk_choose"), {"kind": "delete", "scope": "chosen", "query": "q=oak"})
    assert answer["Location"] == f"{reverse('desk:library')}?q=oak"
    assert not BulkAction.objects.exists()


@pytest.mark.parametrize(("kind", "said"), [("rights", {}), ("tag", {}), ("rights", {"licence": "nonsense"})])
def test_what_is_missing_is_asked_for_before_anything_is_done(boss: Client, kind: str, said: dict[str, str]) -> None:
    action = choose(boss, kind, make("one.jpg"))
    answer = boss.post(reverse("desk:bulk_confirm", args=[action.pk]), said)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    action.refresh_from_db()
    assert action.state == "draft"


def test_every_history_names_the_person_who_asked() -> None:
    ada = User.objects.create_superuser("ada")
    browser = Client()
    browser.force_login(ada)
    failed = make_failed_job(original=make("one.jpg"))
    confirm(browser, choose(browser, "retry", failed.original))
    confirm(browser, choose(browser, "tag", failed.original), tags="oak")
    actor = f"staff:{ada.pk}"
    assert JobEvent.objects.get(job=failed, type="retried").actor == actor
    assert set(Change.objects.values_list("actor", flat=True)) == {actor}
    assert Change.objects.filter(kind="bulk action", action="confirmed").count() == 2


def test_two_workers_share_no_turn(boss: Client) -> None:
    make("one.jpg")
    action = lifecycle.draft(BulkKind.DELETE, owner=SYSTEM, wanted=Filter())
    BulkAction.objects.filter(pk=action.pk).update(state="running", worker="other", lease_until="2999-01-01T00:00Z")
    driving.drive_all("mine")
    action.refresh_from_db()
    assert (action.done, action.worker) == (0, "other")


def test_the_live_part_tells_how_far_it_is_and_ends_with_it(boss: Client) -> None:
    action = confirm(boss, choose(boss, "delete", make("one.jpg")))
    answer = boss.get(reverse("desk:bulk_live", args=[action.pk]))
    assert answer["X-Live"] == "over"
    assert "1 of 1" in answer.content.decode()


def test_forgotten_drafts_go(boss: Client) -> None:
    old = lifecycle.draft(BulkKind.DELETE, owner=SYSTEM, ids=[make("one.jpg").pk])
    BulkAction.objects.filter(pk=old.pk).update(created_at="2026-01-01T00:00Z")
    choose(boss, "delete", make("two.jpg"))
    assert not BulkAction.objects.filter(pk=old.pk).exists()
    assert Job.objects.count() == 0


KINDS = {
    "redo": "redo_original",
    "rights": "change_original",
    "tag": "change_original",
    "retry": "retry_job",
    "cancel": "cancel_job",
    "delete": "delete_original",
    "restore": "delete_original",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_crafted_post_needs_the_permission_of_its_kind_at_each_step(staff, kind: str) -> None:
    picture = make("one.jpg")
    others = {right for right in KINDS.values() if right != KINDS[kind]}
    browser = staff("view_original", *others)
    sent = {"kind": kind, "scope": "chosen", "picture": [picture.pk]}
    assert browser.post(reverse("desk:bulk_choose"), sent).status_code == 403
    draft = lifecycle.draft(BulkKind(kind), owner=SYSTEM, ids=[picture.pk])
    for name in ("bulk_confirm", "bulk_stop"):
        assert browser.post(reverse(f"desk:{name}", args=[draft.pk]), {"tags": "x", "creator": "x"}).status_code == 403
    assert f'<option value="{kind}"' not in browser.get(reverse("desk:library")).content.decode()


def test_a_month_after_its_end_a_bulk_action_is_forgotten_and_its_changes_are_not(boss: Client) -> None:
    action = confirm(boss, choose(boss, "tag", make("one.jpg"), make("two.jpg")), tags="oak")
    task = task_named("bulk")
    running.run_if_due(task, limit_s=10)
    assert BulkAction.objects.filter(pk=action.pk).exists()
    BulkAction.objects.filter(pk=action.pk).update(ended_at="2026-01-01T00:00Z")
    MaintenanceTask.objects.all().delete()
    running.run_if_due(task, limit_s=10)
    assert not BulkAction.objects.exists()
    assert Change.objects.filter(action="described").count() == 2
