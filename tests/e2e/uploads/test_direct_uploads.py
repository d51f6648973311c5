"""Pictures that go straight to the storage, over real connections: the same client code for files and for S3."""

import hashlib
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests import images
from tests.e2e.memory import peak_bytes, reset_peak_bytes
from tests.e2e.service import Service, running, wait_until
from tests.e2e.stores import BucketObjects, s3_settings
from tests.servers.seaweed import SeaweedFS, another_bucket

pytestmark = pytest.mark.e2e

MB = 1_048_576


@pytest.fixture(scope="module")
def on_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("files") / "data", {"S3_BUCKET": ""}) as started:
        yield started


@pytest.fixture(scope="module")
def on_s3(seaweed: SeaweedFS, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    bucket = another_bucket(seaweed)
    with running(tmp_path_factory.mktemp("s3") / "data", s3_settings(bucket)) as started:
        started.objects = BucketObjects(bucket)
        yield started
        started.objects.close()


@pytest.fixture(params=["on_files", pytest.param("on_s3", marks=pytest.mark.s3)])
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.getfixturevalue(request.param)
    return found


def begin(service: Service, **said: Any) -> dict[str, Any]:
    answer = httpx.post(f"{service.url}/v1/uploads", json={"filename": "gall.jpg", "contentType": "image/jpeg", **said})
    assert answer.status_code == 201, answer.text
    form: dict[str, Any] = answer.json()
    return form


def send(form: dict[str, Any], content: bytes, **fields: str) -> httpx.Response:
    return httpx.post(form["url"], data={**form["fields"], **fields}, files={"file": ("gall.jpg", content)}, timeout=60)


def accept(service: Service, form: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = httpx.post(f"{service.url}/v1/images", json={"uploadId": form["uploadId"], **fields})
    assert answer.status_code == 202, answer.text
    return service.finished(answer.json()["jobId"])


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "unannounced"])
@pytest.mark.parametrize("tail_bytes", [0, 20 * MB], ids=["small", "20 MB"])
def test_a_picture_goes_past_the_web_process_and_becomes_the_same(
    service: Service, tail_bytes: int, announced: bool
) -> None:
    photo = images.jpeg(1200, 800, facts=images.CAMERA) + bytes(tail_bytes)
    said = {"bytes": len(photo), "sha256": hashlib.sha256(photo).hexdigest()} if announced else {}
    form = begin(service, **said)
    assert send(form, photo).status_code == 204
    job = accept(service, form, preset="ingest")
    assert job["status"] == "done", job
    for derivative in job["derivatives"]:
        fetched = httpx.get(derivative["url"])
        assert (fetched.status_code, len(fetched.content)) == (200, derivative["bytes"])
    assert service.objects.read(f"originals/{job['imageId']}.jpg") == photo
    assert form["fields"]["key"] not in service.objects.keys("uploads/")


def test_what_is_stored_later_by_the_same_form_changes_nothing(service: Service) -> None:
    photo, other = images.jpeg(300, 200), images.jpeg(200, 300)
    form = begin(service)
    send(form, photo)
    job = accept(service, form)
    assert send(form, other).status_code == 204
    assert service.objects.read(f"originals/{job['imageId']}.jpg") == photo
    image = httpx.get(f"{service.url}/v1/images/{job['imageId']}").json()
    assert (image["sha256"], image["width"]) == (hashlib.sha256(photo).hexdigest(), 300)


def test_the_storage_keeps_to_what_was_announced(service: Service) -> None:
    photo = images.jpeg(300, 200)
    form = begin(service, bytes=len(photo))
    key = form["fields"]["key"]
    refused = [
        send(form, photo + b"\0"),
        send(form, photo[:-1]),
        send(form, photo, **{"Content-Type": "text/html"}),
        send({"url": form["url"].partition("?")[0], "fields": {"key": key, "Content-Type": "image/jpeg"}}, photo),
    ]
    assert [answer.status_code // 100 for answer in refused] == [4, 4, 4, 4], [answer.text for answer in refused]
    assert key not in service.objects.keys("uploads/")
    assert send(form, photo).status_code == 204


@pytest.mark.parametrize(
    ("said", "arrives", "code"),
    [
        ({}, None, "upload_missing"),
        ({"sha256": "0" * 64}, images.jpeg(64, 48), "upload_mismatch"),
        ({}, b"<html><script>alert(1)</script></html>", "unsupported_format"),
    ],
)
def test_what_is_not_as_announced_fails_with_its_reason(
    service: Service, said: dict[str, str], arrives: bytes | None, code: str
) -> None:
    form = begin(service, **said)
    if arrives is not None:
        assert send(form, arrives).status_code == 204
    job = accept(service, form)
    assert (job["status"], job["code"]) == ("error", code)
    assert not service.objects.keys(f"originals/{job['imageId']}")


def test_a_form_that_breaks_off_leaves_nothing(service: Service) -> None:
    form = begin(service)
    before = service.objects.unfinished()
    body = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    )
    body += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + bytes(3 * MB)
    where = urlsplit(form["url"])
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(
            f"POST {where.path}?{where.query} HTTP/1.1\r\nHost: {where.netloc}\r\n"
            f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {9 * MB}\r\n\r\n".encode()
            + body
        )
    wait_until(lambda: service.objects.unfinished() <= before, 60, "the end of the write")
    assert form["fields"]["key"] not in service.objects.keys("uploads/")


def test_a_large_form_is_never_whole_in_the_web_process(on_files: Service) -> None:
    small, large = images.jpeg(64, 64), images.jpeg(64, 64) + bytes(29 * MB)
    send(begin(on_files), small)  # whatever is loaded on first use
    (web,) = on_files.pids("web")
    before = reset_peak_bytes(web)
    assert send(begin(on_files), large).status_code == 204
    raised = peak_bytes(web) - before
    print(f"a form with {len(large) / MB:.0f} MB raised the web process by {raised / MB:.1f} MB")
    assert raised < 16 * MB
