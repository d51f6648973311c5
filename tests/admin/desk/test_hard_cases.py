"""What a curator does not do every day, and what somebody does who has no business to."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from media_jobs.callers import SYSTEM
from media_jobs.models import Change, Original, Preset, Tag
from media_jobs.services.images import deletion
from media_jobs.states import OriginalState
from tests.admin.conftest import Login
from tests.admin.desk.test_bulk import choose, confirm, preview
from tests.admin.desk.test_picture_actions import done, press, save
from tests.factories import make_failed_job, make_original
from tests.services.webhooks.helpers import make_webhook

pytestmark = pytest.mark.django_db
ORIGINALS = reverse("admin:media_jobs_original_changelist")


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        ("original", "private_metadata__icontains"),
        ("original", "private_metadata__gps__latitude__gt"),
        ("job", "original__private_metadata__icontains"),
        ("webhookendpoint", "secret__startswith"),
        ("apikey", "hash__startswith"),
    ],
)
def test_nobody_guesses_what_is_private_by_what_a_list_finds(boss: Client, model: str, lookup: str) -> None:
    make_original(stored=False)
    make_webhook("key:a")
    assert boss.get(reverse(f"admin:media_jobs_{model}_changelist"), {lookup: "5"}).status_code == 400


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("media_jobs_job", {"state__exact": "\0"}),
        ("media_jobs_derivative", {"q": "\0"}),
        ("media_jobs_apikey", {"owner\0": "ada"}),
        ("media_jobs_original", {"created_at__year": "12345678901"}),
        ("auth_user", {"date_joined__year": "123456"}),
    ],
)
def test_what_no_database_can_compare_shows_the_whole_list(boss: Client, model: str, asked: dict[str, str]) -> None:
    answer = boss.get(reverse(f"admin:{model}_changelist"), asked, follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain[0][0].endswith("?e=1")


def test_lists_are_filtered_by_all_else(boss: Client) -> None:
    assert boss.get(ORIGINALS, {"state__exact": "active"}).status_code == 200


def test_who_confirms_a_bulk_action_has_done_it(staff: Login) -> None:
    rights = ("view_original", "delete_original")
    ada, bob = staff(*rights), staff(*rights)
    action = choose(ada, "delete", make_original(stored=False))
    confirm(bob, action)
    assert action.owner == f"staff:{bob.session['_auth_user_id']}"
    assert Change.objects.get(action="deleted").actor == action.owner


def test_control_characters_are_stored_by_no_form(boss: Client) -> None:
    pictures = [done(), done()]
    confirm(boss, choose(boss, "rights", *pictures), creator="Ada\x07 \u202eBob", credit="Kew\x01")
    assert set(Original.objects.values_list("creator", "credit")) == {("Ada Bob", "Kew")}


def test_what_is_saved_is_said_to_be_even_where_no_web_version_can_be_made(boss: Client) -> None:
    picture = done()
    Preset.objects.update(current=False)
    assert save(boss, picture, creator="Ada", redo="1") == ""
    said = boss.get(reverse("admin:media_jobs_original_change", args=[picture.pk])).content.decode()
    assert "Saved." in said
    assert "are not made anew" in said


def test_enter_in_a_field_of_the_inbox_presses_no_button(boss: Client) -> None:
    make_failed_job()
    page = boss.get(reverse("desk:inbox")).content.decode()
    forms = [form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if 'name="do"' in form]
    assert forms
    assert [form for form in forms if re.search(r'<input(?! type="hidden")', form)] == []


def test_nothing_chosen_is_nothing_done(boss: Client) -> None:
    make_failed_job(code="truncated")
    sent = {"do": "give_up", "group": "damaged", "reason": "because"}
    assert "Choose some first." in boss.post(reverse("desk:inbox_act"), sent, follow=True).content.decode()


def test_fifty_long_tags_are_no_obstacle_and_one_too_many_is_told(boss: Client) -> None:
    picture = done()
    Tag.objects.bulk_create(Tag(original=picture, name=f"{n:02} {'x' * 40}") for n in range(50))
    assert save(boss, picture, credit="Kew") == ""
    action = choose(boss, "tag", picture)
    answer = boss.post(reverse("desk:bulk_confirm", args=[action.pk]), {"tags": ",".join(map(str, range(51)))})
    assert "At most 50 tags" in answer.content.decode()


def test_whose_rights_are_copied_stays_chosen_after_a_mistake(boss: Client) -> None:
    pictures = [done(creator="Ada"), done()]
    action = choose(boss, "rights", *pictures)
    assert 'name="copy_from" value="" checked' in preview(boss, action)
    sent = {"copy_from": str(pictures[0].pk), "licence": "no address"}
    page = boss.post(reverse("desk:bulk_confirm", args=[action.pk]), sent).content.decode()
    assert f'value="{pictures[0].pk}" checked' in page


def test_a_retry_of_what_was_deleted_meanwhile_is_not_counted(boss: Client) -> None:
    job = make_failed_job()
    action = choose(boss, "retry", job.original)
    deletion.delete(job.original_id, actor=SYSTEM)
    assert confirm(boss, action).done == 0


def test_no_preset_is_called_as_the_page_of_new_ones(boss: Client) -> None:
    sent: dict[str, Any] = {"name": "new", "base": "0", "size-TOTAL_FORMS": "0", "size-INITIAL_FORMS": "0"}
    assert "No preset is called" in boss.post(reverse("desk:preset_new"), sent).content.decode()


def test_a_picture_whose_file_is_gone_offers_nothing_and_says_so(boss: Client) -> None:
    picture = make_failed_job().original
    Original.objects.filter(pk=picture.pk).update(state=OriginalState.DELETED)
    page = boss.get(reverse("admin:media_jobs_original_change", args=[picture.pk])).content.decode()
    assert 'value="delete"' not in page
    assert press(boss, picture, "delete") == "The file of this picture is gone for good."


def test_what_cannot_be_restored_any_more_is_not_offered(boss: Client) -> None:
    picture = done()
    deletion.delete(picture.pk, actor=SYSTEM)
    Original.objects.filter(pk=picture.pk).update(deleted_at=timezone.now() - timedelta(days=30))
    page = boss.get(reverse("admin:media_jobs_original_change", args=[picture.pk])).content.decode()
    assert "It is gone for good." in page
    assert 'value="restore"' not in page


def test_a_picture_without_a_job_gets_web_versions_and_comes_back(boss: Client) -> None:
    assert press(boss, make_original(), "redo") == "Its web versions are being made anew."
    other = make_original(b"another")
    press(boss, other, "delete")
    assert press(boss, other, "restore").startswith("It is back.")


@pytest.mark.parametrize(
    "query",
    [
        "day_to=9999-12-31",
        "day_from=0001-01-01",
        "owner=staff:" + "9" * 30,
        "after=" + "W1tb" * 500,
        "sort=name&after=WyJcdWQ4MDAiLCAiMDAwMDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwIl0",
    ],
)
def test_an_address_that_nobody_would_write_is_a_page(boss: Client, query: str) -> None:
    assert boss.get(f"{reverse('desk:library')}?{query}").status_code == 200


def test_no_address_fills_the_form_of_a_run_with_what_it_cannot_take(boss: Client) -> None:
    page = reverse("admin:media_jobs_reprocessrun_add")
    assert boss.get(page, {"after": "2026-01-01", "before": "soon", "note": "kept"}).status_code == 200


def test_a_version_of_five_thousand_digits_is_none(boss: Client) -> None:
    answer = boss.post(reverse("desk:preset_roll_back", args=["ingest"]), {"version": "9" * 5_000, "base": "1"})
    assert answer.status_code == 404
