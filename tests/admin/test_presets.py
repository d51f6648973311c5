"""Presets in the admin: drafts are edited, used versions are history."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from media_jobs.models import Preset
from media_jobs.pipeline import recipes
from media_jobs.services import presets
from tests.admin.conftest import Login
from tests.factories import make_job

USUAL = {"fit": "inside", "crop": "centre", "format": "jpeg", "quality": 82, "chroma": "auto"}

#: The name of the button “Save and make current”.
MAKE_CURRENT = "media_jobs_preset_make_current"


def url(page: str, *args: object) -> str:
    return reverse(f"admin:media_jobs_preset_{page}", args=args)


def renditions(*rows: tuple[str, int], preset: Preset | None = None) -> dict[str, Any]:
    """The form's fields for these names and sides; with a preset its own renditions, changed in order."""
    known = list(preset.renditions.all()) if preset else []
    form: dict[str, Any] = {
        "renditions-TOTAL_FORMS": max(len(rows), len(known)),
        "renditions-INITIAL_FORMS": len(known),
    }
    for i, (name, side_px) in enumerate(rows):
        values = {"name": name, "side_px": side_px, **USUAL}
        form |= {f"renditions-{i}-{field}": value for field, value in values.items()}
    for i, rendition in enumerate(known):
        form |= {f"renditions-{i}-id": rendition.pk, f"renditions-{i}-preset": preset.pk if preset else ""}
    return form


def shipped() -> Preset:
    return Preset.objects.get(name="gallformers", current=True)


@pytest.fixture
def draft(db: None) -> Preset:
    return presets.copy_as_new_version(shipped())


def test_a_draft_can_be_edited(boss: Client, draft: Preset) -> None:
    form = renditions(("full", 3000), ("medium", 1024), ("small", 512), ("thumb", 200), preset=draft)
    assert boss.post(url("change", draft.pk), form).status_code == 302
    assert draft.renditions.get(name="full").side_px == 3000


def test_every_way_to_encode_can_be_chosen(boss: Client) -> None:
    form = {"name": "posters", **renditions(("large", 4000))}
    chosen = {
        "fit": "cover",
        "crop": "attention",
        "format": "avif",
        "quality": 50,
        "effort": 0,
        "progressive": "False",
        "chroma": "4:4:4",
        "enlarge": "on",
    }
    form |= {f"renditions-0-{field}": value for field, value in chosen.items()}
    assert boss.post(url("add"), form).status_code == 302
    made = Preset.objects.get(name="posters").recipe().renditions[0]
    assert made == recipes.Rendition(
        name="large",
        side_px=4000,
        fit=recipes.Fit.COVER,
        format=recipes.Format.AVIF,
        quality=50,
        crop=recipes.Crop.ATTENTION,
        effort=0,
        progressive=False,
        chroma=recipes.Chroma.FULL,
        enlarge=True,
    )


def test_what_is_left_open_is_left_to_the_encoder(boss: Client) -> None:
    boss.post(url("add"), {"name": "posters", **renditions(("large", 4000))})
    assert Preset.objects.get(name="posters").recipe().renditions == (recipes.Rendition("large", 4000),)


def test_a_version_that_a_job_has_used_stays_as_it_is(boss: Client, draft: Preset) -> None:
    presets.make_current(draft)
    make_job()
    form = renditions(("full", 3000), ("medium", 1024), ("small", 512), ("thumb", 200), preset=draft)
    boss.post(url("change", draft.pk), {**form, "name": "other", "version": 9, "current": ""})
    assert boss.post(url("delete", draft.pk), {"post": "yes"}).status_code == 403
    assert draft.renditions.get(name="full").side_px == 2048
    assert shipped() == draft
    page = boss.get(url("change", draft.pk)).content.decode()
    assert "so it cannot be changed" in page
    assert 'name="renditions-0-side_px"' not in page


def test_how_long_failed_originals_are_kept_can_be_set_while_the_version_is_in_use(boss: Client) -> None:
    make_job()
    assert boss.post(url("change", shipped().pk), {"failed_days": "90"}).status_code == 302
    assert shipped().failed_days == 90
    assert boss.post(url("change", shipped().pk), {"failed_days": ""}).status_code == 302
    assert shipped().failed_days is None


@pytest.mark.parametrize("days", ["0", "-1", "3651", "99999999999", "soon"])
def test_a_slip_deletes_no_failed_originals(boss: Client, days: str) -> None:
    make_job()
    answer = boss.post(url("change", shipped().pk), {"failed_days": days})
    assert "failed_days" in answer.context["adminform"].form.errors
    assert shipped().failed_days is None


@pytest.mark.django_db
def test_a_new_version_keeps_failed_originals_as_long_as_the_old_one() -> None:
    Preset.objects.filter(pk=shipped().pk).update(failed_days=30)
    assert presets.copy_as_new_version(shipped()).failed_days == 30


def test_viewers_cannot_set_how_long_failed_originals_are_kept(staff: Login) -> None:
    make_job()
    assert staff("view_preset").post(url("change", shipped().pk), {"failed_days": "1"}).status_code == 403
    assert shipped().failed_days is None


def test_a_version_that_stays_as_it_is_is_a_table_of_its_renditions(boss: Client) -> None:
    make_job()
    page = boss.get(url("change", shipped().pk)).content.decode()
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page, re.DOTALL)
    texts = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]
    assert texts[0] == "full 2048 inside jpeg 82 auto automatic automatic no"
    assert texts[3].startswith("thumb 200 cover, centre jpeg 82")


@pytest.mark.django_db
def test_the_list_shows_side_and_format_of_each_rendition(boss: Client) -> None:
    page = boss.get(url("changelist")).content.decode()
    assert "web 1920 webp, web-legacy 1920 jpeg" in page


def test_the_current_version_cannot_be_deleted_but_a_draft_can(boss: Client, draft: Preset) -> None:
    assert boss.post(url("delete", shipped().pk), {"post": "yes"}).status_code == 403
    assert boss.post(url("delete", draft.pk), {"post": "yes"}).status_code == 302
    assert list(Preset.objects.filter(name="gallformers")) == [shipped()]


def test_deleting_many_at_once_is_not_offered(boss: Client, draft: Preset) -> None:
    form = {"action": "delete_selected", "_selected_action": [draft.pk, shipped().pk], "post": "yes"}
    boss.post(url("changelist"), form)
    assert Preset.objects.filter(name="gallformers").count() == 2


@pytest.mark.django_db
def test_copying_makes_an_editable_version_and_leads_to_it(boss: Client) -> None:
    make_job()
    before = shipped()
    answer = boss.post(url("copy_as_new_version", before.pk), {"_form_submitted": "on"}, follow=True)
    copy = Preset.objects.get(name="gallformers", version=2)
    assert answer.redirect_chain[-1][0] == url("change", copy.pk)
    assert 'name="renditions-0-side_px"' in answer.content.decode()
    assert shipped() == before


def test_making_a_version_current_saves_what_stands_in_the_form_and_retires_the_former_one(
    boss: Client, draft: Preset
) -> None:
    form = renditions(("full", 3000), ("medium", 1024), ("small", 512), ("thumb", 200), preset=draft)
    page = boss.get(url("change", draft.pk)).content.decode()
    assert f'name="{MAKE_CURRENT}"' in page
    boss.post(url("change", draft.pk), {**form, "failed_days": "90", MAKE_CURRENT: ""})
    assert shipped() == draft
    assert Preset.objects.filter(name="gallformers", current=True).count() == 1
    assert (shipped().failed_days, draft.renditions.get(name="full").side_px) == (90, 3000)


def test_a_form_that_is_wrong_makes_nothing_current(boss: Client, draft: Preset) -> None:
    form = renditions(("full", 0), preset=draft)
    assert boss.post(url("change", draft.pk), {**form, MAKE_CURRENT: ""}).status_code == 200
    assert shipped() != draft


def test_following_a_link_changes_no_preset(boss: Client, draft: Preset) -> None:
    assert boss.get(url("copy_as_new_version", draft.pk)).status_code == 200
    assert shipped() != draft
    assert Preset.objects.filter(name="gallformers").count() == 2


def test_viewers_can_neither_copy_nor_make_current(staff: Login, draft: Preset) -> None:
    browser = staff("view_preset")
    page = browser.get(url("change", draft.pk)).content.decode()
    assert url("copy_as_new_version", draft.pk) not in page
    assert MAKE_CURRENT not in page
    assert browser.post(url("copy_as_new_version", draft.pk), {"_form_submitted": "on"}).status_code == 403
    assert browser.post(url("change", draft.pk), {MAKE_CURRENT: ""}).status_code == 403
    assert shipped() != draft
    assert Preset.objects.filter(name="gallformers").count() == 2


@pytest.mark.django_db
def test_a_new_preset_starts_as_a_draft(boss: Client) -> None:
    assert boss.post(url("add"), {"name": "posters", **renditions(("large", 4000))}).status_code == 302
    made = Preset.objects.get(name="posters")
    assert (made.version, made.current, made.renditions.get().side_px) == (1, False, 4000)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "rows", "says"),
    [
        ("gallformers", [("large", 4000)], "exists already"),
        ("posters", [], "Please submit at least 1"),
        ("posters", [("large", 10), ("large", 20)], "duplicate"),
        ("posters", [("originals", 10)], "choose another name"),
        ("posters", [("large", 99_999)], "less than or equal to 16383"),
    ],
)
def test_a_preset_that_could_not_work_is_refused_with_a_reason(
    boss: Client, name: str, rows: list[tuple[str, int]], says: str
) -> None:
    before = Preset.objects.count()
    answer = boss.post(url("add"), {"name": name, **renditions(*rows)})
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert Preset.objects.count() == before
