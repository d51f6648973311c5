"""Every page, wide and narrow, light and dark: before axe-core, in its window, walked by Tab, without the internet.

One walk for each size, as opening the pages takes longer than looking at them.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.pages import PAGES
from tests.e2e.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.timeout(3600)]  # one walk is as long as forty tests

GRAVE = ("moderate", "serious", "critical")
LOGIN = "/admin/login/"
#: How often Tab is pressed before it is asked where it has been.
AT_ONCE = 10

_RUN = """
from media_jobs.callers import SYSTEM
from media_jobs.models import Original
from media_jobs.services.runs import lifecycle
one = Original.objects.filter(jobs__state="done").order_by("-id").values_list("pk", flat=True)[:1]
run = lifecycle.create(owner=SYSTEM, preset="ingest", note="For a look", image_ids=list(one))
lifecycle.confirm(run.pk, actor=SYSTEM)
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
  window.left = new Set(Array.from({ length: number }, (_, at) => String(at)));
  document.addEventListener("focusin", ({ target: at }) => {
    const first = at.type === "radio"
      ? document.querySelector(`[data-stop-group="${at.name}"]`)
      : at.closest("[data-gi-grid]")?.querySelector("[data-stop-group=grid]");
    window.left.delete(at.dataset.stop ?? first?.dataset.stop);
  });
  return number;
}"""
#: As unfold does where one chooses a theme; colours that fade over would be judged half-way.
_SHOW = """async theme => {
  document.documentElement.classList.toggle("dark", theme === "dark");
  const fading = document.getAnimations().filter(change => change instanceof CSSTransition);
  await Promise.all(fading.map(change => change.finished.catch(() => {})));
}"""
_LEFT = """() => [...window.left].map(
  number => document.querySelector(`[data-stop='${number}']`)?.outerHTML.slice(0, 140) ?? "gone"
)"""


def addresses(page: Page, picture: str) -> list[str]:
    """All pages, and those of one thing of each kind."""
    of_picture = f"/admin/media_jobs/original/{picture}/"
    found = [*PAGES.values(), f"{of_picture}change/", f"{of_picture}history/"]
    page.goto(found[-2])
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**left=**")
    found.append(page.url)
    page.goto("/admin/library/?state=failed")
    found.append(page.locator(".gi-cell-name").first.get_attribute("href") or "")
    for kind in ("job", "jobevent", "derivative", "preset", "reprocessrun", "maintenancetask"):
        page.goto(f"/admin/media_jobs/{kind}/")
        found.append(page.locator("#result_list tbody a").first.get_attribute("href") or "")
    return [*found, *of_a_bulk_action(page)]


def of_a_bulk_action(page: Page) -> list[str]:
    """What is asked before it, as it stays in another one, and how far it is."""
    found = []
    for is_begun in (True, False):
        page.goto("/admin/library/?state=done")
        page.locator("[name=picture]").first.check()
        page.locator("#gi-kind").select_option("tag")
        page.get_by_role("button", name="Next").click()
        tags = page.get_by_label("Tags to add")
        tags.fill("oak")
        if is_begun:
            tags.press("Enter")
            expect(page.get_by_text("1 done")).to_be_visible()
        found.append(page.url)
    return found


@pytest.fixture(scope="module", autouse=True)
def _a_run(service: Service) -> None:
    service.manage("shell", "--no-imports", "-c", _RUN)


@pytest.mark.usefixtures("broken_picture")
@pytest.mark.parametrize("page", ["wide-light", "narrow-dark"], indirect=True)
def test_every_page_is_accessible_and_fits_its_window(page: Page, picture: str) -> None:
    wrong = []
    for address in (*addresses(page, picture), LOGIN):
        if address == LOGIN:
            page.context.clear_cookies()
        page.goto(address)
        page.wait_for_function("!document.querySelector('[aria-busy=true]')")  # what comes after the page is there
        found = by_layout(page) + [f"Tab does not come to {part}" for part in by_tab(page)]
        for theme in ("light", "dark"):
            page.evaluate(_SHOW, theme)
            found += [f"{theme}: {fault}" for fault in by_axe(page)]
        wrong += [f"{address}: {fault}" for fault in found]
    assert not wrong, "\n".join(wrong)


def by_axe(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']} {node['html'][:160]}" for one in found if one["impact"] in GRAVE for node in one["nodes"]]


def by_layout(page: Page) -> list[str]:
    wrong = []
    if (count := page.locator("main").count()) != 1:
        wrong.append(f"{count} times main")
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        wrong.append("wider than its window")
    return wrong


def by_tab(page: Page) -> list[str]:
    """What of all that one can act on has not had the focus after so many presses of Tab that it came round twice."""
    stops: int = page.evaluate(_NAME_ALL)
    left: list[str] = page.evaluate(_LEFT)
    for _ in range(2 + 2 * stops // AT_ONCE):
        if not left:
            break
        for _ in range(AT_ONCE):
            page.keyboard.press("Tab")
        left = page.evaluate(_LEFT)
    return left
