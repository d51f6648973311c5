"""Plain functions of the admin in a browser that runs no scripts."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import PATIENT_MS, SIZES, sign_in_anew
from tests.browser.pages import DESK
from tests.e2e.service import Service, photo

pytestmark = pytest.mark.browser


@pytest.fixture(params=["wide", "narrow"])
def page(
    request: pytest.FixtureRequest, chromium: Browser, service: Service, signed_in: StorageState
) -> Iterator[Page]:
    with chromium.new_context(
        base_url=service.url, viewport=SIZES[request.param], java_script_enabled=False, storage_state=signed_in
    ) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENT_MS)
        yield page


def test_every_page_of_the_desk_shows_itself(page: Page) -> None:
    for address in DESK.values():
        page.goto(address)
        expect(page.get_by_role("main")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_picture_is_added_credited_deleted_and_restored(page: Page) -> None:
    page.goto("/admin/add/")
    sent = {"name": "plain.jpg", "mimeType": "image/jpeg", "buffer": photo(240, 160)}
    page.get_by_label("Drop pictures here").set_input_files(sent)  # type: ignore[arg-type]
    page.get_by_role("button", name="Add them").click()
    page.get_by_role("link", name="plain.jpg").click()
    page.get_by_label("Credit").fill("Ada")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete this picture").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("It is back.")).to_be_visible()


def test_chosen_pictures_are_tagged(page: Page) -> None:
    page.goto("/admin/library/")
    page.locator("[name=picture]").first.check()
    page.locator("#gi-kind").select_option("tag")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Tags to add").fill("plain")
    page.get_by_role("button", name=re.compile("^Tag 1 picture$")).click()
    expect(page.get_by_text(re.compile("[01] of 1"))).to_be_visible()


def test_one_signs_out(page: Page, service: Service) -> None:
    sign_in_anew(page, service)
    page.get_by_role("button", name="Log out").last.click()
    page.wait_for_url("**/admin/logout/")
