"""The curators' stories, in a real browser on a real service. Each states its clicks, from the page where it begins.

They are told twice: with a pointer on a large screen, and by keyboard alone in a window as narrow as a phone, in the
dark. That Tab comes to all that is pressed is proved in test_accessibility.py.
"""

import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENT_MS, sign_in_anew
from tests.e2e.service import Service, photo

pytestmark = pytest.mark.browser
in_both_ways = pytest.mark.parametrize(
    ("page", "click"), [("wide-light", "pointer"), ("narrow-dark", "keyboard")], indirect=True, ids=["wide", "keyboard"]
)
once = pytest.mark.parametrize("page", ["wide-light"], indirect=True)
on_a_phone = pytest.mark.parametrize("page", ["narrow-light"], indirect=True)

_FAIL = """
from datetime import timedelta
from django.utils import timezone
from media_jobs.models import Job, Original
done = Original.objects.filter(state="active", deleted_at=None, derivatives__state="current")
original = done.order_by("-id").first()
last = original.jobs.select_related("preset").latest("id")
Job.objects.create(
    original=original, preset=last.preset, wanted=last.wanted, owner=last.owner, state="failed", attempt=3,
    code="storage_unavailable", detail="The storage did not answer while fetching the original.",
    finished_at=timezone.now() - timedelta(days=1),
)
"""
#: The oldest of all, so that no page but what is searched begins with them: their files are not there.
_MANY = """
from uuid import UUID
from media_jobs.models import Original
ids = [UUID(f"00000000-0000-7000-8000-{n:012x}") for n in range(500)]
many = [
    Original(
        pk=one, state="active", owner="anonymous", filename=f"specimen {n:03}.jpg", format="jpeg",
        content_type="image/jpeg", key=f"originals/{one}.jpg", size_bytes=1, sha256=f"{n:064x}",
    )
    for n, one in enumerate(ids)
]
Original.objects.bulk_create(many, ignore_conflicts=True)
"""
_SLOW_RUN = """
from media_jobs.callers import SYSTEM
from media_jobs.models import Original
from media_jobs.services.runs import lifecycle
done = Original.objects.filter(deleted_at=None, jobs__preset__name="gallformers", jobs__state="done").distinct()
few = list(done.order_by("-id").values_list("pk", flat=True)[:5])
lifecycle.create(owner=SYSTEM, preset="gallformers", note="One a minute", rate_per_minute=1, image_ids=few)
"""
_HURRY = """
from media_jobs.models import ReprocessRun
ReprocessRun.objects.filter(note="One a minute").update(rate_per_minute=None)
"""


_IS_A_CHOICE = "part => ['checkbox', 'radio'].includes(part.type)"


class Clicks:
    """Counts what a person has to press, by a pointer or by a key."""

    def __init__(self, *, by_keyboard: bool) -> None:
        self.count = 0
        self.by_keyboard = by_keyboard

    def __call__(self, what: Locator) -> None:
        self.count += 1
        if self.by_keyboard:
            what.press("Space" if what.evaluate(_IS_A_CHOICE) else "Enter")
        else:
            what.click()

    def write(self, field: Locator, text: str) -> None:
        """Put `text` in place of what the field holds. It counts for nothing."""
        if self.by_keyboard:
            field.press("Control+A")
            field.page.keyboard.type(text)
        else:
            field.fill(text)


@pytest.fixture
def click(request: pytest.FixtureRequest) -> Clicks:
    return Clicks(by_keyboard=getattr(request, "param", "pointer") == "keyboard")


def run(service: Service, code: str) -> None:
    service.manage("shell", "--no-imports", "-c", code)


def look_at(page: Page, picture: str) -> None:
    page.goto(f"/admin/media_jobs/original/{picture}/change/")
    expect(page.get_by_role("heading", name="Sizes")).to_be_visible()


@in_both_ways
def test_somebody_new_is_made_a_curator_and_signs_in_for_the_first_time(page: Page, click: Clicks) -> None:
    """Two clicks of the administrator, who passes the link on, and two of the new one."""
    name = "rosalind" if click.by_keyboard else "alfred"
    page.goto("/admin/auth/user/add/")
    click.write(page.get_by_label("Name"), name)
    click.write(page.get_by_label("E-mail"), f"{name}@example.org")
    click(page.get_by_label("Curator"))
    click(page.get_by_role("button", name="Save"))
    link = page.get_by_label(f"Link for {name}").inner_text()
    page.context.clear_cookies()
    page.goto(link)
    for field in page.locator("input[type=password]").all():
        click.write(field, "a gall on every leaf")
    click(page.get_by_role("button", name="Set it"))
    click.write(page.get_by_label("Username"), name)
    click.write(page.get_by_label("Password"), "a gall on every leaf")
    click(page.get_by_role("button", name="Log in"))
    expect(page.get_by_role("heading", name="What needs you")).to_be_visible()
    expect(page.get_by_role("link", name="Add pictures")).to_be_visible()
    expect(page.get_by_role("link", name="API keys")).to_have_count(0)
    assert click.count == 4


@in_both_ways
def test_yesterdays_failure_is_found_understood_mended_and_watched_until_it_is_done(
    page: Page, service: Service, click: Clicks
) -> None:
    """Two clicks, from the first page."""
    run(service, _FAIL)
    page.goto("/admin/")
    click(page.get_by_role("link", name="Storage, network or disk"))
    group = page.get_by_role("region", name="Storage, network or disk")
    expect(group.get_by_text("The storage did not answer")).to_be_visible()
    expect(group.get_by_text(re.compile(r"1\sday ago"))).to_be_visible()
    click(group.get_by_role("button", name="Retry"))
    expect(page.get_by_text("1 queued again.")).to_be_visible()
    expect(page.get_by_role("region", name="In work")).to_have_count(0)  # it goes by itself
    expect(group).to_have_count(0)
    assert click.count == 2
    page.goto("/admin/library/?state=failed&q=storage")
    expect(page.get_by_text("No picture matches")).to_be_visible()


@in_both_ways
def test_twenty_files_are_added_with_progress_and_a_refusal_beside_its_name(page: Page, click: Clicks) -> None:
    """Two clicks, beside those of the system's window in which files are chosen."""
    files: list[Any] = [
        {"name": f"added {number}.jpg", "mimeType": "image/jpeg", "buffer": photo(200 + number, 150)}
        for number in range(19)
    ]
    files.append({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture at all, only words"})
    page.goto("/admin/")
    click(page.get_by_role("link", name="Add pictures"))
    page.get_by_label("Drop pictures here").set_input_files(files)
    click(page.get_by_role("button", name="Add them"))
    expect(page.locator("[data-over=added]")).to_have_count(19)
    refused = page.locator("[data-over=refused]")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("notes.txt")
    expect(refused).to_contain_text("accepted are JPEG")
    assert click.count == 2


@once
def test_a_large_file_goes_straight_to_the_storage(page: Page, click: Clicks) -> None:
    large = photo(300, 200) + bytes(9 * 1_048_576)
    page.goto("/admin/add/")
    with page.expect_response(lambda answer: "/media/uploads/" in answer.url) as stored:
        page.get_by_label("Drop pictures here").set_input_files(
            {"name": "scan.jpg", "mimeType": "image/jpeg", "buffer": large}
        )
        click(page.get_by_role("button", name="Add them"))
    assert stored.value.status == 204
    expect(page.locator("[data-over=added]")).to_contain_text("scan.jpg")
    assert click.count == 1


@in_both_ways
def test_a_preset_is_edited_previewed_saved_and_run_until_nothing_is_stale(page: Page, click: Clicks) -> None:
    """Three clicks, from the preset's page."""
    page.goto("/admin/presets/gallformers/")
    quality = "58" if click.by_keyboard else "61"
    click.write(page.locator("[name=size-0-quality]"), quality)
    click(page.get_by_role("button", name="Preview"))
    expect(page.locator(".gi-preview")).to_be_visible()
    expect(page.locator("[name=size-0-quality]")).to_have_value(quality)
    click(page.get_by_role("button", name="Save as a new version"))
    expect(page.get_by_text("stale").first).to_be_visible()
    click(page.get_by_role("button", name="anew"))
    # It is about all pictures of all tests so far.
    expect(page.locator(".gi-outcome-title", has_text="finished")).to_be_visible(timeout=5 * PATIENT_MS)
    page.goto("/admin/presets/gallformers/")
    expect(page.get_by_text("No web version is stale.").first).to_be_visible()
    assert click.count == 3


@in_both_ways
def test_a_run_is_paused_resumed_and_rolled_back(page: Page, service: Service, click: Clicks) -> None:
    """Four clicks, each with a second one that says yes, from the run's page.

    It makes one picture in a minute, so that there is something to pause, and then as many as it can.
    """
    for _ in range(5):
        service.finished(service.upload()["jobId"])
    run(service, _SLOW_RUN)
    page.goto("/admin/media_jobs/reprocessrun/")
    page.get_by_role("link", name="One a minute").first.click()
    title = page.locator(".gi-outcome-title")

    def press(name: str) -> None:
        if (page.viewport_size or {"width": 0})["width"] < 1000:
            asking = page.locator(".gi-ask").filter(has=page.locator("summary", has_text=re.compile(f"^{name}$")))
            click(asking.locator("summary"))
            asking.get_by_role("button").click()
        else:
            click(page.get_by_role("link", name=name, exact=True))
            page.locator("#dialog button[type=submit]").click()

    press("Confirm")
    expect(title).to_contain_text("running")
    press("Pause")
    expect(title).to_contain_text("paused")
    run(service, _HURRY)
    press("Resume")
    expect(title).to_contain_text("finished")
    press("Roll back")
    expect(title).to_contain_text("rolled back")
    assert click.count == 4


@in_both_ways
def test_a_picture_is_turned_and_its_web_versions_follow(page: Page, picture: str, click: Clicks) -> None:
    """One click, from the picture's page."""
    look_at(page, picture)
    large = page.locator("img.gi-large")
    before = large.get_attribute("src")
    size = large.get_attribute("width"), large.get_attribute("height")
    click(page.get_by_role("button", name="Turn right"))
    expect(large).not_to_have_attribute("src", before or "")
    assert (large.get_attribute("height"), large.get_attribute("width")) == size
    assert click.count == 1


@in_both_ways
def test_a_picture_is_deleted_and_restored(page: Page, picture: str, click: Clicks) -> None:
    """Three clicks, from the picture's page."""
    look_at(page, picture)
    click(page.get_by_text("Delete", exact=True))
    click(page.get_by_role("button", name="Delete this picture"))
    expect(page.get_by_text("This picture is deleted")).to_be_visible()
    click(page.get_by_role("button", name="Restore"))
    expect(page.get_by_text("It is back.")).to_be_visible()
    assert click.count == 3


@in_both_ways
def test_five_hundred_pictures_get_a_licence(page: Page, service: Service, click: Clicks) -> None:
    """Three clicks, from what was found in the library."""
    run(service, _MANY)
    page.goto("/admin/library/?q=specimen")
    page.locator("#gi-kind").select_option("rights")
    click(page.get_by_label("All 500 that match"))
    click(page.get_by_role("button", name="Next"))
    licence = "by-sa" if click.by_keyboard else "by"  # what is so already would be left as it is
    click.write(page.get_by_label("Licence"), f"https://creativecommons.org/licenses/{licence}/4.0/")
    click(page.get_by_role("button", name="Set rights of 500 pictures"))
    expect(page.get_by_text("500 done")).to_be_visible(timeout=2 * PATIENT_MS)
    assert click.count == 3


@once
def test_pictures_are_chosen_and_tagged_by_keyboard_alone(page: Page) -> None:
    page.goto("/admin/library/?state=done")
    page.locator("[name=picture]").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("The 2 chosen")).to_be_visible()
    kinds = page.locator("#gi-kind")
    kinds.focus()
    for _ in range(kinds.locator("option").count()):
        if kinds.input_value() == "tag":
            break
        page.keyboard.press("ArrowDown")
    expect(kinds).to_have_value("tag")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/bulk/**")
    page.get_by_label("Tags to add").focus()
    page.keyboard.type("oak")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 done")).to_be_visible()


@on_a_phone
def test_one_signs_out_by_keyboard_on_a_phone(page: Page, service: Service) -> None:
    sign_in_anew(page, service)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("button", name="Menu", exact=True).focus()
    page.keyboard.press("Enter")
    account = page.get_by_role("button", name="Account of admin")
    account.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/logout/")


@once
def test_what_a_person_typed_is_not_lost_by_a_preview(page: Page) -> None:
    page.goto("/admin/presets/ingest/")
    page.locator("[name=size-1-quality]").fill("44")
    last = page.locator("[data-gi-rows] tr").count() - 1
    page.locator(f"[name=size-{last}-name]").fill("tiny")
    page.locator(f"[name=size-{last}-side_px]").fill("64")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("[name=size-1-quality]")).to_have_value("44")
    expect(page.locator(f"[name=size-{last}-name]")).to_have_value("tiny")


@pytest.mark.parametrize("page", ["wide-light", "narrow-dark"], indirect=True)
def test_the_words_of_a_picture_are_written_by_keyboard_alone(page: Page) -> None:
    """Search, open the first, fill in the credit, save: no pointer at all."""
    page.goto("/admin/library/")
    page.locator("#gi-q").focus()
    page.keyboard.type("photo")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=photo**")
    page.locator("[name=picture]").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Credit").focus()
    page.keyboard.press("Control+A")
    credit = f"Herbarium {uuid4()}"  # it may be the picture of the other window
    page.keyboard.type(credit)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("Credit")).to_have_value(credit)
