"""What callers get through nginx, HAProxy, Apache and Caddy is what the service says."""

import itertools
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.service import Service, photo, running, wait_until
from tests.proxies.certificates import NAME, Certificate, certificate
from tests.proxies.running import KINDS, Proxy, proxy

pytestmark = pytest.mark.proxies

_MB = 1_048_576
#: Through each proxy; with LONG=1 as many for each as otherwise for all together.
_LONG = os.environ.get("LONG") == "1"
_REFUSALS, _POSTS = (100, 500) if _LONG else (25, 125)
_BOUNDARY = "proxied"
_HEAD = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()
_RANDOM = secrets.token_bytes(_MB)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {"PUBLIC_BASE_URL": f"https://{NAME}", "WORKERS": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    with running(tmp_path_factory.mktemp("proxied") / "data", settings) as started:
        key = started.manage("apikey", "create", "proxies").strip()
        started.headers = {"Authorization": f"Bearer {key}"}
        yield started


@pytest.fixture(scope="module", params=KINDS)
def proxied(
    request: pytest.FixtureRequest, service: Service, files: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp(request.param)
    folder.chmod(0o755)
    with proxy(request.param, service, folder, files) as started:
        yield started


@pytest.fixture
def client(proxied: Proxy, service: Service) -> Iterator[httpx.Client]:
    with proxied.client(headers=service.headers) as client:
        yield client


def content(first: bytes, size: int) -> Iterator[bytes]:
    """A form with a file of that size, in pieces."""
    yield _HEAD + first
    for start in range(len(first), size, _MB):
        yield _RANDOM[: size - start]
    yield _TAIL


def post(client: httpx.Client, body: Iterable[bytes], *, length: int | None) -> httpx.Response:
    """Upload a form, of known length or in chunks."""
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    headers |= {"Content-Length": str(len(_HEAD) + length + len(_TAIL))} if length is not None else {}
    return client.post("/v1/images", content=body, headers=headers)


def jpeg(size: int) -> bytes:
    """A picture with so many bytes behind it."""
    picture = photo()
    return picture + secrets.token_bytes(size - len(picture))


@pytest.mark.parametrize("is_sized", [True, False])
@pytest.mark.parametrize("size", [_MB, 29 * _MB])
def test_uploads_of_any_size_arrive(client, service, size, is_sized):
    picture = jpeg(size)
    body = [_HEAD, *(picture[start : start + _MB] for start in range(0, size, _MB)), _TAIL]
    answer = post(client, body, length=size if is_sized else None)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"].startswith(("/", f"https://{NAME}/"))
    assert service.finished(answer.json()["jobId"])["status"] == "done"


@pytest.mark.parametrize("is_sized", [True, False])
def test_each_refusal_can_be_read(client, is_sized):
    sizes = itertools.cycle([300_000, 3 * _MB, 29 * _MB])
    told = []
    for number in range(_REFUSALS):
        if number % 2:
            size, body = 31 * _MB, content(b"\xff\xd8\xff\xe0", 31 * _MB)
        else:
            size = next(sizes)
            body = content(b"<svg xmlns='http://www.w3.org/2000/svg'>" + b" " * 5000, size)
        answer = post(client, body, length=size if is_sized else None)
        told.append((answer.status_code, answer.json().get("code")))
    expected = itertools.cycle([(415, "unsupported_format"), (413, "file_too_large")])
    assert told == list(itertools.islice(expected, _REFUSALS))


def test_they_can_be_read_by_http_2(proxied, service, tmp_path):
    (header,) = (f"{name}: {value}" for name, value in service.headers.items())
    file = tmp_path / "file"
    for first, size, expected in [(b"\xff\xd8\xff\xe0", 31 * _MB, "413"), (b"<svg>" + b" " * 5000, 9 * _MB, "415")]:
        file.write_bytes(first + bytes(size - len(first)))
        status, version, body = proxied.curl("/v1/images", "--http2", "-H", header, "-F", f"file=@{file}")
        assert (status, version) == (expected, "2"), body
    file.write_bytes(photo())
    status, version, body = proxied.curl("/v1/images", "--http2", "-H", header, "-F", f"file=@{file}")
    assert (status, version) == ("202", "2"), body


def test_who_names_nobody_is_nobody(proxied):
    with proxied.client() as stranger:
        answer = stranger.post("/v1/images", files={"file": ("a.jpg", photo())})
    assert (answer.status_code, answer.json()["code"]) == (401, "credential_missing")


def test_an_original_comes_back_by_its_link_whole_and_in_part(client, service):
    picture = photo()
    job = service.finished(client.post("/v1/images", files={"file": ("a.jpg", picture)}).json()["jobId"])
    link = client.get(f"/v1/images/{job['imageId']}/original")
    assert link.status_code == 302
    address = link.headers["Location"]
    assert address.startswith(f"https://{NAME}/media/")
    assert client.get(address).content == picture
    part = client.get(address, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, picture[1000:2000])


def test_staff_sign_in_over_https(proxied, service):
    make = "from django.contrib.auth.models import User; User.objects.create_superuser('{}', password='{}')"
    name, password = f"curator-{secrets.token_hex(4)}", secrets.token_hex(8)
    service.manage("shell", "--no-imports", "-c", make.format(name, password))
    with proxied.client() as browser:
        page = browser.get("/admin/login/?next=/admin/")
        (token,) = re.findall('name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[:1]
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
        headers = {"Referer": f"https://{NAME}/admin/login/", "Origin": f"https://{NAME}"}
        answer = browser.post("/admin/login/?next=/admin/", data=form, headers=headers)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
        assert "secure" in answer.headers["Set-Cookie"].lower()
        assert browser.get("/admin/").status_code == 200


def test_sixty_at_once_are_all_taken(proxied, service):
    def send(_: int) -> int:
        with proxied.client(headers=service.headers) as one:
            return int(one.post("/v1/images", files={"file": ("a.jpg", photo(), "image/jpeg")}).status_code)

    with ThreadPoolExecutor(60) as pool:
        assert set(pool.map(send, range(60))) == {202}


def test_no_post_meets_a_connection_that_is_just_being_closed(proxied, service):
    """Each connection rests between its requests, as long as it may, and some rest longer."""
    picture = photo(64, 64)

    def send(share: int) -> list[int]:
        with proxied.client(headers=service.headers) as one:
            return [
                one.post("/v1/images", files={"file": ("a.jpg", picture + secrets.token_bytes(8))}).status_code
                for _ in range(share)
            ]

    with ThreadPoolExecutor(4) as pool:
        statuses = [status for part in pool.map(send, [_POSTS // 4] * 4) for status in part]
    assert statuses == [202] * len(statuses)


def test_a_restart_loses_no_job_that_was_accepted(tmp_path, files, service):
    """Through one proxy: what the others pass on is the same."""
    settings = {"PUBLIC_BASE_URL": f"https://{NAME}", "WORKERS": "1"}
    tmp_path.chmod(0o755)
    with running(tmp_path / "data", settings) as restarted:
        key = restarted.manage("apikey", "create", "restart").strip()
        restarted.headers = {"Authorization": f"Bearer {key}"}
        with proxy("haproxy", restarted, tmp_path, files) as before, ThreadPoolExecutor(4) as pool:
            over: list[bool] = []
            sending = [pool.submit(uploads_until, over, before, restarted) for _ in range(4)]
            wait_until(lambda: count(restarted.data) >= 10, 60, "some uploads")
            assert restarted.stop() == 0
            restarted.start()
            more = count(restarted.data) + 10
            wait_until(lambda: count(restarted.data) >= more, 60, "more of them")
            over.append(True)
            accepted = [job for sent in sending for job in sent.result()]
        assert len(accepted) >= 20 - len(sending), "before the restart and after it"  # each may have been cut off once
        assert {restarted.finished(job)["status"] for job in accepted} == {"done"}


def uploads_until(over: list[bool], before: Proxy, service: Service) -> list[str]:
    """The jobs of those that were accepted; a 502 or 503 while the service is away is what a proxy has to say."""
    accepted = []
    with before.client(headers=service.headers) as client:
        while not over:
            answer = client.post("/v1/images", files={"file": ("a.jpg", photo(160, 120))})
            assert answer.status_code in (202, 502, 503), answer.text
            if answer.status_code == 202:
                accepted.append(str(answer.json()["jobId"]))
    return accepted


def count(data: Path) -> int:
    """How many originals are stored."""
    return sum(path.is_file() for path in (data / "objects/originals").rglob("*"))
