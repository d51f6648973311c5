"""`make screenshots`: every page of the admin, wide and narrow, light and dark, of a service with some pictures."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import httpx
import pyvips
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import shadows
from tests.browser.conftest import PATIENT_MS, SIZES, sign_in
from tests.browser.pages import PAGES
from tests.e2e.service import Service, running, wait_until

_SAMPLES = Path(__file__).parents[2] / "media_jobs/demo/samples"
_NAMES = (
    "bedeguar gall", "oak apple", "marble gall", "knopper gall", "spangle gall", "artichoke gall", "cherry gall",
    "pineapple gall", "nail gall", "bean gall", "pea gall", "robin's pincushion",
)  # fmt: skip
_FAIL = """
from media_jobs.models import Job
newest = list(Job.objects.filter(state="done").order_by("-id").values_list("pk", flat=True)[:4])
Job.objects.filter(pk__in=newest[1:]).update(
    state="failed", code="storage_unavailable", detail="The storage did not answer while storing the web versions."
)
"""
#: Two that are worse, and one that is different.
_WORSE = """
from media_jobs.models import Shadow
for shadow, verdict, reason, says in zip(Shadow.objects.order_by("-pk"), ("worse", "worse", "different"), (
    "colour", "moved", "mixed"), ("xlarge: Ours has other colours: 86% as vivid as the original, ΔE 2.4 away.",
    "large: Ours lies 0.6 of a pixel beside its place.", "medium: Ours is better in one way, and worse in another.")):
    Shadow.objects.filter(pk=shadow.pk).update(verdict=verdict, reason=reason, sentence=says)
"""


def main(folder: Path) -> None:
    """Write the pictures of all pages into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, running(Path(data) / "data", arguments=("--welcome",)) as service:
        wait_until(lambda: "sign in" in service.output, 60, "the administrator's password")
        _fill(service)
        with sync_playwright() as playwright:
            arguments = ["--disable-gpu", "--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
            for size in SIZES:
                for theme in ("light", "dark"):
                    _shoot(browser, service, folder, size, theme)
            browser.close()


def _fill(service: Service) -> None:
    """Some good pictures, one that breaks off, and some that the storage failed."""
    samples = [path.read_bytes() for path in sorted(_SAMPLES.glob("*.jp*g"))]
    jobs = [
        _send(service, f"{name}.jpg", _varied(samples[number % len(samples)], number))
        for number, name in enumerate(_NAMES)
    ]
    jobs.append(_send(service, "oak apple, cut short.jpg", samples[0][:9_000]))
    for job in jobs:
        service.finished(job)
    service.manage("shell", "--no-imports", "-c", _FAIL)
    beside = {name.replace(" ", "-").replace("'", ""): _varied(samples[n % 2], n) for n, name in enumerate(_NAMES[:6])}
    shadows.fill(service, beside, spoilt=("marble-gall",))
    service.manage("shell", "--no-imports", "-c", _WORSE)


def _send(service: Service, name: str, content: bytes) -> str:
    answer = httpx.post(f"{service.url}/v1/images", files={"file": (name, content)}, timeout=60)
    return str(answer.json()["jobId"])


def _varied(sample: bytes, number: int) -> bytes:
    """Another picture of nearly the same: a part of it, of another hue."""
    whole = pyvips.Image.new_from_buffer(sample, "").autorot()
    side = min(whole.width, whole.height) * (10 - number % 4) // 10
    part = whole.crop((whole.width - side) * (number % 3) // 2, (whole.height - side) // 2, side, side * 4 // 5)
    turned = part.colourspace("lch").linear([1, 1, 1], [0, 0, number * 23 % 60 - 30])
    return bytes(turned.copy(interpretation="lch").colourspace("srgb").jpegsave_buffer(Q=88, keep="none"))


def _shoot(browser: Browser, service: Service, folder: Path, size: str, theme: str) -> None:
    with browser.new_context(
        base_url=service.url, viewport=SIZES[size], color_scheme="dark" if theme == "dark" else "light"
    ) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENT_MS)
        sign_in(page, service)
        page.goto("/admin/library/?state=done")
        picture = page.locator(".gi-cell-name").first.get_attribute("href") or ""
        page.goto("/admin/library/?state=failed")
        failed = page.locator(".gi-cell-name").first.get_attribute("href") or ""
        page.goto("/admin/cutover/pictures/")
        shadow = page.locator(".gi-rows .gi-link").first.get_attribute("href") or ""
        for name, address in {**PAGES, "picture": picture, "picture-failed": failed, "shadow": shadow}.items():
            _shoot_one(page, address, folder / f"{name}-{size}-{theme}.png")


def _shoot_one(page: Page, address: str, target: Path) -> None:
    page.goto(address, wait_until="networkidle")
    page.screenshot(path=target)
    print(target, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
