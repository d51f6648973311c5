"""What can be done to a picture on its page."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS, SYSTEM
from media_jobs.models import Change, EngineVersion, Job, Original, Tag
from media_jobs.services.images import deletion, editing
from tests.admin.desk.test_pictures import page_of, rows
from tests.e2e.service import photo
from tests.factories import make_derivative, make_failed_job, make_job, make_original

pytestmark = pytest.mark.django_db


def press(browser: Client, picture: Original, do: str, **fields: Any) -> str:
    answer = browser.post(reverse("desk:picture_act", args=[picture.pk]), {"do": do, **fields})
    assert answer.status_code == 302
    return [str(message) for message in get_messages(answer.wsgi_request)][-1]


def done(**fields: Any) -> Original:
    return make_job(make_original(stored=False, **fields), state="done").original


def save(browser: Client, picture: Original, **fields: str) -> str:
    """Send the form of rights as it is, but for these fields."""
    seen = editing.version_of(picture)
    given = {
        name: getattr(picture, name) for name in ("creator", "credit", "copyright", "licence", "source", "caption")
    }
    given["digital_source_type"] = picture.digital_source_type
    given["tags"] = ", ".join(picture.tags.values_list("name", flat=True))
    answer = browser.post(reverse("desk:picture_rights", args=[picture.pk]), {**given, "seen": seen, **fields})
    return answer.content.decode() if answer.status_code == 200 else ""


@pytest.mark.parametrize(
    ("by", "then"), [("90", (90, 0.75, 0.1)), ("270", (270, 0.25, 0.9)), ("180", (180, 0.9, 0.75))]
)
def test_a_picture_turns_with_its_focal_point_and_its_web_versions_follow(boss, by, then) -> None:
    picture = done(focus_x=0.1, focus_y=0.25)
    assert press(boss, picture, "rotate", by=by) == "Turned. Its web versions are being made anew."
    picture.refresh_from_db()
    assert (picture.rotation, picture.focus_x, picture.focus_y) == pytest.approx(then)
    assert picture.jobs.filter(state="queued").count() == 1
    assert picture.overrides_digest


def test_four_turns_to_the_right_are_none_and_wait_for_one_job(boss: Client) -> None:
    picture = done(focus_x=0.1, focus_y=0.25)
    for _ in range(4):
        press(boss, picture, "rotate", by="90")
    picture.refresh_from_db()
    assert (picture.rotation, picture.focus_x, picture.focus_y) == pytest.approx((0, 0.1, 0.25))
    assert picture.jobs.filter(state="queued").count() == 1
    assert [change.after["rotation"] for change in Change.objects.order_by("id")] == ["90°", "180°", "270°", "0°"]


@pytest.mark.parametrize("by", ["", "45", "-90", "1e9", "⁹"])
def test_a_picture_turns_by_quarters_only(boss: Client, by: str) -> None:
    picture = done()
    assert "Turn by 90" in press(boss, picture, "rotate", by=by)
    assert not Change.objects.exists()


def test_the_focal_point_is_set_and_removed(boss: Client) -> None:
    picture = done()
    assert "is set" in press(boss, picture, "focus", x="30", y="12.5")
    picture.refresh_from_db()
    assert (picture.focus_x, picture.focus_y) == (0.3, 0.125)
    assert "two numbers" in press(boss, picture, "focus", x="101", y="nan")
    press(boss, picture, "focus", remove="1")
    picture.refresh_from_db()
    assert picture.focus_x is None


def test_web_versions_are_made_anew_with_a_chosen_preset(boss: Client) -> None:
    picture = done()
    press(boss, picture, "redo", preset="ingest")
    assert picture.jobs.get(state="queued").preset.name == "ingest"
    press(boss, picture, "redo")
    assert sorted(picture.jobs.filter(state="queued").values_list("preset__name", flat=True)) == [
        "gallformers",
        "ingest",
    ]


def test_a_failed_picture_says_what_is_wrong_whose_fault_it_is_and_what_to_do(boss: Client) -> None:
    job = make_failed_job(code="storage_unavailable", detail="The storage did not answer.")
    page = page_of(boss, "original", job.original_id)
    for text in ("Storage, network or disk", "The storage did not answer.", "Retry all once", "To blame: the service"):
        assert text in page
    assert "not been read" not in page
    assert press(boss, job.original, "retry") == "It is queued again."
    assert Job.objects.get(pk=job.pk).state == "queued"


def test_deleting_can_be_taken_back(boss: Client) -> None:
    picture = done()
    assert "can be restored until" in press(boss, picture, "delete")
    page = page_of(boss, "original", picture.pk)
    assert "This picture is deleted" in page
    assert "Turn right" not in page
    assert press(boss, picture, "restore").startswith("It is back.")
    picture.refresh_from_db()
    assert picture.deleted_at is None
    assert [change.action for change in Change.objects.order_by("id")] == ["deleted", "restored"]


def test_what_is_deleted_is_not_turned(boss: Client) -> None:
    picture = done()
    deletion.delete(picture.pk, actor=SYSTEM)
    assert press(boss, picture, "rotate", by="90") == "This picture has been deleted."


def test_another_file_takes_the_place_with_rights_notes_and_tags(boss: Client) -> None:
    picture = done(stated_rights={"creator": "Ada"}, creator="Ada", caption="An oak", filename="old.jpg")
    Tag.objects.create(original=picture, name="oak")
    whole = photo()
    said = press(boss, picture, "replace", file=SimpleUploadedFile("new.jpg", whole))
    assert said.startswith("This file has taken its place.")
    new = Original.objects.get(replaces=picture)
    assert (new.filename, new.creator, new.caption, new.size_bytes) == ("new.jpg", "Ada", "An oak", len(whole))
    assert list(new.tags.values_list("name", flat=True)) == ["oak"]
    assert store(Role.WORKER).exists(new.key)
    picture.refresh_from_db()
    assert picture.deleted_at
    assert new.jobs.get().state == "queued"
    assert "Replaces" in page_of(boss, "original", new.pk)


@pytest.mark.parametrize(("content", "why"), [(b"", "empty"), (b"%PDF-1.7 not a picture at all", "accepted are JPEG")])
def test_a_file_that_is_refused_leaves_the_picture_as_it_was(boss: Client, content: bytes, why: str) -> None:
    picture = done()
    assert why in press(boss, picture, "replace", file=SimpleUploadedFile("new.jpg", content))
    picture.refresh_from_db()
    assert picture.deleted_at is None
    assert Original.objects.count() == 1


def test_a_file_over_the_limit_is_refused_and_nothing_of_it_stays(boss: Client, settings) -> None:
    settings.MAX_UPLOAD_BYTES = 10_000
    assert "too large" in press(boss, done(), "replace", file=SimpleUploadedFile("new.jpg", photo()))
    assert list(store(Role.WORKER).keys("originals/")) == []


def test_without_a_file_nothing_is_replaced(boss: Client) -> None:
    assert press(boss, done(), "replace") == "Choose a file first."


def test_rights_are_stated_with_their_history_and_written_into_the_web_versions(boss: Client) -> None:
    picture = done(rights_in_file={"creator": "Camera owner"}, creator="Camera owner")
    save(boss, picture, creator="Ada", licence="https://example.org/by", tags="oak, gall", redo="1")
    picture.refresh_from_db()
    assert picture.stated_rights == {"creator": "Ada", "licence": "https://example.org/by"}
    assert set(picture.tags.values_list("name", flat=True)) == {"oak", "gall"}
    assert picture.jobs.filter(state="queued").count() == 1
    change = Change.objects.get(action="described")
    assert (change.before["creator"], change.after["creator"]) == ("Camera owner", "Ada")
    page = page_of(boss, "original", picture.pk)
    assert "<del>Camera owner</del> → <ins>Ada</ins>" in page
    assert "The file itself says of creator: Camera owner" in page


def test_what_the_file_says_anyway_is_left_to_the_file(boss: Client) -> None:
    picture = done(rights_in_file={"creator": "Bob"}, creator="Ada", stated_rights={"creator": "Ada"})
    save(boss, picture, creator="Bob")
    picture.refresh_from_db()
    assert (picture.creator, picture.stated_rights) == ("Bob", {})


def test_notes_stay_here_and_make_nothing_stale(boss: Client) -> None:
    picture = done()
    save(boss, picture, caption="An oak gall", source="Box 7")
    picture.refresh_from_db()
    assert (picture.caption, picture.source, picture.rights_digest) == ("An oak gall", "Box 7", "")


def test_a_form_with_a_mistake_comes_back_as_it_was_filled_in(boss: Client) -> None:
    picture = done()
    page = save(boss, picture, creator="Ada", licence="none of your business")
    assert "A licence is an address" in page
    assert 'value="Ada"' in page
    picture.refresh_from_db()
    assert picture.creator == ""


def test_of_two_who_change_rights_at_once_the_second_is_told_loses_nothing_and_may_go_on(boss: Client) -> None:
    picture = done()
    seen = editing.version_of(picture)
    editing.change(picture.pk, actor=ANONYMOUS, rights={"creator": "First"})
    picture.refresh_from_db()
    page = save(boss, picture, creator="Second", seen=seen)
    assert "Somebody else has changed this picture meanwhile: Creator “First”" in page
    assert 'value="Second"' in page
    picture.refresh_from_db()
    assert picture.creator == "First"
    now = re.search(r'name="seen" value="(\w+)"', page)
    assert now
    assert save(boss, picture, creator="Second", seen=now[1]) == ""
    picture.refresh_from_db()
    assert picture.creator == "Second"


def test_a_picture_by_ai_says_so_on_its_page_and_can_be_said_to_be_one(boss: Client) -> None:
    picture = done()
    ai = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    save(boss, picture, digital_source_type=ai)
    picture.refresh_from_db()
    assert picture.stated_rights == {"digital_source_type": ai}
    assert '<span class="gi-badge">Made by AI</span>' in page_of(boss, "original", picture.pk)


def test_the_sizes_have_bytes_preset_link_and_staleness(boss: Client) -> None:
    EngineVersion.objects.create(name="new")
    job = make_job(state="done")
    old = make_derivative(job, "full", state="current", engine="old", content=b"12345", width_px=900)
    page = page_of(boss, "original", job.original_id)
    assert selectors.derivative_url(old) in page
    assert "gallformers v1" in page
    assert "there is a newer engine" in page
    assert f'data-gi-copy="{selectors.derivative_url(old)}"' in page


def test_two_versions_are_compared_also_one_that_was_replaced(boss: Client) -> None:
    job = make_job(state="done")
    new = make_derivative(job, "full", state="current", content=b"new")
    old = make_derivative(job, "full", state="replaced", content=b"old")
    url = reverse("admin:media_jobs_original_change", args=[job.original_id])
    page = boss.get(url, {"left": str(old.pk), "right": str(new.pk)}).content.decode()
    assert "data-gi-compare" in page
    assert f'src="{selectors.derivative_url(old)}"' in page


def test_the_camera_is_called_so_and_the_date_is_one(boss: Client) -> None:
    facts = {"captureDate": "2024-05-12T14:03:00+02:00", "cameraModel": "X100V"}
    shown = rows(page_of(boss, "original", done(metadata=facts).pk))
    assert (shown["Taken on"], shown["Camera"]) == ("12 May 2024, 14:03 UTC+0200", "X100V")


def test_downloading_the_original_is_written_down(boss: Client) -> None:
    picture = make_original(b"the bytes")
    answer = boss.get(reverse("desk:picture_download", args=[picture.pk]))
    assert answer.status_code == 302
    assert boss.get(answer["Location"]).getvalue() == b"the bytes"
    assert Change.objects.get().action == "downloaded the original of"


def test_the_live_part_says_when_it_is_over_and_nothing_where_nothing_changed(boss: Client) -> None:
    job = make_job()
    url = reverse("desk:picture_live", args=[job.original_id])
    first = boss.get(url)
    assert (first.status_code, first["X-Live"]) == (200, "goes-on")
    assert boss.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    Job.objects.filter(pk=job.pk).update(state="done")
    assert boss.get(url)["X-Live"] == "over"


def test_privacy_is_told_in_words(boss: Client) -> None:
    receipt = {
        "found": ["EXIF GPSLatitude", "EXIF Artist"],
        "kept": ["EXIF Artist"],
        "dropped": ["EXIF GPSLatitude"],
        "outputs": {"full": ["EXIF Artist"]},
    }
    page = page_of(boss, "original", make_job(state="done", receipt=receipt).original_id)
    assert "The file told where it was taken and whose picture it is." in page
    assert "The web versions do not tell where it was taken." in page
