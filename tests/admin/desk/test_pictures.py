"""What the pages tell of a picture: whose it is, what became of its secrets, what it cost."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from media_jobs.admin.picture.page import NO_FILE
from media_jobs.callers import SYSTEM
from media_jobs.models import Change, Job, JobEvent
from media_jobs.services.images import deletion
from tests.factories import make_derivative, make_failed_job, make_job, make_original

pytestmark = pytest.mark.django_db

RECEIPT = {
    "found": ["EXIF Artist", "EXIF GPSLatitude", "EXIF MakerNote"],
    "kept": ["EXIF Artist"],
    "dropped": ["EXIF GPSLatitude", "EXIF MakerNote"],
    "outputs": {"full": ["EXIF Artist"], "thumb": []},
}


def page_of(browser: Client, kind: str, pk: object) -> str:
    return browser.get(reverse(f"admin:media_jobs_{kind}_change", args=[pk])).content.decode()


def rows(page: str) -> dict[str, str]:
    """The tables of facts as plain text."""
    found = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td></tr>', page, re.DOTALL)
    return {name: " ".join(re.sub(r"<[^>]*>", " ", value).split()) for name, value in found}


def test_an_image_that_somebody_deleted_says_so(boss: Client) -> None:
    image = make_job(state="done").original
    before = page_of(boss, "original", image.pk)
    deletion.delete(image.pk, actor=SYSTEM)
    after = page_of(boss, "original", image.pk)
    assert ["This picture is deleted" in page for page in (before, after)] == [False, True]


def test_the_receipt_reads_as_lists_of_what_was_kept_dropped_and_is_carried(boss: Client) -> None:
    job = make_job(state="done", receipt=RECEIPT)
    shown = rows(page_of(boss, "original", job.original_id))
    assert shown["Found in the file"] == "3 besides its pixels"
    assert shown["Kept"] == "EXIF Artist"
    assert shown["Dropped"] == "EXIF GPSLatitude EXIF MakerNote"
    assert shown["In full"] == "EXIF Artist"
    assert shown["In thumb"] == "carries nothing"


def test_a_receipt_of_many_names_is_folded_and_says_how_many(boss: Client) -> None:
    names = [f"XMP crs:Setting{number}" for number in range(200)]
    job = make_job(state="done", receipt={"found": names, "kept": names[:3], "dropped": names[3:], "outputs": {}})
    page = page_of(boss, "original", job.original_id)
    assert page.count("<summary>197 names</summary>") == 1
    assert rows(page)["Kept"] == " ".join(names[:3])


def test_the_reason_of_a_failure_stands_before_the_facts_of_the_file(boss: Client) -> None:
    job = make_failed_job(detail="It was <cut> short.", code="truncated")
    page = page_of(boss, "original", job.original_id)
    first = page[: page.index("Facts")]
    assert "It was &lt;cut&gt; short." in first
    assert reverse("admin:media_jobs_job_change", args=[job.pk]) in first


def test_a_failure_is_shown_beside_the_pictures_of_an_earlier_job(boss: Client) -> None:
    done = make_job(state="done")
    make_derivative(done, "thumb", state="current")
    make_failed_job(original=done.original, detail="The storage was away.")
    page = page_of(boss, "original", done.original_id)
    first = page[: page.index("Facts")]
    assert "The storage was away." in first
    assert "The web versions below are from an earlier job." in first
    assert 'class="gi-large"' in first


def test_the_history_shows_times_and_sizes_as_a_person_reads_them(boss: Client) -> None:
    job = make_job(state="done")
    JobEvent.objects.create(
        job=job, number=9, type="done", data={"render_ms": 2700, "peak_memory_bytes": 48_988_160, "renditions": ["a"]}
    )
    page = " ".join(page_of(boss, "job", job.pk).split())
    assert "<dt>render</dt><dd>2.7 s</dd>" in page
    assert "<dt>peak memory</dt><dd>46.7 MB</dd>" in page
    assert "<dt>renditions</dt><dd>a</dd>" in page


def test_before_a_job_is_done_there_is_no_receipt_and_the_page_says_so(boss: Client) -> None:
    assert "There is no receipt before a job is done." in page_of(boss, "original", make_failed_job().original_id)


@pytest.mark.parametrize("state", ["staged", "deleted"])
def test_a_file_that_nobody_can_have_is_not_linked(boss: Client, state: str) -> None:
    original = make_original(stored=False, state=state, size_bytes=0, sha256="")
    page = page_of(boss, "original", original.pk)
    assert reverse("desk:picture_download", args=[original.pk]) not in page
    assert NO_FILE[state] in page
    active = make_original(stored=False)
    assert reverse("desk:picture_download", args=[active.pk]) in page_of(boss, "original", active.pk)


def test_what_an_uploader_only_announced_is_not_shown_as_seen(boss: Client) -> None:
    staged: dict[str, Any] = {"stored": False, "state": "staged", "size_bytes": 0, "sha256": ""}
    page = page_of(boss, "original", make_original(**staged).pk)
    assert "jpeg, as announced by its uploader" in page
    assert "has not been read" not in page
    assert "0 bytes" not in page
    assert "as announced by its uploader" not in page_of(boss, "original", make_original(stored=False).pk)


def test_originals_that_wait_for_their_check_can_be_listed(boss: Client) -> None:
    make_original(stored=False, state="staged", size_bytes=0, sha256="", filename="unseen.jpg")
    make_original(stored=False, filename="whole.jpg")
    listed = boss.get(reverse("admin:media_jobs_original_changelist"), {"state__exact": "staged"}).content.decode()
    assert "unseen.jpg" in listed
    assert "whole.jpg" not in listed


def test_a_failed_attempt_of_a_job_that_goes_on_is_no_failure_of_the_picture(boss: Client) -> None:
    again = make_failed_job(state="queued", detail="The storage refused our credentials.", code="storage_denied")
    page = page_of(boss, "original", again.original_id)
    assert "Storage, network or disk" not in page
    assert "Next in the lane" in page


def test_rights_placeholder_and_what_was_asked_for_are_on_the_page(boss: Client) -> None:
    original = make_original(
        stored=False,
        creator="Ada Photographer",
        licence="https://example.org/by",
        digital_source_type="https://example.org/made-by-ai",
        placeholder="data:image/webp;base64,UklGRg==",
        dominant_colour="#336699",
        preserve={"gps": True, "device_serial": False},
        rotation=90,
        focus_x=0.5,
        focus_y=0.25,
    )
    page = page_of(boss, "original", original.pk)
    for text in (
        "Ada Photographer",
        "https://example.org/by",
        "https://example.org/made-by-ai",
        'src="data:image/webp;base64,UklGRg=="',
        "background-color: #336699",
        "keep position, drop serial numbers",
        "by 90° clockwise",
        "50 % from the left, 25 % from the top",
    ):
        assert text in page


def test_position_and_serial_number_stand_apart(boss: Client) -> None:
    original = make_original(stored=False, private_metadata={"gps": {"latitude": 47.3}})
    assert "47.3" not in page_of(boss, "original", original.pk)
    shown = boss.post(reverse("desk:picture_reveal", args=[original.pk])).content.decode()
    assert rows(shown)["gps.latitude"] == "47.3"
    assert Change.objects.get().action == "looked at position and serial numbers of"
    assert "Show position" not in page_of(boss, "original", make_original(stored=False).pk)


def test_words_from_a_hostile_file_stay_text(boss: Client) -> None:
    bad = '"><script>alert(1)</script>'
    receipt = {"found": [bad], "kept": [bad], "dropped": [bad], "outputs": {"full": [bad]}}
    metadata: dict[str, Any] = {
        "creator": bad,
        "licence": f"javascript:{bad}",
        "placeholder": bad,
        "dominant_colour": '"><b>',
    }
    original = make_original(stored=False, private_metadata={"gps": bad, bad: 1}, **metadata)
    make_job(original, state="done", receipt=receipt)
    page = page_of(boss, "original", original.pk)
    assert bad not in page
    assert '"><b>' not in page
    assert 'href="javascript:' not in page


def test_originals_that_name_nobody_can_be_listed(boss: Client) -> None:
    read: dict[str, Any] = {"stored": False, "width_px": 1, "height_px": 1}
    make_original(filename="hers.jpg", creator="Ada", **read)
    make_original(filename="credited.jpg", credit="Archive", **read)
    make_original(filename="nobodys.jpg", licence="https://example.org/by", **read)
    make_original(filename="unread.jpg", stored=False)
    url = reverse("admin:media_jobs_original_changelist")
    found = {
        rights: re.findall(r">(\w+\.jpg)</a>", boss.get(url, {"rights": rights}).content.decode())
        for rights in ("missing", "named")
    }
    assert {rights: sorted(set(names)) for rights, names in found.items()} == {
        "missing": ["nobodys.jpg"],
        "named": ["credited.jpg", "hers.jpg"],
    }


def test_an_original_is_found_by_its_creator(boss: Client) -> None:
    make_original(filename="hers.jpg", creator="Ada Photographer", stored=False)
    url = reverse("admin:media_jobs_original_changelist")
    assert "hers.jpg" in boss.get(url, {"q": "photographer"}).content.decode()


def test_what_a_job_cost_is_on_its_page(boss: Client) -> None:
    job = make_job(state="done", render_ms=1234, cpu_ms=987, peak_memory_bytes=64 * 1024**2)
    page = page_of(boss, "job", job.pk)
    for cost in ("1.2 s", "987 ms", "64.0"):
        assert cost in page
    assert Job.objects.get().cpu_ms == 987
