"""A page of another origin hands a picture straight to the storage: Chromium's own rules, a real S3 server, and files.

The page's server asks the service for a form and tells it when the file is there. The file itself goes from the browser
to the storage, as such pages do it: with fetch, or with XMLHttpRequest where they show progress.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests import images
from tests.e2e.service import Service, running
from tests.e2e.stores import s3_settings
from tests.formats import raws
from tests.servers.seaweed import SeaweedFS, make_bucket

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><title>Galls</title><link rel="icon" href="data:,"><input type="file"><script>
const post = (url, body) => fetch(url, {method: "POST", body: JSON.stringify(body)}).then(answer => answer.json());
const ways = {
  fetch: (url, body) => fetch(url, {method: "POST", body}).then(answer => answer.status),
  progress: (url, body) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", event => window.sent = event.loaded);
    request.onload = () => resolve(request.status);
    request.onerror = () => reject(new Error("no answer"));
    request.open("POST", url);
    request.send(body);
  }),
};
async function upload(way) {
  const file = document.querySelector("input").files[0];
  const {uploadId, url, fields} = await post("/begin", {filename: file.name, contentType: file.type, bytes: file.size});
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  const status = await ways[way](url, form);
  return {status, ...await post("/done", {uploadId})};
}
</script>"""


class PageServer(BaseHTTPRequestHandler):
    """The page, and what it asks of its own server, which passes it on to the service."""

    service: str
    asked = {"/begin": "/v1/uploads", "/done": "/v1/images"}

    def do_GET(self) -> None:
        self._answer(200, "text/html", PAGE.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = httpx.post(
            self.service + self.asked[self.path], content=body, headers={"Content-Type": "application/json"}
        )
        self._answer(answer.status_code, "application/json", answer.content)

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The test tells what went wrong."""


@contextmanager
def page_server() -> Iterator[tuple[type[PageServer], str]]:
    """The handler, which is still to learn of the service, and the page's origin."""
    handler = type("Handler", (PageServer,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield handler, f"http://localhost:{server.server_address[1]}"
        server.shutdown()


Settings = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module", params=["files", "s3"])
def settings_for(request: pytest.FixtureRequest) -> Settings:
    """The settings for a storage that takes forms from pages of an origin."""
    if request.param == "files":
        return lambda origin: {"S3_BUCKET": "", "UPLOAD_ORIGINS": origin}
    seaweed: SeaweedFS = request.getfixturevalue("seaweed")

    def on_s3(origin: str) -> dict[str, str]:
        bucket = replace(seaweed, bucket=f"{seaweed.bucket}-pages")
        make_bucket(bucket, origins=[origin])
        return s3_settings(bucket)

    return on_s3


@pytest.fixture(scope="module")
def site(settings_for: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    """A service, and the origin of the page that uses it."""
    with page_server() as (handler, origin):
        data = tmp_path_factory.mktemp("direct") / "data"
        with running(data, settings_for(origin)) as started:
            handler.service = started.url
            yield started, origin


@pytest.fixture
def opened(chromium: Browser, site: tuple[Service, str]) -> Iterator[Page]:
    with chromium.new_context(base_url=site[1]) as context:
        page = context.new_page()
        page.goto("/")
        yield page


def choose(page: Page, content: bytes, name: str = "gall.jpg", mime_type: str = "image/jpeg") -> None:
    page.set_input_files("input", {"name": name, "mimeType": mime_type, "buffer": content})


@pytest.mark.parametrize("way", ["fetch", "progress"])
def test_a_page_elsewhere_stores_a_picture_and_learns_that_it_is_there(
    opened: Page, site: tuple[Service, str], way: str
) -> None:
    service, origin = site
    photo = images.jpeg(800, 600) + bytes(6_000_000)
    sent_to: list[str] = []
    opened.on("request", lambda request: sent_to.append(f"{request.method} {urlsplit(request.url).netloc}"))
    choose(opened, photo)
    answer = opened.evaluate("way => upload(way)", way)
    assert answer["status"] == 204
    job = service.finished(answer["jobId"])
    assert job["status"] == "done", job
    image = httpx.get(f"{service.url}/v1/images/{job['imageId']}").json()
    assert image["bytes"] == len(photo)
    assert any(not request.endswith(urlsplit(origin).netloc) for request in sent_to), "nothing went elsewhere"
    if way == "progress":
        assert opened.evaluate("window.sent") > len(photo)


def test_a_raw_file_whose_type_the_browser_does_not_know_goes_the_same_way(
    opened: Page, site: tuple[Service, str]
) -> None:
    choose(opened, raws.nef(images.jpeg(640, 480)), "DSC_0001.NEF", "")
    answer = opened.evaluate("upload('fetch')")
    assert answer["status"] == 204
    assert site[0].finished(answer["jobId"])["status"] == "done"


def test_a_page_of_an_origin_that_was_not_named_learns_nothing(chromium: Browser, site: tuple[Service, str]) -> None:
    service, _ = site
    with page_server() as (handler, elsewhere), chromium.new_context(base_url=elsewhere) as context:
        handler.service = service.url
        page = context.new_page()
        page.goto("/")
        choose(page, images.jpeg())
        outcome = page.evaluate("upload('fetch').then(JSON.stringify, error => String(error))")
    assert outcome == "TypeError: Failed to fetch"
