"""The cut-over's workbench and its ramp, from the scoreboard to the flag, on pictures that were really compared."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import shadows
from tests.e2e.service import Service

pytestmark = pytest.mark.browser
once = pytest.mark.parametrize("page", ["wide-light"], indirect=True)
_SAMPLES = Path(__file__).parents[2] / "media_jobs/demo/samples"


@pytest.fixture(scope="module")
def compared(service: Service) -> None:
    """Two that are as good as the site's, and two that are nothing like them."""
    samples = [path.read_bytes() for path in sorted(_SAMPLES.glob("*.jp*g"))]
    names = ("marble", "knopper", "cherry", "spangle")
    pictures = {name: samples[number % 2] for number, name in enumerate(names)}
    shadows.fill(service, pictures, spoilt=("cherry", "spangle"))


def press(page: Page, key: str) -> None:
    """Press a key once the page's script has come, as it says by what it shows."""
    expect(page.get_by_label("Keys")).to_be_visible()
    page.keyboard.press(key)


@once
def test_from_the_scoreboard_by_keys_through_what_needs_an_eye_to_the_ramp(page: Page, compared: None) -> None:
    page.goto("/admin/cutover/")
    expect(page.get_by_role("heading", name=re.compile("worse than the site"))).to_be_visible()
    expect(page.get_by_role("link", name="Better 4")).to_be_visible()  # theirs are what is spoilt

    page.get_by_role("link", name="Better 4").click()
    page.get_by_role("link", name=shadows.key("cherry")).click()
    theirs, ours = (
        page.get_by_role("img", name=re.compile("^Theirs")),
        page.get_by_role("img", name=re.compile("^Ours")),
    )
    for picture in (theirs, ours):
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("one => one.naturalWidth") > 200
    slider = page.get_by_role("slider", name="How much of theirs is seen")
    slider.fill("20")
    expect(page.locator("[data-gi-compare]")).to_have_attribute("style", re.compile("20%"))
    press(page, "x")
    expect(page.get_by_label("Show only where they differ")).to_be_checked()
    press(page, "4")
    expect(page.get_by_role("img", name="Theirs, small")).to_be_visible()

    press(page, "n")
    page.get_by_label("Note").fill("Upside down in spirit")
    page.keyboard.press("Escape")
    press(page, "w")
    expect(page.get_by_text("Just judged: Worse.")).to_be_visible()
    press(page, "u")
    expect(page.get_by_text("“Upside down in spirit”")).to_be_visible()

    page.goto("/admin/cutover/")
    expect(page.get_by_role("link", name="Worse 1")).to_be_visible()
    expect(page.get_by_text("Too many are worse").or_(page.get_by_text("Too few to say"))).to_be_visible()
    page.goto("/admin/flags/image-service/")
    expect(page.get_by_text("The guard refuses that it is raised.")).to_be_visible()
    page.get_by_role("button", name="5 %", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="The guard refuses")).to_be_visible()

    page.goto("/admin/cutover/pictures/?show=people")
    page.get_by_role("link", name=shadows.key("cherry")).click()
    page.get_by_role("button", name="Take your word back").click()
    expect(page.get_by_role("button", name="Take your word back")).to_be_hidden()
