"""Every page of the desk before axe-core, and by Tab: wide and narrow, light and dark."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import SIZES, sign_in
from tests.e2e.service import Service

pytestmark = pytest.mark.browser

PAGES = [
    "/admin/",
    "/admin/library/",
    "/admin/library/?view=list",
    "/admin/library/?q=zebra",
    "/admin/failures/",
    "/admin/failures/damaged/",
    "/admin/add/",
    "/admin/presets/",
    "/admin/presets/gallformers/",
    "/admin/queues/",
    "/admin/media_jobs/job/",
    "/admin/media_jobs/reprocessrun/",
    "/admin/media_jobs/change/",
    "/admin/auth/user/add/",
    "/admin/media_jobs/apikey/",
    "/admin/media_jobs/maintenancetask/",
]
GRAVE = ("moderate", "serious", "critical")
MODES = [(size, theme) for size in SIZES for theme in ("light", "dark")]

#: Which of the elements that one can act on Tab never comes to. Boxes of the grid are one stop: arrows do the rest.
_UNREACHED = """() => {
  const can = "a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select, textarea, summary";
  return [...document.querySelectorAll(can)].filter((part) => {
    if (part.tabIndex >= 0 || part.closest("[data-gi-grid]") || !part.checkVisibility()) return false;
    return !part.closest("[aria-hidden=true]");
  }).map((part) => part.outerHTML.slice(0, 120));
}"""


@pytest.fixture(params=MODES, ids=["-".join(mode) for mode in MODES])
def open_page(request: pytest.FixtureRequest, chromium: Browser, service: Service) -> Any:
    size, theme = request.param
    with chromium.new_context(
        base_url=service.url, viewport=SIZES[size], color_scheme=theme, bypass_csp=True
    ) as context:
        page = context.new_page()
        page.set_default_timeout(90_000)
        sign_in(page, service)
        yield page


@pytest.mark.usefixtures("broken_picture")
def test_axe_finds_nothing_grave_on_any_page_and_tab_comes_everywhere(open_page: Page) -> None:
    page, wrong = open_page, []
    page.goto("/admin/library/?state=done")
    picture = page.locator(".gi-cell-name").first.get_attribute("href")
    for address in [*PAGES, picture or ""]:
        page.goto(address)
        found = Axe().run(page).response["violations"]
        wrong += [
            f"{address}: {one['id']} {node['html'][:120]}"
            for one in found
            if one["impact"] in GRAVE
            for node in one["nodes"]
        ]
        wrong += [f"{address}: Tab never comes to {part}" for part in page.evaluate(_UNREACHED)]
        assert page.locator("main").count() == 1
    assert wrong == []
