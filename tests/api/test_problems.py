"""Problem documents: each code has a page, each type one title, and no error of an API is anything else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client, RequestFactory
from rest_framework import exceptions

from media_jobs.api.shared.problem_types import TYPES, uri_of
from media_jobs.api.shared.problems.handlers import csrf_failure
from media_jobs.api.shared.problems.statuses import OTHER_STATUS
from media_jobs.api.shared.problems.translation import problem_of
from tests import failures, images
from tests.api.uploading import URL, file

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


def kinds(base: Any) -> Iterator[Any]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


OURS = {kind.code for kind in failures.expected()}
FRAMEWORK = {
    str(kind.default_code)
    for kind in kinds(exceptions.APIException)
    if kind.__module__ == exceptions.__name__
    and kind not in (exceptions.ValidationError, exceptions.ParseError, exceptions.NotFound)
}
CODES = sorted(OURS | FRAMEWORK | set(OTHER_STATUS))


def test_all_codes_are_found():
    assert {"undecodable", "unknown_field", "method_not_allowed", "throttled", "not_adoptable"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page_that_says_what_it_means_and_what_to_do(client, code):
    kind = TYPES[code]
    page = client.get(f"/docs/problems/{code}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    text = page.content.decode()
    assert "What it means" in text
    assert "What to do" in text
    assert f"<code>{code}</code>" in text
    assert min(len(kind.means), len(kind.do)) >= 10
    assert re.findall(r'="(?:https?:)?//(?!iana\.org/)', text) == []  # nothing is loaded from elsewhere


def test_the_list_leads_to_every_page(client):
    text = client.get("/docs/problems").content.decode()
    assert [code for code in TYPES if f'href="/docs/problems/{code}"' not in text] == []
    assert client.get("/docs/problems/no_such_code").status_code == 404


def test_a_type_has_one_title_and_registered_ones_keep_their_own_uri():
    titles: dict[str, set[str]] = {}
    for code, kind in TYPES.items():
        titles.setdefault(uri_of(code), set()).add(kind.title)
    assert {uri: found for uri, found in titles.items() if len(found) > 1} == {}
    assert uri_of("backlog_full") == "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    assert uri_of("throttled") == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert uri_of("undecodable") == "/docs/problems/undecodable"


def problem(response, status: int, code: str) -> str:
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert response.headers["Cache-Control"] == "no-store"
    found = response.json()
    assert list(found)[:6] == ["type", "title", "status", "detail", "instance", "code"]
    assert (found["status"], found["code"], found["type"]) == (status, code, uri_of(code))
    assert found["title"] == TYPES[code].title
    return str(found["detail"])


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/v1/images/", "no slash at their end: /v1/images"),
        ("/v1/jobs/01a22485-5ec8-7230-91e2-405598bce4f2/", "/v1/jobs/01a22485-5ec8-7230-91e2-405598bce4f2"),
        ("/v1/image", "/v1/images"),
        ("/v1/jobs/123", "UUID"),
        ("/v1/nothing-that-is-like-anything-here", "/docs"),
        ("/v1", "/docs"),
        ("/v1/", "/docs"),
        ("/api/", "/docs"),
        ("/api/0000000000000000000000000000", "/docs"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete", "patch"])
def test_an_address_that_does_not_exist_gets_a_hint_even_in_a_browser(client, path, hint, method):
    assert hint in problem(getattr(client, method)(path, headers=BROWSER), 404, "not_found")


def test_elsewhere_browsers_get_pages(client):
    answer = client.get("/nowhere", headers=BROWSER)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    problem(client.get("/nowhere", headers={"Accept": "*/*"}), 404, "not_found")


def test_a_method_that_an_address_does_not_take_is_named_by_allow(client):
    answer = client.put("/v1/images")
    assert "Allow" in problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_an_accept_that_nothing_fits(client):
    problem(client.get("/v1/jobs/01a22485-5ec8-7230-91e2-405598bce4f2", headers={"Accept": "image/png"}), 406,
            "not_acceptable")  # fmt: skip


def test_a_body_of_another_type(client):
    said = problem(client.post("/v1/uploads", "a", content_type="text/plain"), 415, "unsupported_media_type")
    assert "takes application/json" in said


def test_a_host_that_is_not_ours(client):
    problem(client.get("/v1/jobs/1", headers={"Host": "evil.example", **BROWSER}), 400, "wrong_host")


def test_a_bug_says_nothing_of_itself(client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr("media_jobs.selectors.job", lambda *_: 1 / 0)
    answer = client.get("/v1/jobs/01a22485-5ec8-7230-91e2-405598bce4f2", headers=BROWSER)
    problem(answer, 500, "internal_error")
    assert b"ZeroDivision" not in answer.content


def test_a_bug_outside_of_views_too(client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", lambda *_: 1 / 0)
    problem(client.get("/v1/images", headers=BROWSER), 500, "internal_error")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PermissionDenied("secret"), 403, "permission_denied"),
        (SuspiciousOperation("secret"), 400, "bad_request"),
    ],
)
def test_what_a_middleware_refuses_is_a_problem_as_well(client, monkeypatch, error, status, code):
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", refuse)
    assert "secret" not in problem(client.post("/v1/images", headers=BROWSER), status, code)


@pytest.mark.parametrize("path", ["/v1/images", "/api/v1/ingest/upload"])
def test_a_request_without_its_csrf_token_gets_a_problem(path):
    request = RequestFactory().post(path, headers=BROWSER)
    answer = csrf_failure(request, "CSRF cookie not set.")
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")


def test_too_many_requests_says_how_long_to_wait():
    found = problem_of(exceptions.Throttled(wait=12))
    assert found is not None
    assert (found.status, found.code, found.headers["Retry-After"]) == (429, "throttled", "12")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"filename": "a.jpg",}', "line 1, character 22"),
        (b'{\n  "filename": a\n}', "line 2, character 15"),
        (b"", "filename: "),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 60_000, "nested"),
        (b'{"bytes": NaN}', "NaN"),
        (b'{"bytes": ' + b"9" * 5000 + b"}", "number"),
        (b"[]", "one JSON object"),
    ],
)
def test_broken_json_gets_a_sentence_of_ours(client, body, words):
    answer = client.post("/v1/uploads", body, content_type="application/json")
    detail = problem(answer, 400, "bad_json" if body else "bad_field")
    assert words in detail
    assert "Expecting" not in detail
    assert "parse" not in detail


def test_a_form_without_its_boundary_gets_a_sentence_of_ours(client):
    answer = client.post(URL, b"--b\r\n", content_type="multipart/form-data")
    assert "boundary" in problem(answer, 400, "bad_form")


@pytest.mark.parametrize(
    ("sent", "nearest"),
    [("preserveGPS", "preserveGps"), ("preserve_gps", "preserveGps"), ("Preset", "preset"), ("foucs", "focus")],
)
def test_an_unknown_field_is_refused_and_names_the_nearest_known_one(client, sent, nearest):
    answer = client.post(URL, {"file": file(images.jpeg(16, 16)), sent: "true"})
    detail = problem(answer, 400, "unknown_field")
    assert f"“{sent}”" in detail
    assert f"“{nearest}”" in detail
    assert (answer.json()["field"], answer.json()["nearest"]) == (sent, nearest)


@pytest.mark.parametrize(("url", "nearest"), [("/v1/uploads", "filename"), ("/v1/images", "uploadId")])
def test_an_unknown_field_of_json_too(client: Client, url: str, nearest: str):
    answer = client.post(
        url, {"uploadID" if nearest == "uploadId" else "fileName": "x"}, content_type="application/json"
    )
    assert f"“{nearest}”" in problem(answer, 400, "unknown_field")
