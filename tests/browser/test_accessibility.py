"""Every page before axe-core, wide and narrow, light and dark; and walked by Tab."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PATIENT_MS, SIZES, sign_in
from tests.browser.pages import PAGES
from tests.e2e.service import Service

pytestmark = pytest.mark.browser

GRAVE = ("moderate", "serious", "critical")
MODES = [(size, theme) for size in SIZES for theme in ("light", "dark")]
#: No page has more stops of the Tab key than that.
MOST_STOPS = 400

_RUN = """
from media_jobs.callers import SYSTEM
from media_jobs.services.runs import lifecycle
lifecycle.confirm(lifecycle.create(owner=SYSTEM, preset="ingest", note="For a look").pk, actor=SYSTEM)
"""

#: Names all that one can see and act on. Boxes of a grid are one stop, as radio buttons of a name: arrows move there.
_NAME_ALL = """() => {
  const can = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const groups = new Set();
  let number = 0;
  for (const part of document.querySelectorAll(can)) {
    if (part.disabled || part.closest("[inert], [aria-hidden=true]")) continue;
    if (!part.checkVisibility({ visibilityProperty: true })) continue;
    if (part.closest("details:not([open]) > :not(summary)")) continue;
    const grid = part.matches("[data-gi-grid] input") && part.closest("[data-gi-grid]");
    const group = grid || (part.type === "radio" && `${part.form?.action} ${part.name}`);
    if (group && groups.has(group)) continue;
    if (group) groups.add(group);
    part.dataset.stop = number++;
    if (group) part.dataset.stopGroup = part.type === "radio" ? part.name : "grid";
  }
  document.activeElement?.blur();
  return number;
}"""
#: Which of them has the focus; of a group any.
_WHERE = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  if (at.dataset.stop) return at.dataset.stop;
  const first = at.type === "radio"
    ? document.querySelector(`[data-stop-group="${at.name}"]`)
    : at.closest("[data-gi-grid]")?.querySelector("[data-stop-group=grid]");
  return first?.dataset.stop ?? "";
}"""
_CALLED = "number => document.querySelector(`[data-stop='${number}']`)?.outerHTML.slice(0, 140) ?? 'gone'"


@pytest.fixture
def open_page(request: pytest.FixtureRequest, chromium: Browser, service: Service) -> Iterator[Page]:
    """A page of one of MODES. axe-core comes as an inline script, which the pages' policy forbids."""
    size, theme = request.param
    with chromium.new_context(
        base_url=service.url, viewport=SIZES[size], color_scheme=theme, bypass_csp=True
    ) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENT_MS)
        sign_in(page, service)
        yield page


def addresses(page: Page) -> list[str]:
    """All pages, and those of one thing of each kind."""
    page.goto("/admin/library/?state=done")
    picture = page.locator(".gi-cell-name").first.get_attribute("href")
    found = [*PAGES.values(), picture or ""]
    for kind in ("job", "derivative", "preset", "reprocessrun", "maintenancetask"):
        page.goto(f"/admin/media_jobs/{kind}/")
        found.append(page.locator("#result_list tbody a").first.get_attribute("href") or "")
    return found


@pytest.fixture(scope="module", autouse=True)
def _a_run(service: Service) -> None:
    service.manage("shell", "--no-imports", "-c", _RUN)


@pytest.mark.usefixtures("broken_picture")
@pytest.mark.parametrize("open_page", MODES, ids=["-".join(mode) for mode in MODES], indirect=True)
def test_axe_finds_nothing_grave_on_any_page(open_page: Page) -> None:
    page, wrong = open_page, []
    for address in addresses(page):
        page.goto(address, wait_until="networkidle")
        found = Axe().run(page).response["violations"]
        wrong += [
            f"{address}: {one['id']} {node['html'][:160]}"
            for one in found
            if one["impact"] in GRAVE
            for node in one["nodes"]
        ]
        if page.locator("main").count() != 1:
            wrong.append(f"{address}: {page.locator('main').count()} times main")
    assert wrong == []


@pytest.mark.usefixtures("broken_picture")
@pytest.mark.parametrize("open_page", [("wide", "light"), ("narrow", "dark")], ids=["wide", "narrow"], indirect=True)
def test_tab_comes_to_all_that_one_can_act_on_and_is_nowhere_caught(open_page: Page) -> None:
    page, wrong = open_page, []
    for address in addresses(page):
        page.goto(address, wait_until="networkidle")
        left = {str(number) for number in range(page.evaluate(_NAME_ALL))}
        for _ in range(MOST_STOPS):
            page.keyboard.press("Tab")
            at = page.evaluate(_WHERE)
            left.discard(at)
            if at is None or not left:  # past the last one
                break
        wrong += [f"{address}: {page.evaluate(_CALLED, number)}" for number in sorted(left, key=int)]
    assert wrong == []
