"""The curators' stories, in a real browser on a real service. Each states its clicks, from the page where it begins."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.service import Service, photo

pytestmark = pytest.mark.browser
at_both_sizes = pytest.mark.parametrize("page", ["wide-light", "narrow-dark"], indirect=True)
once = pytest.mark.parametrize("page", ["wide-light"], indirect=True)
on_a_phone = pytest.mark.parametrize("page", ["narrow-light"], indirect=True)
#: A machine with much to do takes its time.
PATIENT_MS = 90_000

_FAIL = """
from media_jobs.models import Job, Original
done = Original.objects.filter(state="active", deleted_at=None, derivatives__state="current")
original = done.order_by("-id").first()
last = original.jobs.select_related("preset").latest("id")
Job.objects.create(
    original=original, preset=last.preset, wanted=last.wanted, owner=last.owner, state="failed", attempt=3,
    code="storage_unavailable", detail="The storage did not answer while fetching the original.",
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


class Clicks:
    """Counts what a person has to press."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, what: Locator, **how: Any) -> None:
        self.count += 1
        what.click(**how)


@pytest.fixture
def click(page: Page) -> Clicks:
    page.set_default_timeout(PATIENT_MS)
    expect.set_options(timeout=PATIENT_MS)
    return Clicks()


def run(service: Service, code: str) -> None:
    service.manage("shell", "--no-imports", "-c", code)


def first_picture(page: Page) -> None:
    """Open the newest picture that is done."""
    page.goto("/admin/library/?state=done")
    page.locator(".gi-cell-name").first.click()
    expect(page.get_by_role("heading", name="Sizes")).to_be_visible()


@at_both_sizes
def test_a_failed_picture_is_found_understood_and_its_group_retried(
    page: Page, service: Service, click: Clicks
) -> None:
    run(service, _FAIL)
    page.goto("/admin/")
    click(page.get_by_role("link", name="Storage, network or disk"))
    group = page.get_by_role("region", name="Storage, network or disk")
    expect(group.get_by_text("The storage did not answer")).to_be_visible()
    click(group.get_by_role("button", name="Retry"))
    expect(page.get_by_text("1 queued again.")).to_be_visible()
    page.goto("/admin/library/?state=done&period=today")
    expect(page.locator(".gi-cell").first).to_be_visible()
    assert click.count <= 4


@once
def test_twenty_files_are_added_with_progress_and_a_refusal_beside_its_name(page: Page, click: Clicks) -> None:
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
    assert click.count <= 4


@once
def test_a_preset_is_edited_previewed_saved_and_run_until_nothing_is_stale(page: Page, click: Clicks) -> None:
    page.goto("/admin/presets/gallformers/")
    page.locator("[name=size-0-quality]").fill("61")
    click(page.get_by_role("button", name="Preview"))
    expect(page.locator(".gi-preview")).to_be_visible()
    expect(page.locator("[name=size-0-quality]")).to_have_value("61")
    click(page.get_by_role("button", name="Save as a new version"))
    expect(page.get_by_text("stale now: a run makes them anew").first).to_be_visible()
    click(page.get_by_role("button", name="Make them anew by a run"))
    click(page.get_by_role("link", name="Confirm"))
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator(".gi-outcome-title", has_text="finished")).to_be_visible()
    page.goto("/admin/presets/gallformers/")
    expect(page.get_by_text("No web version is stale.").first).to_be_visible()
    assert click.count <= 4


@at_both_sizes
def test_a_picture_is_turned_and_its_web_versions_follow(page: Page, click: Clicks) -> None:
    first_picture(page)
    large = page.locator("img.gi-large")
    before = large.get_attribute("src")
    size = large.get_attribute("width"), large.get_attribute("height")
    click(page.get_by_role("button", name="Turn right"))
    page.wait_for_function(
        "before => document.querySelector('img.gi-large')?.getAttribute('src') !== before", arg=before
    )
    assert (large.get_attribute("height"), large.get_attribute("width")) == size
    assert click.count == 1


@at_both_sizes
def test_a_picture_is_deleted_and_restored(page: Page, click: Clicks) -> None:
    first_picture(page)
    click(page.get_by_text("Delete", exact=True))
    click(page.get_by_role("button", name="Delete this picture"))
    expect(page.get_by_text("This picture is deleted")).to_be_visible()
    click(page.get_by_role("button", name="Restore"))
    expect(page.get_by_text("It is back.")).to_be_visible()
    assert click.count == 3


@once
def test_five_hundred_pictures_get_a_licence(page: Page, service: Service, click: Clicks) -> None:
    run(service, _MANY)
    page.goto("/admin/library/?q=herbarium")
    page.locator("#gi-kind").select_option("rights")
    click(page.get_by_label("All 500 that match"))
    click(page.get_by_role("button", name="Next"))
    page.get_by_label("Licence").fill("https://creativecommons.org/licenses/by/4.0/")
    click(page.get_by_role("button", name="Set rights of 500 pictures"))
    expect(page.get_by_text("500 done")).to_be_visible()
    assert click.count == 3


@once
def test_pictures_are_chosen_and_tagged_by_keyboard_alone(page: Page) -> None:
    page.set_default_timeout(PATIENT_MS)
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
    expect(page.get_by_text("2 done")).to_be_visible(timeout=PATIENT_MS)


@on_a_phone
def test_one_signs_out_by_keyboard_on_a_phone(page: Page) -> None:
    page.set_default_timeout(PATIENT_MS)
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
    page.set_default_timeout(PATIENT_MS)
    page.goto("/admin/presets/ingest/")
    page.locator("[name=size-1-quality]").fill("44")
    last = page.locator("[data-gi-rows] tr").count() - 1
    page.locator(f"[name=size-{last}-name]").fill("tiny")
    page.locator(f"[name=size-{last}-side_px]").fill("64")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("[name=size-1-quality]")).to_have_value("44")
    expect(page.locator(f"[name=size-{last}-name]")).to_have_value("tiny")
