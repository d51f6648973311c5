"""The admin as a curator meets it, in a real browser on a real service, without the internet.

The fixture `page` fails each of these tests if anything is asked for elsewhere, missing, or wrong in the console.
"""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
at_every_size = pytest.mark.parametrize("page", ["wide-light", "narrow-light"], indirect=True)
once = pytest.mark.parametrize("page", ["wide-light"], indirect=True)


@at_every_size
def test_the_thumbnails_of_the_originals_load_at_their_final_size(page: Page) -> None:
    page.goto("/admin/media_jobs/original/?latest=done", wait_until="networkidle")
    thumbnails = page.locator("#result_list img.gi-thumb")
    assert thumbnails.count() >= 2
    for thumbnail in thumbnails.all()[:5]:
        thumbnail.scroll_into_view_if_needed()
        expect(thumbnail).to_have_js_property("complete", True)
        assert thumbnail.evaluate("image => image.naturalWidth") > 0
        box = thumbnail.bounding_box()
        assert box
        assert (box["width"], box["height"]) == (56, 56)
        assert "Thumbnail of " in (thumbnail.get_attribute("alt") or "")


@at_every_size
def test_every_size_of_a_picture_can_be_looked_at(page: Page, picture: str) -> None:
    page.goto(f"/admin/media_jobs/original/{picture}/change/")
    sizes = page.get_by_role("region", name="Sizes").locator("tbody tr")
    expect(sizes).to_have_count(4)
    large = page.locator("img.gi-large")
    for number in range(4):
        link = sizes.nth(number).get_by_role("link").first
        name = link.inner_text()
        link.click()
        expect(large).to_have_attribute("alt", re.compile(f", {name}$"))
        expect(large).to_have_js_property("complete", True)
        assert large.evaluate("image => image.naturalWidth") > 0


@at_every_size
def test_failed_jobs_are_retried_from_their_list(page: Page, broken_picture: str) -> None:
    page.goto(f"/admin/media_jobs/job/?q={broken_picture}")
    page.locator("#result_list .action-select").check()
    page.locator("#changelist-actions select[name=action]").select_option("retry")
    page.locator("#changelist-actions button[type=submit]").click()
    expect(page.get_by_text("1 queued again.")).to_be_visible()


@at_every_size
def test_a_failed_job_is_retried_from_its_page(page: Page, broken_picture: str) -> None:
    page.goto(f"/admin/media_jobs/job/{broken_picture}/change/")
    if (page.viewport_size or {"width": 0})["width"] > 1000:
        page.get_by_role("link", name="Retry").click()
        page.locator("#dialog button[type=submit]").click()
    else:
        page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("1 queued again.")).to_be_visible()
    expect(page.locator(".gi-timeline").get_by_text("retried by admin")).to_be_visible()


@once
def test_one_click_shows_all_failures_of_one_cause(page: Page, broken_picture: str) -> None:
    page.goto("/admin/media_jobs/job/?state__exact=failed")
    page.get_by_role("navigation", name="Causes").get_by_role("link", name="truncated").click()
    page.wait_for_url("**code=truncated*")
    expect(page.locator(f"#result_list a[href*='{broken_picture}']").first).to_be_visible()


@at_every_size
def test_chosen_jobs_are_cancelled_after_a_question(page: Page, broken_picture: str) -> None:
    page.goto(f"/admin/media_jobs/job/?q={broken_picture}")
    page.locator("#result_list .action-select").check()
    page.locator("#changelist-actions select[name=action]").select_option("cancel")
    page.locator("#changelist-actions button[type=submit]").click()
    expect(page.get_by_text("None of these jobs can be cancelled.")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#result_list .action-select")).to_be_visible()


@at_every_size
def test_what_became_of_a_pictures_secrets_is_on_its_page(page: Page, picture: str) -> None:
    page.goto(f"/admin/media_jobs/original/{picture}/change/")
    receipt = page.get_by_role("region", name="Privacy")
    receipt.get_by_text("Every name").click()
    for rendition in ("full", "medium", "small", "thumb"):
        expect(receipt.get_by_role("rowheader", name=f"In {rendition}")).to_be_visible()


@once
def test_the_theme_follows_the_system(page: Page) -> None:
    light = page.evaluate("getComputedStyle(document.getElementById('main')).backgroundColor")
    page.emulate_media(color_scheme="dark")
    page.reload(wait_until="networkidle")
    assert page.evaluate("getComputedStyle(document.getElementById('main')).backgroundColor") != light
