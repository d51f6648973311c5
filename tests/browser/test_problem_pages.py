"""Pages about errors in a real browser: on every width, light and dark, without a word from elsewhere."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_a_problem_leads_to_a_page_and_from_there_to_all_others(page: Page) -> None:
    problem = page.request.get("/v1/images/").json()
    page.goto(problem["type"], wait_until="networkidle")
    expect(page.get_by_role("heading", level=1)).to_have_text(problem["title"])
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="All errors").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Errors")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="unknown_field").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Unknown field")


@pytest.mark.parametrize("page", ["wide-dark", "wide-light"], indirect=True)
def test_the_page_follows_the_system_from_light_to_dark(page: Page) -> None:
    page.goto("/docs/problems/unknown_field")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(20, 25, 29)") == dark
