"""Uploads over a real connection, where bodies come in pieces, break off, or never end."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests import images
from tests.e2e.client import process, upload, wait
from tests.e2e.memory import peak_bytes, reset_peak_bytes
from tests.formats import raws

pytestmark = pytest.mark.e2e

MB = 1_048_576
BOUNDARY = "gallimg-test-boundary"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(1200, 800)


def test_a_raw_file_is_done_by_its_largest_preview_or_says_why_not(service):
    small, large = images.jpeg(320, 240), images.jpeg(1200, 900)
    job = process(service.url, raws.dng(small, large, orientation=6), name="a.dng")
    assert {d["name"]: (d["width"], d["height"]) for d in job["derivatives"]}["full"] == (900, 1200)
    cut = process(service.url, raws.arw(large)[:9_000], name="a.arw")
    assert (cut["status"], cut["code"]) == ("error", "truncated")
    without = process(service.url, raws.nef(small), name="a.nef")
    assert (without["status"], without["code"]) == ("error", "raw_no_preview")
    assert "320×240" in without["detail"]
    refused = upload(service.url, b"II*\0\x20\0\0\0IIIITwaR" + bytes(900), name="a.iiq")
    assert (refused.status_code, "Phase One" in refused.text) == (415, True)


def in_pieces(content: bytes, size: int = 10_000) -> Iterator[bytes]:
    """A body of unknown length: httpx sends it chunked."""
    yield HEAD
    for start in range(0, len(content), size):
        yield content[start : start + size]
    yield TAIL


def stored(service) -> set[str]:
    """Whatever is in the storage, finished or not."""
    found: set[str] = service.objects.keys() | service.objects.unfinished()
    return found


@pytest.mark.smoke
def test_a_photo_with_a_position_becomes_four_derivatives_without_one(service):
    photo = images.jpeg(1900, 2600, orientation=6, facts=images.CAMERA)
    response = upload(service.url, photo)
    assert response.status_code == 202
    job = wait(service.url, response.json()["jobId"])
    sizes = {d["name"]: (d["width"], d["height"]) for d in job["derivatives"]}
    assert sizes == {"full": (1497, 2048), "medium": (748, 1024), "small": (374, 512), "thumb": (200, 200)}
    for derivative in job["derivatives"]:
        fetched = httpx.get(derivative["url"])
        assert fetched.headers["Content-Type"] == "image/jpeg"
        assert "immutable" in fetched.headers["Cache-Control"]
        assert len(fetched.content) == derivative["bytes"]
        assert [secret for secret in images.SECRETS if secret in fetched.content] == []
        assert b"ICC_PROFILE" not in fetched.content


def test_a_chunked_upload_is_as_good_as_any(service, photo):
    response = httpx.post(f"{service.url}/v1/images", content=in_pieces(photo), headers=FORM, timeout=60)
    assert response.status_code == 202
    assert wait(service.url, response.json()["jobId"])["status"] == "done"


@pytest.mark.parametrize("chunked", [False, True], ids=["with Content-Length", "chunked"])
def test_too_large_is_said_to_a_client_that_is_still_sending_and_nothing_stays(service, photo, chunked):
    before = stored(service)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield HEAD + photo
        while sent < 400 * MB:
            sent += MB
            yield bytes(MB)

    headers = dict(FORM) if chunked else {**FORM, "Content-Length": str(400 * MB + len(photo) + len(HEAD))}
    response = httpx.post(f"{service.url}/v1/images", content=endless(), headers=headers, timeout=60)
    assert response.status_code == 413
    assert response.json()["code"] == "file_too_large"
    assert sent < 300 * MB  # twice the largest upload is read over, so that the answer arrives, and no more
    _until(lambda: stored(service) == before)


@pytest.mark.parametrize("ending", ["closed", "reset"])
def test_a_client_that_goes_away_in_mid_upload_leaves_nothing(service, photo, ending):
    before = stored(service)
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(
            f"POST /v1/images HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {FORM['Content-Type']}\r\n"
            f"Content-Length: {13 * MB}\r\n\r\n".encode()
            + HEAD
            + photo
            + bytes(12 * MB)  # past one part
        )
        _until(lambda: stored(service) - before)  # it is being stored
        if ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    _until(lambda: stored(service) == before)
    service.manage("housekeeping", "--older-than", "0")
    count = "from media_jobs.models import Original; print(Original.objects.exclude(state='active').count())"
    assert service.manage("shell", "--no-imports", "-c", count).strip() == "0"


def test_a_large_upload_is_never_whole_in_the_web_process(service):
    """30 MB, and less than 16 MB more than before at any moment."""
    small = images.jpeg(64, 64)
    body = small + bytes(30 * MB - len(small))  # what follows the picture's end is stored as it came
    process(service.url, small)  # whatever is loaded on first use
    (web,) = service.pids("web")
    before = reset_peak_bytes(web)
    job = upload(service.url, body).json()["jobId"]
    raised = peak_bytes(web) - before
    wait(service.url, job)  # its files are not to come while other tests look
    print(f"a {len(body) / MB:.0f} MB upload raised the web process by {raised / MB:.1f} MB")
    assert raised < 16 * MB


def test_several_uploads_at_once_all_end_done(service, photo):
    jobs = [upload(service.url, photo).json()["jobId"] for _ in range(20)]
    assert {wait(service.url, job)["status"] for job in jobs} == {"done"}


def _until(condition, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
