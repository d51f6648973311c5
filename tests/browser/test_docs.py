"""The documentation of the API in a real browser, without the internet."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

METHODS = ("get", "head", "post", "put", "patch", "delete")


def open_docs(page: Page) -> None:
    page.goto("/docs")
    document = page.request.get("/openapi.json").json()
    named = [*document["paths"].values(), *document["webhooks"].values()]
    calls = sum(method in METHODS for path in named for method in path)
    expect(page.locator(".opblock")).to_have_count(calls, timeout=60_000)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("page", ["wide-dark", "narrow-light"], indirect=True)
def test_the_documentation_names_every_call_and_lets_one_be_tried(page: Page) -> None:
    """What is tried sends what was filled in, and nothing else: no defaults, no empty fields."""
    open_docs(page)
    assert fits(page)
    page.locator(".opblock-summary", has_text="Upload a picture and queue").first.click()
    page.get_by_role("button", name="Try it out").click()
    picture = {"name": "gall.png", "mimeType": "image/png", "buffer": PNG}
    page.locator("input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    page.get_by_placeholder("tags").fill("rose,gall")
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("202")
    assert fits(page)
    sent = page.locator(".curl-command").inner_text()
    assert sorted(re.findall(r"-F '(\w+)=", sent)) == ["file", "tags"]
    assert page.locator(".request-url").inner_text().strip().endswith("/v1/images")


@pytest.mark.parametrize("page", ["wide-light", "narrow-dark"], indirect=True)
def test_an_error_is_one_line_with_a_real_answer_behind_it(page: Page) -> None:
    open_docs(page)
    page.locator(".opblock-summary", has_text="How far a job is").first.click()
    page.locator(".problem summary", has_text="not_found").first.click()
    line = page.locator(".problem details[open]")
    expect(line.locator("pre")).to_contain_text('"code": "not_found"')
    expect(line.get_by_role("link")).to_have_attribute("href", "/docs/problems/not_found")


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)


@pytest.mark.parametrize("page", ["wide-dark", "wide-light"], indirect=True)
def test_the_documentation_follows_the_system_from_light_to_dark(page: Page) -> None:
    page.goto("/docs")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (background == "rgb(28, 32, 34)") == dark


@pytest.mark.parametrize("page", ["narrow-dark"], indirect=True)
def test_the_headers_of_answers_can_be_read_in_the_dark(page: Page) -> None:
    open_docs(page)
    page.locator(".opblock-summary", has_text="/v1/images").first.click()
    heading, name = page.locator("th.header-col").first, page.locator("td.header-col").first
    colour = "cell => getComputedStyle(cell).color"
    assert name.evaluate(colour) == heading.evaluate(colour)
