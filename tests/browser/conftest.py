"""Chromium before a running service that has two good pictures.

Starting either takes seconds, so tests of all files share them: no test may rely on how many pictures there are, and
one that changes a picture has its own.
"""

import os
import re
import shutil
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, StorageState, ViewportSize, expect, sync_playwright

from tests.e2e.service import START_LIMIT_S, Service, photo, running, wait_until

SIZES: dict[str, ViewportSize] = {
    "wide": {"width": 1440, "height": 900},
    "narrow": {"width": 390, "height": 844},
}
#: For each step: a machine with much to do takes its time.
PATIENT_MS = 90_000


#: A test takes many steps.
_TEST_S = 1200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_TEST_S))


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("browser") / "data", arguments=("--welcome",)) as started:
        wait_until(lambda: "sign in" in started.output, START_LIMIT_S, "the administrator's password")
        for _ in range(2):
            started.upload()
        yield started


@pytest.fixture
def picture(service: Service) -> str:
    """The id of a picture that is done, and the test's own."""
    return str(service.upload()["imageId"])


@pytest.fixture
def broken_picture(service: Service) -> str:
    """The id of a job that has failed, for a file that breaks off."""
    whole = photo()
    answer = httpx.post(f"{service.url}/v1/images", files={"file": ("broken.jpg", whole[: len(whole) // 2])})
    job = service.finished(answer.json()["jobId"])
    assert job["status"] == "error"
    return str(job["jobId"])


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no Chromium; apt-get install chromium")
    # As root it starts without its sandbox only.
    arguments = ["--disable-gpu", "--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    expect.set_options(timeout=PATIENT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Watch:
    """All that a page does wrong: addresses elsewhere, failed requests, errors in its console."""

    def __init__(self, page: Page, home: str) -> None:
        self.wrong: list[str] = []
        self._home = home
        page.on("request", lambda request: self._asked(request.url))
        page.on("response", self._answered)
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure or ""))
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("console", lambda line: self.wrong.append(line.text) if line.type == "error" else None)

    def _asked(self, url: str) -> None:
        if not url.startswith((f"{self._home}/", "data:", "blob:")):
            self.wrong.append(f"elsewhere: {url}")

    def _failed(self, url: str, why: str) -> None:
        if why != "net::ERR_ABORTED":  # the test has gone to another page meanwhile
            self.wrong.append(f"no answer: {url} {why}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="package")
def signed_in(chromium: Browser, service: Service) -> StorageState:
    """The cookies of one who has signed in. Who signs out does so for all: such a test signs in by itself before."""
    with chromium.new_context(base_url=service.url) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENT_MS)
        sign_in(page, service)
        return context.storage_state()


@pytest.fixture(params=["wide-light", "narrow-dark"])
def page(
    request: pytest.FixtureRequest, chromium: Browser, service: Service, signed_in: StorageState
) -> Iterator[Page]:
    """A page of its own, signed in, at the overview. Whatever it does wrong fails the test at the end."""
    size, _, theme = request.param.partition("-")
    with chromium.new_context(
        base_url=service.url,
        viewport=SIZES[size],
        color_scheme="dark" if theme == "dark" else "light",
        storage_state=signed_in,
    ) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENT_MS)
        watch = Watch(page, service.url)
        page.goto("/admin/")
        yield page
        page.wait_for_load_state("networkidle")
    assert watch.wrong == []


def sign_in_anew(page: Page, service: Service) -> None:
    """Begin a session of one's own, which may be ended."""
    page.context.clear_cookies()
    sign_in(page, service)


def sign_in(page: Page, service: Service) -> None:
    found = re.search(r"sign in +admin / (\S+)", service.output)
    assert found, "the service shows no password"
    page.goto("/admin/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", found[1])
    page.click("#login-form button")
    page.wait_for_url("**/admin/")
