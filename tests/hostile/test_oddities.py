"""HTTP as few clients speak it: each gets an answer, and none is an error of ours."""

import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.e2e.service import Service, photo, running, wait_until
from tests.hostile.clients import BOUNDARY, JPEG, PART

pytestmark = pytest.mark.hostile

_FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("odd") / "data", {"WORKERS": "0", "TRANSFER_TIMEOUT_S": "2"}) as started:
        yield started
        assert '"level": "error"' not in started.logs
        assert "Traceback" not in started.logs


def host(service: Service) -> str:
    """The header field by which a program on this machine names the service."""
    return f"Host: {urlsplit(service.url).netloc}"


def connected(service: Service) -> socket.socket:
    address = urlsplit(service.url)
    return socket.create_connection((address.hostname, address.port), 60)


def said(service: Service, *lines: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Status, header fields and body of the answer to a request of these lines, after which the server closes."""
    with connected(service) as client:
        client.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
        answer = http.client.HTTPResponse(client, method=lines[0].split()[0])
        answer.begin()
        return answer.status, dict(answer.getheaders()), answer.read()


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"5\r\nabcdefgh", b"0\r\nbad trailer\r\n\r\n"])
def test_malformed_chunks_are_a_malformed_request(service, chunk):
    lines = ("POST /v1/images HTTP/1.1", host(service), "Transfer-Encoding: chunked", _FORM)
    status, _, body = said(service, *lines, body=chunk + b"\r\n\r\n")
    assert (status, json.loads(body)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("path", ["/v1/images", "/instructions"])
@pytest.mark.parametrize(
    ("line", "field", "status", "code"),
    [
        ("GET {path} HTTP/9.9", "X: y", 400, "bad_request"),
        ("GE(T {path} HTTP/1.1", "X: y", 400, "bad_request"),
        ("GET {path} HTTP/1.1", "No colon", 400, "bad_request"),
        ("GET {path} HTTP/1.1", "Bad name: y", 400, "bad_request"),
        ("GET {path} HTTP/1.1", "X: y\r\n folded", 400, "bad_request"),
        ("POST {path} HTTP/1.1", "Content-Length: x", 400, "bad_request"),
        ("GET {path}?{many} HTTP/1.1", "X: y", 414, "address_too_long"),
        ("GET {path} HTTP/1.1", "Expect: a-cake", 417, "expectation_failed"),
        ("GET {path} HTTP/1.1", "X: {many}", 431, "head_too_large"),
        ("GET {path} HTTP/1.1", "\r\n".join(["X: y"] * 101), 431, "head_too_large"),
        ("POST {path} HTTP/1.1", "Transfer-Encoding: cake", 501, "unsupported_transfer_coding"),
    ],
)
def test_a_head_that_cannot_be_read_is_refused_in_the_form_of_its_address(service, path, line, field, status, code):
    many = "y" * 9000
    lines = (line.format(path=path, many=many), host(service), field.format(many=many))
    told, headers, body = said(service, *lines)
    sent = json.loads(body)
    expected = "application/json" if path == "/instructions" else "application/problem+json"
    assert (told, headers["Content-Type"]) == (status, expected), body
    assert (sent["errors"][0] if path == "/instructions" else sent)["code"] == code


@pytest.mark.parametrize("path", ["/v1/images", "/instructions", "/v1/tokens", "/admin/login/", "/nowhere"])
@pytest.mark.parametrize("rest", [b"", b"zz\r\n\r\n"], ids=["stalls", "malformed"])
def test_a_body_that_goes_wrong_under_way_is_no_error_of_ours_at_any_address(service, path, rest):
    piece = PART + JPEG + bytes(100_000)
    lines = (f"POST {path} HTTP/1.1", host(service), "Transfer-Encoding: chunked", _FORM)
    status, _, _ = said(service, *lines, body=b"%X\r\n%b\r\n" % (len(piece), piece) + rest)
    assert 400 <= status < 500


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json"])
@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/", "/healthz", "/v1/images", "/docs/problems/"])
def test_options_are_answered(service, path, accept):
    assert said(service, f"OPTIONS {path} HTTP/1.1", host(service), f"Accept: {accept}")[0] < 500


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_may_name_any_host_and_ask_for_the_head_alone(service, path):
    status, _, body = said(service, f"HEAD {path} HTTP/1.1", "Host: 10.0.0.7:8080")
    assert (status, body) == (200, b"")


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_an_unknown_host_is_told_which_settings_name_hosts(service, accept):
    status, _, body = said(service, "GET /docs HTTP/1.1", "Host: evil.example", f"Accept: {accept}")
    assert status == 400
    assert b"PUBLIC_BASE_URL" in body
    assert b"ALLOWED_HOSTS" in body
    assert b"evil.example" in body


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO", "Script-Name", "X-Script-Name"])
def test_a_client_does_not_choose_the_path_under_which_it_is_answered(service, name):
    lines = ("GET /v1/jobs/1 HTTP/1.1", host(service), f"{name}: /v1")
    status, _, body = said(service, *lines)
    assert (status, json.loads(body)["instance"]) == (404, "/v1/jobs/1")


def test_a_client_does_not_choose_its_scheme(service):
    headers = said(service, "GET /docs/problems HTTP/1.1", host(service), "X-Forwarded-Proto: https")[1]
    assert not headers.get("Location", "").startswith("https")


def test_a_body_that_is_announced_is_asked_for_only_once_it_is_wanted(service):
    with connected(service) as client:
        head = f"POST /v1/images HTTP/1.1\r\n{host(service)}\r\n{_FORM}\r\nExpect: 100-continue\r\n"
        client.sendall(f"{head}Content-Length: 900000000\r\n\r\n".encode())
        assert client.recv(20).startswith(b"HTTP/1.1 413")
    content = PART + photo() + f"\r\n--{BOUNDARY}--\r\n".encode()
    with connected(service) as client:
        client.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode())
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(content)
        assert client.recv(20).startswith(b"HTTP/1.1 202")


def test_two_requests_at_once_get_two_answers(service):
    with connected(service) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        answers = b""
        while answers.count(b"ok\n") < 2:
            answers += client.recv(1000) or b"closed" * 1000
            assert len(answers) < 2000


def test_a_connection_is_used_again_after_each_kind_of_answer(service):
    address = urlsplit(service.url)
    client = http.client.HTTPConnection(address.netloc, timeout=60)
    sockets = set()
    for method, path, body in [
        ("GET", "/docs", None),
        ("HEAD", "/docs", None),
        ("POST", "/v1/jobs/1/retry", b"{}"),
    ] * 3:
        client.request(method, path, body)
        client.getresponse().read()
        sockets.add(client.sock)
    assert len(sockets) == 1
    client.close()


def test_a_stopping_service_closes_the_door_first_and_ends_what_it_has_begun(tmp_path):
    with running(tmp_path / "data", {"WORKERS": "0"}) as service:
        stop_during_an_upload(service)


def stop_during_an_upload(service: Service) -> None:
    content = PART + JPEG + os.urandom(300_000) + f"\r\n--{BOUNDARY}--\r\n".encode()
    with connected(service) as client:
        head = f"POST /v1/images HTTP/1.1\r\n{host(service)}\r\n{_FORM}\r\nContent-Length: {len(content)}\r\n\r\n"
        client.sendall(head.encode() + content[:200_000])
        wait_until(service.objects.unfinished, 60, "the upload to be begun")
        os.kill(service.pid, signal.SIGTERM)
        wait_until(lambda: is_refused(service), 60, "the door to be closed", every_s=0.02)
        client.sendall(content[200_000:])
        assert client.recv(20).startswith(b"HTTP/1.1 202")
    assert service.wait() == 0


def is_refused(service: Service) -> bool:
    try:
        connected(service).close()
    except ConnectionRefusedError:
        return True
    return False
