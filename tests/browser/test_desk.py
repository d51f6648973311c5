"""The curators' stories, in a real browser on a real service. Each states its clicks, from the page where it begins."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENT_MS
from tests.e2e.service import Service, photo

pytestmark = pytest.mark.browser
at_both_sizes = pytest.mark.parametrize("page", ["wide-light", "narrow-dark"], indirect=True)
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
_MANY = """
from media_jobs.models import Original
Original.objects.bulk_create(
    Original(
        state="active", owner="anonymous", filename=f"herbarium {n:03}.jpg", format="jpeg", content_type="image/jpeg",
        key=f"originals/{n:08x}-0000-7000-8000-000000000000.jpg", size_bytes=1, sha256=f"{n:064x}",
    )
    for n in range(500)
)
"""


_SLOW_RUN = """
from media_jobs.callers import SYSTEM
from media_jobs.models import Original
from media_jobs.services.runs import lifecycle
done = Original.objects.filter(state="active", deleted_at=None, derivatives__state="current").distinct()
few = list(done.order_by("-id").values_list("pk", flat=True)[:3])
lifecycle.create(owner=SYSTEM, preset="ingest", note="One a minute", rate_per_minute=1, image_ids=few)
"""
_HURRY = """
from media_jobs.models import ReprocessRun
ReprocessRun.objects.filter(note="One a minute").update(rate_per_minute=None)
"""


class Clicks:
    """Counts what a person has to press."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, what: Locator, **how: Any) -> None:
        self.count += 1
        what.click(**how)


@pytest.fixture
def click() -> Clicks:
    return Clicks()


def run(service: Service, code: str) -> None:
    service.manage("shell", "--no-imports", "-c", code)


def first_picture(page: Page) -> None:
    """Open the newest picture that is done."""
    page.goto("/admin/library/?state=done")
    page.locator(".gi-cell-name").first.click()
    expect(page.get_by_role("heading", name="Sizes")).to_be_visible()


@once
def test_somebody_new_is_made_a_curator_and_signs_in_for_the_first_time(page: Page, click: Clicks) -> None:
    """Two clicks of the administrator, who passes the link on, and two of the new one."""
    page.goto("/admin/auth/user/add/")
    page.get_by_label("Name").fill("rosalind")
    page.get_by_label("E-mail").fill("rosalind@example.org")
    click(page.get_by_label("Curator"))
    click(page.get_by_role("button", name="Save"))
    link = page.get_by_label("Link for rosalind").inner_text()
    page.context.clear_cookies()
    page.goto(link)
    for field in page.locator("input[type=password]").all():
        field.fill("a gall on every leaf")
    click(page.get_by_role("button", name="Set it"))
    page.get_by_label("Username").fill("rosalind")
    page.get_by_label("Password").fill("a gall on every leaf")
    click(page.get_by_role("button", name="Log in"))
    expect(page.get_by_role("heading", name="What needs you")).to_be_visible()
    expect(page.get_by_role("link", name="Add pictures")).to_be_visible()
    expect(page.get_by_role("link", name="API keys")).to_have_count(0)
    assert click.count == 4


@at_both_sizes
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


@once
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


@once
def test_a_preset_is_edited_previewed_saved_and_run_until_nothing_is_stale(page: Page, click: Clicks) -> None:
    """Three clicks, from the preset's page."""
    page.goto("/admin/presets/gallformers/")
    page.locator("[name=size-0-quality]").fill("61")
    click(page.get_by_role("button", name="Preview"))
    expect(page.locator(".gi-preview")).to_be_visible()
    expect(page.locator("[name=size-0-quality]")).to_have_value("61")
    click(page.get_by_role("button", name="Save as a new version"))
    expect(page.get_by_text("stale").first).to_be_visible()
    click(page.get_by_role("button", name="anew"))
    expect(page.locator(".gi-outcome-title", has_text="finished")).to_be_visible()
    page.goto("/admin/presets/gallformers/")
    expect(page.get_by_text("No web version is stale.").first).to_be_visible()
    assert click.count == 3


@once
def test_a_run_is_paused_resumed_and_rolled_back(page: Page, service: Service, click: Clicks) -> None:
    """Four clicks, each with a second one that says yes, from the run's page. It makes one picture in a minute, so that
    there is something to pause, and then as many as it can."""
    run(service, _SLOW_RUN)
    page.goto("/admin/media_jobs/reprocessrun/")
    page.get_by_role("link", name="One a minute").first.click()
    title = page.locator(".gi-outcome-title")

    def press(name: str) -> None:
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


@at_both_sizes
def test_a_picture_is_turned_and_its_web_versions_follow(page: Page, click: Clicks) -> None:
    """One click, from the picture's page."""
    first_picture(page)
    large = page.locator("img.gi-large")
    before = large.get_attribute("src")
    size = large.get_attribute("width"), large.get_attribute("height")
    click(page.get_by_role("button", name="Turn right"))
    expect(large).not_to_have_attribute("src", before or "")
    assert (large.get_attribute("height"), large.get_attribute("width")) == size
    assert click.count == 1


@at_both_sizes
def test_a_picture_is_deleted_and_restored(page: Page, click: Clicks) -> None:
    """Three clicks, from the picture's page."""
    first_picture(page)
    click(page.get_by_text("Delete", exact=True))
    click(page.get_by_role("button", name="Delete this picture"))
    expect(page.get_by_text("This picture is deleted")).to_be_visible()
    click(page.get_by_role("button", name="Restore"))
    expect(page.get_by_text("It is back.")).to_be_visible()
    assert click.count == 3


@once
def test_five_hundred_pictures_get_a_licence(page: Page, service: Service, click: Clicks) -> None:
    """Three clicks, from what was found in the library."""
    run(service, _MANY)
    page.goto("/admin/library/?q=herbarium")
    page.locator("#gi-kind").select_option("rights")
    click(page.get_by_label("All 500 that match"))
    click(page.get_by_role("button", name="Next"))
    page.get_by_label("Licence").fill("https://creativecommons.org/licenses/by/4.0/")
    click(page.get_by_role("button", name="Set rights of 500 pictures"))
    expect(page.get_by_text("500 done")).to_be_visible(timeout=2 * PATIENT_MS)
    assert click.count == 3


@once
def test_pictures_are_chosen_and_tagged_by_keyboard_alone(page: Page) -> None:
    page.goto("/admin/library/?state=done")
    page.locator("[name=picture]").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("The 2 chosen")).to_be_visible()
    page.locator("#gi-kind").focus()
    page.keyboard.type("Add tags")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/bulk/**")
    page.get_by_label("Tags to add").focus()
    page.keyboard.type("oak")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 done")).to_be_visible()


@on_a_phone
def test_one_signs_out_by_keyboard_on_a_phone(page: Page) -> None:
    page.goto("/admin/")
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


@at_both_sizes
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
    page.keyboard.type("Herbarium of Kew")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("Credit")).to_have_value("Herbarium of Kew")
