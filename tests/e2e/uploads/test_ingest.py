"""The documents' own examples, over real HTTP: their curl lines, and the Ingestion document's request to the byte."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import images
from tests.e2e.memory import peak_bytes, reset_peak_bytes
from tests.e2e.service import wait_until

pytestmark = pytest.mark.e2e

MB = 1_048_576


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(2400, 1800, facts=images.CAMERA)


@pytest.fixture
def photo_file(photo: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo)
    return path


def curl(*arguments: str) -> Any:
    """The JSON that curl prints."""
    path = shutil.which("curl")
    if path is None:
        pytest.skip("there is no curl; apt-get install curl")
    done = subprocess.run([path, "-sS", *arguments], capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


def finished(ask) -> dict[str, Any]:
    answer: dict[str, Any] = {}

    def is_over() -> bool:
        answer.clear()
        answer.update(ask())
        return bool(answer["status"] != "processing")

    wait_until(is_over, 120, "the end of the job")
    return answer


def test_the_gallformers_curl_lines_upload_and_poll(service, photo_file):
    """`curl -F "file=@/path/to/photo.jpg" …/v1/images` → {"jobId":…}; `curl …/v1/jobs/123e4567`."""
    job_id = curl("-F", f"file=@{photo_file}", f"{service.url}/v1/images")["jobId"]
    job = finished(lambda: curl(f"{service.url}/v1/jobs/{job_id}"))
    assert (job["status"], len(job["derivatives"])) == ("done", 4)


@pytest.mark.smoke
def test_the_ingestion_lines_upload_follow_and_fetch(service, photo_file):
    base = f"{service.url}/api/v1/ingest"
    accepted = curl("-F", f"image=@{photo_file};type=image/jpeg", "-F", "tags=vacation,beach,2024", f"{base}/upload")
    assert set(accepted) == {"jobId", "status", "estimatedTime", "message"}
    job = finished(lambda: curl(f"{base}/status/{accepted['jobId']}"))
    assert job["status"] == "completed"
    assert set(job["urls"]) == {"thumbnail", "thumbnail_legacy", "web", "web_legacy", "original"}
    for name in ("thumbnail", "web"):
        fetched = httpx.get(job["urls"][name])
        assert (fetched.status_code, fetched.headers["Content-Type"]) == (200, "image/webp")
        assert [secret for secret in images.SECRETS if secret in fetched.content] == []
        assert httpx.get(job["urls"][f"{name}_legacy"]).headers["Content-Type"] == "image/jpeg"
    tagged = httpx.get(f"{service.url}/v1/images", params={"tag": "beach"}).json()["images"]
    assert job["imageId"] in [image["imageId"] for image in tagged]  # another test, too, tags so
    assert curl("-X", "DELETE", f"{base}/{accepted['jobId']}")["code"] == "wrong_state"
    assert curl(f"{service.url}/api/v1/health")["status"] == "ok"


def test_the_ingestion_documents_request_is_taken_to_the_byte(service, photo):
    body = (
        b'--boundary\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n" + photo + b"\r\n--boundary\r\n"
        b'Content-Disposition: form-data; name="tags"\r\n\r\nvacation,beach,2024\r\n--boundary--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=boundary"}
    answer = httpx.post(f"{service.url}/api/v1/ingest/upload", content=body, headers=headers, timeout=30)
    assert answer.status_code == 202
    assert httpx.get(f"{service.url}{answer.headers['Location']}").json()["jobId"] == answer.json()["jobId"]


def test_a_batch_with_a_bad_file_in_it_processes_the_others(service, photo):
    files = [("images", ("a.jpg", photo)), ("images", ("b.svg", b"<svg/>")), ("images", ("c.jpg", images.jpeg(64, 48)))]
    answer = httpx.post(f"{service.url}/api/v1/ingest/batch", files=files, timeout=60)
    assert answer.status_code == 202
    first, bad, last = answer.json()["files"]
    assert bad["problem"]["code"] == "unsupported_format"
    for said in (first, last):
        status = f"{service.url}/api/v1/ingest/status/{said['jobId']}"
        assert finished(lambda status=status: httpx.get(status).json())["status"] == "completed"


def test_a_batch_of_large_files_is_never_whole_in_the_web_process(service):
    """Eight of 14 MB, chunked, and less than 16 MB more than before at any moment."""
    small = images.jpeg(64, 64)
    head = '--b\r\nContent-Disposition: form-data; name="images"; filename="{}.jpg"\r\n\r\n'

    def body(count: int, size: int) -> Iterator[bytes]:
        for number in range(count):
            yield head.format(number).encode() + small
            for _ in range(size):
                yield bytes(MB)
            yield b"\r\n"
        yield b"--b--\r\n"

    def send(count: int, size: int) -> httpx.Response:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        return httpx.post(f"{service.url}/api/v1/ingest/batch", content=body(count, size), headers=headers, timeout=120)

    assert send(2, 1).status_code == 202  # whatever is loaded on first use
    (web,) = service.pids("web")
    before = reset_peak_bytes(web)
    answer = send(8, 14)
    raised = peak_bytes(web) - before
    assert answer.json()["accepted"] == 8
    for said in answer.json()["files"]:
        finished(lambda said=said: httpx.get(f"{service.url}/api/v1/ingest/status/{said['jobId']}").json())
    assert raised < 16 * MB


def test_a_deleted_image_takes_its_public_files_with_it_at_once_and_comes_back(service, photo):
    job = service.upload(photo)
    image, urls = f"{service.url}/v1/images/{job['imageId']}", [d["url"] for d in job["derivatives"]]
    assert {httpx.get(url).status_code for url in urls} == {200}
    assert httpx.delete(image).status_code == 200
    assert httpx.get(image).status_code == 404
    began = time.monotonic()
    wait_until(lambda: {httpx.get(url).status_code for url in urls} == {404}, 60, "the end of its files")
    print(f"public files of a deleted image were gone after {time.monotonic() - began:.2f} s")
    back = httpx.post(f"{image}/restore").json()
    assert {d["url"] for d in service.finished(back["jobId"])["derivatives"]} == set(urls)
    assert {httpx.get(url).status_code for url in urls} == {200}


def test_an_error_leads_to_a_page_that_needs_no_other_host(service):
    problem = httpx.get(f"{service.url}/v1/images/").json()
    page = httpx.get(f"{service.url}{problem['type']}")
    assert page.status_code == 200
    assert "What to do" in page.text
    style = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    assert httpx.get(f"{service.url}{style}").headers["Content-Type"].startswith("text/css")
