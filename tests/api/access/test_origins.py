"""Web pages of other sites: what a browser says of them, and what they get."""

from typing import Any

import pytest
from django.test import Client

from media_jobs.callers import Scope
from tests import images, people
from tests.api.uploading import URL, file, nothing_is_stored, refused
from tests.factories import make_job

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

SITE = "https://site.example.org"


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


@pytest.fixture(autouse=True)
def _one_site_is_named(settings: Any) -> None:
    settings.UPLOAD_ORIGINS = settings.CORS_ALLOWED_ORIGINS = [SITE]
    settings.PUBLIC_BASE_URL = "https://images.example.org"


@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.example.org",
        "null",
        "",
        f"{SITE}.evil.example",
        f"{SITE}:8443",
        "http://site.example.org",
        "é",
    ],
)
def test_a_page_of_a_foreign_origin_changes_nothing(client: Client, photo: bytes, origin: str) -> None:
    answer = client.post(URL, {"file": file(photo)}, headers={"Origin": origin})
    refused(answer, 403, "foreign_origin")
    assert "Access-Control-Allow-Origin" not in answer
    assert answer.wsgi_request.META["wsgi.input"].read(2) == b"--"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_whatever_its_credential_and_whatever_the_address(method: str) -> None:
    program = people.keyed()
    foreign = {"Origin": "https://elsewhere.example.org"}
    for path in (f"/v1/jobs/{make_job().pk}", "/v1/tokens", "/api/v1/ingest/upload", "/nowhere"):
        answer = getattr(program, method)(path, headers=foreign)
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin"), path


@pytest.mark.parametrize("origin", ["http://testserver", "https://images.example.org", SITE, None])
def test_our_own_pages_and_those_that_are_named_do(client: Client, photo: bytes, origin: str | None) -> None:
    answer = client.post(URL, {"file": file(photo)}, headers={"Origin": origin} if origin else {})
    assert answer.status_code == 202


def test_reading_takes_no_leave(client: Client) -> None:
    answer = client.get(f"/v1/jobs/{make_job().pk}", headers={"Origin": "https://elsewhere.example.org"})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer  # the browser does not give it to the page


def test_a_named_site_may_read_answers_and_what_their_headers_say(client: Client, photo: bytes) -> None:
    answer = client.post(URL, {"file": file(photo)}, headers={"Origin": SITE})
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert "origin" in answer["Vary"].lower()
    shown = answer["Access-Control-Expose-Headers"].lower()
    assert all(name in shown for name in ("location", "retry-after", "etag", "ratelimit", "ratelimit-policy"))
    assert "Access-Control-Allow-Credentials" not in answer


def test_so_it_may_problems_of_every_kind(client: Client, settings: Any) -> None:
    settings.ALLOW_ANONYMOUS = False
    told = {"Origin": SITE}
    reader = people.keyed(Scope.READ)
    answers = [
        client.post(URL, headers=told),
        reader.post(URL, headers=told),
        reader.get("/v1/nowhere", headers=told),
        reader.put(f"/v1/jobs/{make_job().pk}", headers=told),
        people.program("gallimg_x").get("/v1/nowhere", headers=told),
    ]
    assert [answer.status_code for answer in answers] == [401, 403, 404, 403, 404]
    assert {answer["Access-Control-Allow-Origin"] for answer in answers} == {SITE}


def test_a_browser_may_ask_before_it_uploads_with_a_key(client: Client) -> None:
    asks = {
        "Origin": SITE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    answer = client.options(URL, headers=asks)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(answer["Access-Control-Allow-Methods"].split(", "))
    allowed = answer["Access-Control-Allow-Headers"].split(", ")
    assert {"authorization", "content-type", "idempotency-key", "if-none-match", "last-event-id"} <= set(allowed)
    assert nothing_is_stored()


def test_the_admin_keeps_its_own_check(client: Client) -> None:
    assert client.get("/admin/login/", headers={"Origin": SITE}).status_code == 200
    assert "Access-Control-Allow-Origin" not in client.get("/admin/login/", headers={"Origin": SITE})
