"""Objects that are files, as HTTP serves them."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import Client

from media_jobs.adapters.storage.files import FileStore
from media_jobs.pipeline.recipes import Format
from media_jobs.ports import Outgoing

CONTENT = bytes(range(256)) * 40
KEY = "full/0198c0de/abc.webp"
PRIVATE = "originals/0198c0de.tif"


@pytest.fixture(autouse=True)
def objects(object_store: FileStore, tmp_path: Path) -> FileStore:
    (tmp_path / "source").write_bytes(CONTENT)
    for key in (KEY, PRIVATE, "elsewhere/a.jpg"):
        object_store.put([Outgoing(key, tmp_path / "source", "image/webp")])
    return object_store


def get(path: str, method: str = "get", **headers: str) -> Any:
    answer = getattr(Client(headers=headers), method)(path)
    answer.body = b"".join(answer) if answer.streaming else answer.content  # read to the end, the client closes it
    return answer


@pytest.mark.parametrize("headers", [{}, {"HTTP_RANGE": "bytes=100-199"}])
def test_the_server_is_handed_the_file_and_not_its_bytes(headers: dict[str, str]) -> None:
    environ: dict[str, Any] = {"PATH_INFO": f"/media/{KEY}", "wsgi.file_wrapper": FileWrapper, **headers}
    setup_testing_defaults(environ)
    environ["HTTP_HOST"] = "localhost"
    made = get_wsgi_application()(environ, lambda *_: None)  # type: ignore[arg-type]
    assert isinstance(made, FileWrapper)
    assert os.lseek(made.filelike.fileno(), 0, os.SEEK_CUR) == (100 if headers else 0)
    made.close()


def signed(objects: FileStore, filename: str = "wasp.tif") -> str:
    url = objects.signed_url(PRIVATE, filename=filename, content_type="image/tiff", expires_s=60)
    return url.removeprefix(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}")


def test_a_derivative_may_be_kept_for_ever_and_run_nothing() -> None:
    answer = get(f"/media/{KEY}")
    assert (answer.status_code, answer.body) == (200, CONTENT)
    expected = {
        "Content-Type": "image/webp",
        "Content-Length": str(len(CONTENT)),
        "Content-Disposition": 'inline; filename="0198c0de-full.webp"',
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Accept-Ranges": "bytes",
    }
    assert expected.items() <= dict(answer.headers).items()


@pytest.mark.parametrize("made", [Format.JPEG, Format.WEBP, Format.AVIF, Format.PNG])
def test_each_derivative_is_said_to_be_what_it_is(objects: FileStore, made: Format, tmp_path: Path) -> None:
    key = f"derived/card/0198c0de/abc.{made.extension}"
    objects.put([Outgoing(key, tmp_path / "source", made.content_type)])
    for method in ("get", "head"):
        answer = get(f"/media/{key}", method)
        assert (answer.status_code, answer["Content-Type"]) == (200, made.content_type)
        assert answer["Content-Disposition"] == f'inline; filename="0198c0de-card.{made.extension}"'
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_head_answers_the_same_without_the_bytes() -> None:
    head, full = get(f"/media/{KEY}", "head"), get(f"/media/{KEY}")
    assert (head.status_code, head.body) == (200, b"")
    for name in ("Content-Type", "Content-Length", "Cache-Control", "ETag", "Last-Modified"):
        assert head[name] == full[name]


def test_nothing_can_be_written_here() -> None:
    for method in ("post", "put", "delete", "patch"):
        assert get(f"/media/{KEY}", method).status_code == 405


def test_what_the_browser_has_is_not_sent_again() -> None:
    first = get(f"/media/{KEY}")
    for condition in (
        {"If-None-Match": first["ETag"]},
        {"If-None-Match": f'"other", {first["ETag"]}'},
        {"If-Modified-Since": first["Last-Modified"]},
    ):
        again = get(f"/media/{KEY}", **condition)
        assert (again.status_code, again.body) == (304, b"")
        assert again["Cache-Control"] == first["Cache-Control"]
    assert get(f"/media/{KEY}", **{"If-None-Match": '"other"'}).body == CONTENT


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=10000-", 10000, 10239),
        ("bytes=-40", 10200, 10239),
        ("bytes=10000-99999", 10000, 10239),
        ("bytes=-99999", 0, 10239),
    ],
)
def test_a_range_of_bytes(wanted: str, first: int, last: int) -> None:
    answer = get(f"/media/{KEY}", Range=wanted)
    assert (answer.status_code, answer.body) == (206, CONTENT[first : last + 1])
    assert answer["Content-Range"] == f"bytes {first}-{last}/10240"
    assert answer["Content-Length"] == str(last - first + 1)
    assert answer["Content-Type"] == "image/webp"


@pytest.mark.parametrize("wanted", ["bytes=10240-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_past_the_end(wanted: str) -> None:
    answer = get(f"/media/{KEY}", Range=wanted)
    assert (answer.status_code, answer.body) == (416, b"")
    assert answer["Content-Range"] == "bytes */10240"


@pytest.mark.parametrize("wanted", ["", "bytes", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b"])
def test_a_range_that_makes_no_sense_is_ignored(wanted: str) -> None:
    answer = get(f"/media/{KEY}", Range=wanted)
    assert (answer.status_code, answer.body) == (200, CONTENT)


def test_a_range_of_another_version_becomes_the_whole() -> None:
    etag = get(f"/media/{KEY}")["ETag"]
    assert get(f"/media/{KEY}", **{"Range": "bytes=0-9", "If-Range": etag}).status_code == 206
    assert get(f"/media/{KEY}", **{"Range": "bytes=0-9", "If-Range": '"other"'}).body == CONTENT


def test_an_original_needs_its_link(objects: FileStore) -> None:
    answer = get(signed(objects))
    assert (answer.status_code, answer.body) == (200, CONTENT)
    assert answer["Content-Type"] == "image/tiff"
    assert answer["Content-Disposition"] == 'attachment; filename="wasp.tif"'
    assert answer["Cache-Control"] == "private, no-store"
    for path in (f"/media/{PRIVATE}", f"/media/{PRIVATE}?token=", f"/media/{PRIVATE}?token=a:b:c"):
        refused = get(path)
        assert refused.status_code == 403
        assert CONTENT[:64] not in refused.body
        assert "immutable" not in refused.headers.get("Cache-Control", "")


def test_an_unsigned_link_does_not_reveal_what_exists() -> None:
    assert get("/media/originals/nothing.jpg").status_code == get(f"/media/{PRIVATE}").status_code == 403


def test_a_link_is_for_one_object_and_cannot_be_changed(objects: FileStore) -> None:
    token = signed(objects).partition("?token=")[2]
    assert get(f"/media/originals/other.tif?token={token}").status_code == 403
    assert get(f"/media/{PRIVATE}?token={token[1:]}").status_code == 403


def test_a_file_name_cannot_add_headers(objects: FileStore) -> None:
    answer = get(signed(objects, filename='a"; x=\r\nSet-Cookie: a=b'))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "\r" not in answer["Content-Disposition"]


@pytest.mark.parametrize(
    "path",
    [
        "full/nothing.jpg",
        "full/",
        "full",
        "full/0198c0de",
        "elsewhere/a.jpg",
        "full/../originals/0198c0de.tif",
        "full/%2e%2e/originals/0198c0de.tif",
        "full/..%2foriginals%2f0198c0de.tif",
        "full//etc/passwd",
        "/etc/passwd",
        ".partial/x",
        "full/%00",
        "full/a%0d%0aX: y",
        "full/" + "a" * 3000,
        "full/%ff",
    ],
)
def test_everything_else_is_not_there(path: str) -> None:
    assert get(f"/media/{path}").status_code == 404


def test_nothing_is_served_from_here_when_the_objects_are_elsewhere(settings: Any) -> None:
    settings.S3_BUCKET = "objects"
    assert get(f"/media/{KEY}").status_code == 404
