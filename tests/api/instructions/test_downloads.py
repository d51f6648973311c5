"""GET …/file: the bytes, whole or in part, under a safe name, or a redirect to them."""

import hashlib
from typing import Any

import pytest
from django.test import Client

from media_jobs.adapters.storage import Role, store
from media_jobs.callers import SYSTEM
from media_jobs.errors import ReadsNotConfigured
from media_jobs.models import InstructionDetail, Original
from media_jobs.services.images import deletion
from tests import images, people
from tests.api.instructions.helpers import added, create, data, refused, work

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

PHOTO = images.jpeg(64, 48)


@pytest.fixture
def ada() -> Client:
    return people.keyed()


@pytest.fixture
def detail(ada: Client) -> str:
    return added(ada, create(ada), PHOTO)[0]


def body(answer: Any) -> bytes:
    """Read it to its end: Django's client then closes it, and keeps the database open."""
    return b"".join(answer) if answer.streaming else bytes(answer.content)


def headers(answer: Any) -> Any:
    body(answer)
    return answer.headers


def test_the_original_comes_as_it_was(ada: Client, detail: str) -> None:
    answer = ada.get(f"{detail}/file?variant=original")
    assert (answer.status_code, body(answer)) == (200, PHOTO)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Length"] == str(len(PHOTO))
    assert answer.headers["ETag"] == f'"{hashlib.sha256(PHOTO).hexdigest()}"'
    assert answer.headers["Content-Disposition"] == 'attachment; filename="gall-0.jpg"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_was_made_comes_by_its_name_and_without_one_the_largest(ada: Client, detail: str) -> None:
    refused(ada.get(f"{detail}/file"), 409, "not_processed")
    work()
    made = data(ada.get(detail))["processed"]
    for variant in ("full", "thumb"):
        answer = ada.get(f"{detail}/file", {"variant": variant})
        [said] = [one for one in made if one["variant"] == variant]
        content = body(answer)
        assert len(content) == said["bytes"]
        assert answer.headers["Content-Disposition"] == f'attachment; filename="gall-0-{variant}.jpg"'
        assert f"{hashlib.sha256(content).hexdigest()}" in answer.headers["ETag"]
    largest = max(made, key=lambda one: one["width"] * one["height"])
    assert headers(ada.get(f"{detail}/file"))["Content-Length"] == str(largest["bytes"])
    assert "original, full" in refused(ada.get(f"{detail}/file?variant=poster"), 404, "unknown_variant")
    refused(ada.get(f"{detail}/file?size=1"), 400, "unknown_field")


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [("bytes=0-3", 206, slice(0, 4)), ("bytes=10-", 206, slice(10, None)), ("bytes=-5", 206, slice(-5, None)),
     ("bytes=5-1", 200, slice(None)), ("bytes=0-1,3-4", 200, slice(None))],
)  # fmt: skip
def test_a_range_is_sent_alone(ada: Client, detail: str, asked: str, status: int, part: slice) -> None:
    answer = ada.get(f"{detail}/file?variant=original", headers={"Range": asked})
    assert (answer.status_code, body(answer)) == (status, PHOTO[part])
    assert answer.headers["Content-Length"] == str(len(PHOTO[part]))


def test_conditions_are_heeded(ada: Client, detail: str) -> None:
    url = f"{detail}/file?variant=original"
    etag = headers(ada.get(url))["ETag"]
    assert ada.get(url, headers={"If-None-Match": etag}).status_code == 304
    beyond = ada.get(url, headers={"Range": "bytes=99999999-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(PHOTO)}")
    changed = ada.get(url, headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert (changed.status_code, body(changed)) == (200, PHOTO)
    head = ada.head(url)
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(PHOTO)))


def test_the_name_is_safe_whatever_it_was(ada: Client) -> None:
    address = create(ada)
    detail = added(ada, address, PHOTO)[0]
    InstructionDetail.objects.update(filename='a"\r\nX: y/..\\\u202e.jpg')
    Original.objects.update(filename='a"\r\nX: y/..\\\u202e.jpg')
    said = headers(ada.get(f"{detail}/file?variant=original"))["Content-Disposition"]
    assert said == 'attachment; filename="a___X: y_..__.jpg"'
    Original.objects.update(filename="Gälle.jpg")
    said = headers(ada.get(f"{detail}/file?variant=original"))["Content-Disposition"]
    assert said == "attachment; filename*=utf-8''G%C3%A4lle.jpg"


def test_a_redirect_leads_to_the_bytes(ada: Client, detail: str) -> None:
    work()
    for variant, content in (("original", PHOTO), ("thumb", None)):
        answer = ada.get(f"{detail}/file", {"variant": variant, "redirect": "true"})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
        found = Client().get(answer.headers["Location"].partition("8080")[2])
        assert found.status_code == 200
        assert body(found) == (content or body(ada.get(f"{detail}/file?variant=thumb")))


def test_without_rights_to_read_what_is_public_is_redirected_to(
    ada: Client, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work()

    def refuse(*_: object, **__: object) -> None:
        raise ReadsNotConfigured

    monkeypatch.setattr(type(store(Role.READ)), "open", refuse)
    assert ada.get(f"{detail}/file?variant=thumb").status_code == 302
    refused(ada.get(f"{detail}/file?variant=original"), 503, "reads_not_configured")


def test_anonymous_callers_get_no_original_not_even_their_own() -> None:
    anybody = Client()
    detail = added(anybody, create(anybody), PHOTO)[0]
    refused(anybody.get(f"{detail}/file?variant=original"), 403, "permission_denied")


def test_what_is_deleted_is_cleaned_up_and_says_so(ada: Client, detail: str) -> None:
    work()
    deletion.delete(Original.objects.get().pk, actor=SYSTEM)
    for query in ({"variant": "original"}, {"variant": "thumb"}, {}):
        refused(ada.get(f"{detail}/file", query), 404, "file_cleaned")
    found = data(ada.get(detail))
    assert (found["cleaned"], found["processed"], found["status"]) == (True, [], "DONE")


def test_an_object_that_is_not_there_is_not_a_bug(ada: Client, detail: str) -> None:
    store(Role.WORKER).delete(Original.objects.get().key)
    refused(ada.get(f"{detail}/file?variant=original"), 404, "object_missing")
