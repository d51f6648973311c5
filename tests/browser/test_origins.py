"""A page of another origin, in a real browser: uploads with progress and follows its job, if its site is named."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.service import Service, photo, running

pytestmark = pytest.mark.browser

_PAGE = b"<!doctype html><title>gall site</title><input type=file>"
_UPLOAD = """async ([url, key]) => {
    const form = new FormData();
    form.append("file", document.querySelector("input").files[0]);
    const progress = [];
    const sent = await new Promise((done) => {
        const request = new XMLHttpRequest();
        request.open("POST", url + "/v1/images");
        request.setRequestHeader("Authorization", "Bearer " + key);
        request.setRequestHeader("Idempotency-Key", crypto.randomUUID());
        request.upload.onprogress = (event) => progress.push([event.loaded, event.total]);
        request.onload = () => done(request);
        request.onerror = () => done(null);
        request.send(form);
    });
    if (!sent) return {refused: true};
    const job = sent.getResponseHeader("Location");
    let answer, wait;
    do {
        const poll = await fetch(url + job, {headers: {Authorization: "Bearer " + key}});
        wait = wait || poll.headers.get("RateLimit-Policy");
        answer = await poll.json();
        await new Promise((later) => setTimeout(later, 100));
    } while (answer.status == "processing");
    return {status: sent.status, progress, retryAfter: sent.getResponseHeader("Retry-After"), answer, wait};
}"""


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    """The port of a site that is not ours; as 127.0.0.1 it is named, as localhost it is not."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, site: int) -> Iterator[Service]:
    env = {"UPLOAD_ORIGINS": f"http://127.0.0.1:{site}", "READS_PER_MINUTE": "10000"}
    with running(tmp_path_factory.mktemp("origins") / "data", env) as started:
        yield started


def upload(chromium: Browser, service: Service, page_url: str) -> Any:
    key = service.manage("apikey", "create", "the gall site").strip()
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(page_url)
        picture = {"name": "gall.jpg", "mimeType": "image/jpeg", "buffer": photo(1600, 1200)}
        page.locator("input").set_input_files(picture)  # type: ignore[arg-type]
        return page.evaluate(_UPLOAD, [service.url, key])


def test_a_named_site_uploads_with_progress_and_follows_its_job(chromium: Browser, service: Service, site: int) -> None:
    found = upload(chromium, service, f"http://127.0.0.1:{site}/")
    assert (found["status"], found["answer"]["status"]) == (202, "done")
    assert found["progress"]
    assert found["progress"][-1][0] == found["progress"][-1][1]
    assert int(found["retryAfter"]) >= 1
    assert found["wait"] == '"read";q=10000;w=60'


def test_another_does_not(chromium: Browser, service: Service, site: int) -> None:
    assert upload(chromium, service, f"http://localhost:{site}/") == {"refused": True}
