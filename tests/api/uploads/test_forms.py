"""POST /media/uploads/…: where the storage is files, the service itself takes what S3 would take by a signed form."""

import logging
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from media_jobs.adapters import storage
from media_jobs.adapters.storage import Role
from media_jobs.adapters.storage.files import FileStore
from media_jobs.ports import Form

pytestmark = pytest.mark.sqlite

KEY = "uploads/01990000-0000-7000-8000-000000000001"
CONTENT = bytes(range(256)) * 1200
ORIGIN = "https://galls.example"


@pytest.fixture
def form(object_store: FileStore) -> Form:
    return made(object_store)


def made(objects: FileStore, **other: Any) -> Form:
    given: dict[str, Any] = {"content_type": "image/jpeg", "least_bytes": 1, "most_bytes": 400_000, "expires_s": 60}
    return objects.form(KEY, **(given | other))


def address(form: Form) -> str:
    where = urlsplit(form.url)
    return f"{where.path}?{where.query}"


def post(form: Form, content: bytes = CONTENT, *, url: str = "", client: Client | None = None, **headers: str) -> Any:
    file = SimpleUploadedFile("gall.jpg", content, content_type="application/octet-stream")
    return (client or Client()).post(url or address(form), {**form.fields, "file": file}, headers=headers)


def raw(form: Form, *parts: tuple[str, str | None, bytes], cut: int | None = None) -> Any:
    """A form with these parts: field, file name or None, content."""
    body = b""
    for field, filename, content in parts:
        name = f'; filename="{filename}"' if filename is not None else ""
        body += f'--b\r\nContent-Disposition: form-data; name="{field}"{name}\r\n\r\n'.encode() + content + b"\r\n"
    body += b"--b--\r\n"
    return Client().post(address(form), body[:cut], content_type="multipart/form-data; boundary=b")


TYPE = ("Content-Type", None, b"image/jpeg")
FILE = ("file", "gall.jpg", CONTENT)


def refused(response: Any, status: int, code: str) -> None:
    """Check that it is refused in S3's words, and that nothing is there."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/xml"
    assert f"<Error><Code>{code}</Code><Message>".encode() in response.content
    assert nothing_is_there()


def nothing_is_there() -> bool:
    objects = storage.store(Role.WORKER)
    return not (list(objects.keys()) or objects.unfinished())


def test_the_file_of_a_form_lies_under_the_key_that_the_form_names(form: Form, object_store: FileStore) -> None:
    response = post(form)
    assert (response.status_code, response.content) == (204, b"")
    assert list(object_store.keys()) == [KEY]
    assert object_store.path(KEY).read_bytes() == CONTENT
    assert object_store.unfinished() == []


def test_a_form_may_be_sent_again_and_replaces_its_own_file_only(form: Form, object_store: FileStore) -> None:
    assert post(form).status_code == post(form, b"other").status_code == 204
    assert object_store.path(KEY).read_bytes() == b"other"
    assert list(object_store.keys()) == [KEY]


@pytest.mark.parametrize("least_bytes", [1, len(CONTENT)])
def test_exactly_as_many_bytes_as_allowed(object_store: FileStore, least_bytes: int) -> None:
    assert post(made(object_store, least_bytes=least_bytes, most_bytes=len(CONTENT))).status_code == 204


def test_too_many_or_too_few_bytes(object_store: FileStore) -> None:
    refused(post(made(object_store, most_bytes=len(CONTENT) - 1)), 413, "EntityTooLarge")
    refused(post(made(object_store, most_bytes=1000)), 413, "EntityTooLarge")
    refused(post(made(object_store, least_bytes=len(CONTENT) + 1)), 400, "EntityTooSmall")
    refused(post(made(object_store), b""), 400, "EntityTooSmall")


def test_another_type_than_the_one_that_was_announced(form: Form) -> None:
    refused(post(Form(form.url, {**form.fields, "Content-Type": "text/html"})), 403, "AccessDenied")
    refused(post(Form(form.url, {})), 403, "AccessDenied")


def test_a_form_that_is_forged_or_for_another_object_or_too_old(form: Form, object_store: FileStore) -> None:
    token = urlsplit(form.url).query
    for url in (
        f"/media/{KEY}",
        f"/media/{KEY}?token=",
        f"/media/{KEY}?token=a:b:c",
        f"/media/{KEY}?{token[:-1]}{'a' if token[-1] != 'a' else 'b'}",
        f"/media/{KEY}2?{token}",
    ):
        refused(post(form, url=url), 403, "AccessDenied")
    refused(post(made(object_store, expires_s=-1)), 403, "AccessDenied")


def test_a_link_for_reading_lets_nobody_write_and_a_form_lets_nobody_read(form: Form, object_store: FileStore) -> None:
    link = object_store.signed_url(KEY, filename="a.jpg", content_type="image/jpeg", expires_s=60)
    refused(post(form, url=address(Form(link, {}))), 403, "AccessDenied")
    assert post(form).status_code == 204
    assert Client().get(address(form)).status_code == 403
    assert Client().get(f"/media/{KEY}").status_code == 403


@pytest.mark.parametrize("key", ["originals/a.jpg", "full/a/b.jpg", "thumb/a/b.jpg"])
def test_a_form_for_what_is_no_upload_is_of_no_use(object_store: FileStore, key: str) -> None:
    form = object_store.form(key, content_type="image/jpeg", least_bytes=1, most_bytes=400_000, expires_s=60)
    assert post(form).status_code == 405
    assert nothing_is_there()


def test_forms_that_are_none(form: Form) -> None:
    refused(raw(form, TYPE), 400, "InvalidArgument")
    refused(raw(form, TYPE, ("picture", "a.jpg", CONTENT)), 400, "InvalidArgument")
    refused(raw(form, TYPE, *2 * [("file", "a.jpg", b"small")]), 400, "InvalidArgument")
    refused(raw(form, TYPE, FILE, cut=100_000), 400, "InvalidArgument")
    refused(raw(form, TYPE, ("note", None, b"x" * 70_000), FILE), 400, "MalformedPOSTRequest")
    refused(Client().post(address(form), CONTENT, content_type="image/jpeg"), 400, "InvalidArgument")
    nameless = Client().post(address(form), CONTENT, content_type="multipart/form-data")
    refused(nameless, 400, "MalformedPOSTRequest")


def test_what_is_declared_too_large_is_not_read(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.http.HttpRequest.read", None)
    refused(post(form, b"x" * 600_000), 413, "EntityTooLarge")


def test_a_full_disk(form: Form, settings: Any) -> None:
    settings.MIN_FREE_DISK_BYTES = 2**62
    response = post(form)
    refused(response, 503, "ServiceUnavailable")
    assert int(response.headers["Retry-After"]) > 0


def test_a_form_needs_no_cookie_and_no_csrf_token(form: Form) -> None:
    assert post(form, client=Client(enforce_csrf_checks=True)).status_code == 204


def test_no_form_is_taken_where_the_objects_are_elsewhere(form: Form, settings: Any) -> None:
    settings.S3_BUCKET = "objects"
    assert post(form).status_code == 404


def test_pages_of_other_origins_learn_what_came_of_their_form_if_they_may(form: Form, settings: Any) -> None:
    settings.UPLOAD_ORIGINS = [ORIGIN]
    for response in (post(form, Origin=ORIGIN), post(form, url=f"/media/{KEY}", Origin=ORIGIN)):
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Origin" in response.headers["Vary"]
    for other in ("https://elsewhere.example", f"{ORIGIN}.example", "null", ""):
        assert "Access-Control-Allow-Origin" not in post(form, Origin=other).headers


def test_a_page_that_shows_progress_asks_before_it_sends(form: Form, settings: Any) -> None:
    settings.UPLOAD_ORIGINS = [ORIGIN]
    asking = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    response = Client().options(address(form), headers=asking)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Access-Control-Allow-Methods"] == "POST"
    refused_to = Client().options(address(form), headers=asking | {"Origin": "https://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in refused_to.headers
    assert Client().options("/media/full/a.jpg", headers=asking).status_code == 405


def test_a_refusal_is_well_formed_whatever_the_form_says(form: Form) -> None:
    response = raw(form, TYPE, ("<&>", "a.jpg", CONTENT))
    assert re.search(rb"<Message>[^<]*&lt;&amp;&gt;[^<]*</Message>", response.content)


def test_what_lets_its_bearer_store_is_never_logged(form: Form, caplog: pytest.LogCaptureFixture) -> None:
    post(form, b"x" * 600_000)  # refused, and logged as a warning
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    line = next(found for found in formatters if isinstance(found, structlog.stdlib.ProcessorFormatter))
    logged = "\n".join(line.format(record) for record in caplog.records)
    assert "POST /media/uploads/" in logged
    assert parse_qs(urlsplit(form.url).query)["token"][0][:40] not in logged
