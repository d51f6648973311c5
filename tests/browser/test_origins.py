"""A page of another origin, in a real browser: uploads with progress and follows its job live, if its site is named.

The page is the one that we show to be copied, with this run's address in it.
"""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from gallimg_client import Client
from playwright.sync_api import Browser, Page, Route, expect

from tests import images
from tests.e2e.accounts import api_key
from tests.e2e.pausing import no_work
from tests.e2e.service import ROOT, Service, running

pytestmark = pytest.mark.browser

LIMIT_MS = 120_000
PAGE = ROOT / "clients/browser/upload.html"
#: What the page does not show: each step of its bar and of its status line, and what its streams say.
WATCH = """
window.seen = {bar: [], status: [], events: []};
new MutationObserver(() => seen.status.push(document.querySelector("[role=status]").textContent))
  .observe(document, {childList: true, subtree: true, characterData: true});
addEventListener("DOMContentLoaded", () => {
  const bar = document.querySelector("progress");
  new MutationObserver(() => seen.bar.push(bar.value)).observe(bar, {attributes: true});
});
window.EventSource = class extends EventSource {
  constructor(url) {
    super(url);
    this.addEventListener("message", (event) => seen.events.push(JSON.parse(event.data)));
  }
};
"""


class Site(BaseHTTPRequestHandler):
    """The server of a site that is not ours: its page, and a credential for whoever looks at it."""

    service, key = "", ""

    def do_GET(self) -> None:
        page = PAGE.read_text().replace("http://127.0.0.1:8080", self.service)
        found = {"/": page, "/credential": self.key}.get(self.path)
        body = (found or "").encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The test tells what went wrong."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """That of the site: as 127.0.0.1 it is named, as localhost it is not."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Service]:
    env = {"UPLOAD_ORIGINS": f"http://127.0.0.1:{port}", "READS_PER_MINUTE": "10000"}
    with running(tmp_path_factory.mktemp("origins") / "data", env) as started:
        Site.service, Site.key = started.url, api_key(started)
        started.headers = {"Authorization": f"Bearer {Site.key}"}
        yield started


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context() as context:
        found = context.new_page()
        found.add_init_script(WATCH)
        yield found


def slow_down(page: Page, bytes_per_s: int) -> None:
    """So that an upload goes on for longer than the browser waits between two events of its progress."""
    line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", line)


def upload(page: Page, content: bytes) -> None:
    picture = {"name": "gall.jpg", "mimeType": "image/jpeg", "buffer": content}
    page.locator("input").set_input_files(picture, timeout=LIMIT_MS)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload").click()


def stored(service: Service) -> int:
    """How many images the caller of the page has."""
    return len(httpx.get(f"{service.url}/v1/images", headers=service.headers).json()["images"])


def test_a_named_site_uploads_with_progress_and_follows_its_job_live(page: Page, service: Service, port: int) -> None:
    page.goto(f"http://127.0.0.1:{port}/")
    slow_down(page, 10_000_000)
    picture = images.jpeg(1600, 1200)
    a_stream = page.expect_response(lambda answer: "/v1/events?" in answer.url, timeout=LIMIT_MS)
    with no_work(service), a_stream as stream:
        upload(page, picture + bytes(20_000_000))
    assert stream.value.status == 200
    expect(page.get_by_role("status")).to_have_text("Done", timeout=LIMIT_MS)
    seen = page.evaluate("seen")
    assert [share for share in seen["bar"] if 0 < share < 1]
    assert seen["bar"] == sorted(seen["bar"])
    assert seen["bar"][-1] == 1
    assert [event["number"] for event in seen["events"]] == list(range(2, len(seen["events"]) + 2))
    assert seen["events"][-1]["status"] == "done"
    expect(page.locator("img")).to_have_count(4)
    assert all(url.startswith(service.url) for url in page.locator("img").evaluate_all("all => all.map(i => i.src)"))


def test_it_says_why_a_file_is_refused_or_comes_to_nothing(page: Page, service: Service, port: int) -> None:
    page.goto(f"http://127.0.0.1:{port}/")
    upload(page, b"no picture at all" * 100)
    expect(page.get_by_role("status")).to_contain_text("accepted", timeout=LIMIT_MS)
    whole = images.jpeg(1600, 1200)
    upload(page, whole[: len(whole) // 2])
    expect(page.get_by_role("status")).to_contain_text("breaks off", timeout=LIMIT_MS)


def test_an_answer_that_comes_late_does_not_undo_the_end(page: Page, service: Service, port: int) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    def open_and_end(route: Route) -> None:
        origin = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(headers=origin, content_type="text/event-stream", body="data: {}\n\n")

    page.route(re.compile(r"/v1/jobs/.*wait=0$"), hold_the_first)
    page.route(re.compile(r"/v1/events\?"), open_and_end)
    page.goto(f"http://127.0.0.1:{port}/")
    whole = images.jpeg(1600, 1200)
    upload(page, whole[: len(whole) // 2])
    status = page.get_by_role("status")
    expect(status).to_contain_text("breaks off", timeout=LIMIT_MS)
    [route] = held
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "status": "processing", "stage": "rendering", "progress": 15})
    page.wait_for_timeout(500)
    assert "breaks off" in (status.text_content() or "")


def test_a_site_that_is_not_named_stores_and_learns_nothing(page: Page, service: Service, port: int) -> None:
    before = stored(service)
    page.add_init_script("const later = setTimeout; setTimeout = (call, ms) => later(call, ms / 100);")
    page.goto(f"http://localhost:{port}/")
    upload(page, images.jpeg())
    expect(page.get_by_role("status")).to_have_text("The service cannot be reached from this page.", timeout=LIMIT_MS)
    assert stored(service) == before
    asked = "([url, key]) => fetch(url, {headers: {Authorization: `Bearer ${key}`}}).then(String, String)"
    assert page.evaluate(asked, [f"{service.url}/v1/images", Site.key]) == "TypeError: Failed to fetch"
    with Client(service.url, Site.key) as gallimg:
        stream = f"{service.url}/v1/events?ticket={gallimg.ticket()}"
    followed = "(url) => new Promise((told) => { const s = new EventSource(url); s.onopen = s.onerror = told; })"
    assert page.evaluate(f"(url) => ({followed})(url).then((event) => event.type)", stream) == "error"
