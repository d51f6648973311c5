"""`make screenshots`: every page of the desk, wide and narrow, light and dark, of a service with some pictures."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import PATIENT_MS, SIZES, sign_in
from tests.browser.pages import PAGES
from tests.e2e.service import Service, photo, running, wait_until

_PICTURES = 18


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
    samples = sorted((Path(__file__).parents[2] / "media_jobs/demo/samples").glob("*.jp*g"))
    for number in range(_PICTURES):
        content = samples[number % len(samples)].read_bytes() if samples else photo(600 + number * 20, 450)
        service.upload(content)
    broken = photo()[:5_000]
    httpx.post(f"{service.url}/v1/images", files={"file": ("oak apple, cut short.jpg", broken)})


def _shoot(browser: Browser, service: Service, folder: Path, size: str, theme: str) -> None:
    with browser.new_context(
        base_url=service.url, viewport=SIZES[size], color_scheme="dark" if theme == "dark" else "light"
    ) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENT_MS)
        sign_in(page, service)
        page.goto("/admin/library/?state=done")
        picture = page.locator(".gi-cell-name").first.get_attribute("href") or ""
        for name, address in {**PAGES, "picture": picture}.items():
            _shoot_one(page, address, folder / f"{name}-{size}-{theme}.png")


def _shoot_one(page: Page, address: str, target: Path) -> None:
    page.goto(address)
    page.wait_for_timeout(1_500)  # what is asked for afterwards
    page.screenshot(path=target)
    print(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
