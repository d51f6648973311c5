"""What `ports.ObjectStore` promises, kept by files and by S3 (SeaweedFS, a server that enforces its policies)."""

import hashlib
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ConnectionClosedError
from django.test import Client

from media_jobs.adapters.storage.files import FileStore
from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.errors import ObjectMissing, StorageUnavailable
from media_jobs.ports import ObjectStore, ObjectWriter
from tests.seaweed import SeaweedFS

SMALL, PART, LARGE = 70_001, 5 * 1_048_576, 12_000_000


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes


def from_django(url: str) -> Answer:
    parts = urlsplit(url)
    answer = Client().get(f"{parts.path}?{parts.query}")
    body = b"".join(answer) if answer.streaming else answer.content
    answer.close()
    return Answer(answer.status_code, answer.headers, body)


def from_the_net(url: str) -> Answer:
    answer = httpx.get(url)
    return Answer(answer.status_code, answer.headers, answer.content)


@dataclass
class Subject:
    store: ObjectStore
    get: Callable[[str], Answer]
    spot: str  #: a part of keys that is this test's own


def s3_store(seaweed: SeaweedFS, credentials: tuple[str, str] | None = None) -> S3Store:
    return S3Store(
        seaweed.bucket,
        credentials=credentials or seaweed.worker,
        region="us-east-1",
        endpoint_url=seaweed.endpoint_url,
    )


@pytest.fixture(params=["files", "s3"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "files":
        yield Subject(request.getfixturevalue("object_store"), from_django, uuid4().hex)
        return
    store = s3_store(request.getfixturevalue("seaweed"))
    yield Subject(store, from_the_net, uuid4().hex)
    store.sweep(older_than_s=0)
    store.client.close()


@pytest.fixture
def store(subject: Subject) -> ObjectStore:
    return subject.store


@pytest.fixture
def key(subject: Subject) -> str:
    return f"full/{subject.spot}/a.jpg"


def noise(size_bytes: int) -> bytes:
    return hashlib.shake_128(str(size_bytes).encode()).digest(size_bytes)


def write(store: ObjectStore, key: str, content: bytes, *, content_type: str = "image/jpeg") -> ObjectWriter:
    writer = store.begin(key, content_type=content_type)
    for start in range(0, len(content), 65_536):
        writer.write(content[start : start + 65_536])
    return writer


def read(store: ObjectStore, key: str, tmp_path: Path) -> bytes:
    store.fetch(key, tmp_path / "fetched")
    return (tmp_path / "fetched").read_bytes()


def write_and_commit(writer: ObjectWriter, content: bytes) -> None:
    writer.write(content)
    writer.commit()


def repeat(write: Callable[[bytes], None], chunk: bytes, *, times: int) -> None:
    for _ in range(times):
        write(chunk)


@contextmanager
def full_disk(after_bytes: int) -> Iterator[None]:
    """No file may grow past `after_bytes`: the kernel answers as a full disk does, with an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size_bytes", [0, 1, SMALL, PART, PART + 1, 2 * PART, LARGE])
def test_an_object_reads_back_as_it_was_written(store: ObjectStore, key: str, size_bytes: int, tmp_path: Path) -> None:
    content = noise(size_bytes)
    write(store, key, content).commit()
    assert read(store, key, tmp_path) == content
    assert store.unfinished() == []


@pytest.mark.parametrize("size_bytes", [SMALL, LARGE])
def test_a_file_that_was_put_reads_back(store: ObjectStore, key: str, size_bytes: int, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(noise(size_bytes))
    store.put(key, tmp_path / "source", content_type="image/jpeg")
    assert read(store, key, tmp_path) == noise(size_bytes)


@pytest.mark.parametrize("size_bytes", [SMALL, LARGE])
def test_nothing_is_visible_before_the_commit(store: ObjectStore, key: str, size_bytes: int, tmp_path: Path) -> None:
    writer = write(store, key, noise(size_bytes))
    assert list(store.keys(key)) == []
    with pytest.raises(ObjectMissing):
        store.fetch(key, tmp_path / "fetched")
    writer.commit()
    assert list(store.keys(key)) == [key]


@pytest.mark.parametrize("size_bytes", [0, SMALL, LARGE])
def test_an_aborted_write_leaves_nothing_behind(store: ObjectStore, key: str, size_bytes: int) -> None:
    writer = write(store, key, noise(size_bytes))
    writer.abort()
    writer.abort()
    assert list(store.keys(key)) == []
    assert store.unfinished() == []


def test_what_was_aborted_cannot_be_committed(store: ObjectStore, key: str) -> None:
    writer = write(store, key, noise(SMALL))
    writer.abort()
    with pytest.raises(ValueError, match="ended"):
        writer.commit()
    with pytest.raises(ValueError, match="ended"):
        writer.write(b"more")
    assert list(store.keys(key)) == []


@pytest.mark.parametrize("size_bytes", [SMALL, LARGE])
def test_committing_twice_and_aborting_afterwards_change_nothing(
    store: ObjectStore, key: str, size_bytes: int, tmp_path: Path
) -> None:
    writer = write(store, key, noise(size_bytes))
    writer.commit()
    writer.commit()
    writer.abort()
    assert read(store, key, tmp_path) == noise(size_bytes)


def test_writing_the_same_object_again_is_fine(store: ObjectStore, key: str, tmp_path: Path) -> None:
    write(store, key, noise(SMALL)).commit()
    write(store, key, noise(SMALL)).commit()
    assert list(store.keys(key)) == [key]
    assert read(store, key, tmp_path) == noise(SMALL)


@pytest.mark.parametrize(
    ("size_bytes", "room_bytes"), [(SMALL, SMALL - 1), (SMALL, 100), (LARGE, SMALL), (LARGE, PART - 1)]
)
def test_a_disk_that_fills_up_in_mid_write_leaves_nothing(
    store: ObjectStore, key: str, size_bytes: int, room_bytes: int
) -> None:
    writer = store.begin(key, content_type="image/jpeg")
    with full_disk(room_bytes), pytest.raises(StorageUnavailable):
        write_and_commit(writer, noise(size_bytes))
    with pytest.raises(ValueError, match="ended"):
        writer.commit()
    assert list(store.keys(key)) == []
    assert store.unfinished() == []


def test_a_file_that_cannot_be_put_whole_is_not_put_at_all(store: ObjectStore, key: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(noise(30_000_000))
    with failing_in_the_middle(store), pytest.raises(StorageUnavailable):
        store.put(key, tmp_path / "source", content_type="image/jpeg")
    assert list(store.keys(key)) == []
    assert store.unfinished() == []


@contextmanager
def failing_in_the_middle(store: ObjectStore) -> Iterator[None]:
    if not isinstance(store, S3Store):
        with full_disk(LARGE):
            yield
        return

    def lose_all_but_the_first(params: dict[str, Any], **_: Any) -> None:
        if params["query_string"]["partNumber"] != 1:
            raise ConnectionClosedError(endpoint_url=params["url"])

    events = store.client.meta.events
    events.register("before-call.s3.UploadPart", lose_all_but_the_first)
    yield
    events.unregister("before-call.s3.UploadPart", lose_all_but_the_first)


def test_a_part_that_is_lost_ends_the_upload_before_its_last_byte(seaweed: SeaweedFS) -> None:
    store, key = s3_store(seaweed), f"originals/{uuid4()}.jpg"
    writer = store.begin(key, content_type="image/jpeg")
    with failing_in_the_middle(store), pytest.raises(StorageUnavailable):
        repeat(writer.write, noise(PART), times=12)
    assert store.unfinished() == []
    store.client.close()


def test_missing_objects_say_so_and_are_easily_deleted(store: ObjectStore, key: str, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        store.fetch(key, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()
    store.delete(key)
    write(store, key, noise(SMALL)).commit()
    store.delete(key)
    assert list(store.keys(key)) == []


def test_keys_are_listed_by_prefix(subject: Subject) -> None:
    wanted = {f"full/{subject.spot}/{name}.jpg" for name in ("a", "ab", "b")}
    for key in (*wanted, f"small/{subject.spot}/a.jpg"):
        write(subject.store, key, b"x").commit()
    assert set(subject.store.keys(f"full/{subject.spot}/")) == wanted
    assert set(subject.store.keys(f"full/{subject.spot}/a")) == {
        f"full/{subject.spot}/{name}.jpg" for name in ("a", "ab")
    }
    assert wanted < set(subject.store.keys())
    assert list(subject.store.keys("medium/nothing/")) == []


def test_only_old_unfinished_writes_are_swept_and_cannot_be_committed_then(store: ObjectStore, key: str) -> None:
    writer = write(store, key, noise(LARGE))
    assert store.sweep(older_than_s=3600) == 0
    assert len(store.unfinished()) == 1
    assert store.sweep(older_than_s=0) == 1
    assert store.unfinished() == []
    with pytest.raises(StorageUnavailable):
        writer.commit()
    assert list(store.keys(key)) == []


def test_the_world_may_read_and_keep_a_derivative(subject: Subject, key: str) -> None:
    write(subject.store, key, noise(SMALL)).commit()
    answer = subject.get(subject.store.url(key))
    assert (answer.status, answer.body) == (200, noise(SMALL))
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_an_original_is_read_with_its_signed_link_only(subject: Subject) -> None:
    key, other = (f"originals/{subject.spot}-{n}.tif" for n in (1, 2))
    for name in (key, other):
        write(subject.store, name, noise(SMALL), content_type="image/tiff").commit()
    url = subject.store.signed_url(key, filename="Gallwespe März.tif", content_type="image/tiff", expires_s=60)

    answer = subject.get(url)
    assert (answer.status, answer.body) == (200, noise(SMALL))
    assert answer.headers["Content-Type"] == "image/tiff"
    assert answer.headers["Content-Disposition"] == "inline; filename*=utf-8''Gallwespe%20M%C3%A4rz.tif"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert subject.get(url.partition("?")[0]).status == 403
    assert subject.get(url.replace(key, other)).status == 403
    assert subject.get(url[:-3] + ("abc" if url[-3:] != "abc" else "def")).status == 403


def test_a_signed_link_ends(subject: Subject) -> None:
    key = f"originals/{subject.spot}.jpg"
    write(subject.store, key, noise(SMALL)).commit()
    url = subject.store.signed_url(key, filename="a.jpg", content_type="image/jpeg", expires_s=1)
    time.sleep(2.1)
    assert subject.get(url).status == 403


@pytest.mark.parametrize(
    "bad", ["", "/etc/passwd", "../x", "full/../../x", "full//x", "full/.x", "full\\x", "full/", "a\0b", "a" * 300]
)
def test_what_is_no_key_is_refused(store: ObjectStore, bad: str, tmp_path: Path) -> None:
    (tmp_path / "source").touch()
    for call in (
        lambda: store.begin(bad, content_type="image/jpeg"),
        lambda: store.put(bad, tmp_path / "source", content_type="image/jpeg"),
        lambda: store.fetch(bad, tmp_path / "fetched"),
        lambda: store.delete(bad),
        lambda: store.url(bad),
        lambda: store.signed_url(bad, filename="x", content_type="image/jpeg", expires_s=60),
    ):
        with pytest.raises(ValueError, match="not the key"):
            call()


def test_checking_leaves_nothing_behind(subject: Subject) -> None:
    subject.store.check()
    assert list(subject.store.keys("uploads/")) == []
    assert subject.store.unfinished() == []


def test_a_check_fails_where_files_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("not a directory")
    with pytest.raises(StorageUnavailable):
        FileStore(tmp_path / "objects", media_url="http://localhost/media").check()


def test_a_refused_secret_is_not_repeated(seaweed: SeaweedFS) -> None:
    store = s3_store(seaweed, (seaweed.web[0], "not the secret"))
    for _ in range(2):
        with pytest.raises(StorageUnavailable) as refused:
            store.check()
        assert "secret" not in str(refused.value)
    store.client.close()


def test_files_are_for_nobody_else_on_the_machine(object_store: FileStore) -> None:
    write(object_store, "originals/a.jpg", b"x").commit()
    path = object_store.path("originals/a.jpg")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


class TestWriteOnlyCredentials:
    @pytest.fixture
    def web(self, seaweed: SeaweedFS) -> Iterator[S3Store]:
        store = s3_store(seaweed, seaweed.web)
        yield store
        store.client.close()

    @pytest.mark.parametrize("size_bytes", [SMALL, LARGE])
    def test_they_suffice_for_uploads(self, web: S3Store, size_bytes: int) -> None:
        web.check()
        write(web, f"originals/{uuid4()}.jpg", noise(size_bytes)).commit()
        write(web, f"originals/{uuid4()}.jpg", noise(size_bytes)).abort()

    def test_they_neither_read_nor_list_nor_delete(self, web: S3Store, seaweed: SeaweedFS, tmp_path: Path) -> None:
        key = f"originals/{uuid4()}.jpg"
        write(web, key, noise(SMALL)).commit()
        for forbidden in (
            lambda: web.fetch(key, tmp_path / "fetched"),
            lambda: list(web.keys()),
            lambda: web.delete(key),
            web.unfinished,
        ):
            with pytest.raises(StorageUnavailable):
                forbidden()
        worker = s3_store(seaweed)
        assert read(worker, key, tmp_path) == noise(SMALL)
        worker.client.close()

    def test_read_only_credentials_sign_links_and_change_nothing(self, web: S3Store, seaweed: SeaweedFS) -> None:
        key = f"originals/{uuid4()}.jpg"
        write(web, key, noise(SMALL)).commit()
        reader = s3_store(seaweed, seaweed.read)
        url = reader.signed_url(key, filename="a.jpg", content_type="image/jpeg", expires_s=60)
        assert from_the_net(url).body == noise(SMALL)
        for forbidden in (lambda: write(reader, key, b"x").commit(), lambda: reader.delete(key)):
            with pytest.raises(StorageUnavailable):
                forbidden()
        assert from_the_net(url).body == noise(SMALL)
        reader.client.close()


def test_30_mb_on_their_way_to_s3_stay_out_of_memory(seaweed: SeaweedFS) -> None:
    store = s3_store(seaweed)
    write(store, f"originals/{uuid4()}.jpg", noise(2 * PART)).commit()
    chunk = noise(65_536)
    before_bytes = peak_memory_bytes(reset=True)
    writer = store.begin(f"originals/{uuid4()}.jpg", content_type="image/jpeg")
    for _ in range(480):
        writer.write(chunk)
    writer.commit()
    assert peak_memory_bytes() - before_bytes < 16_000_000
    store.client.close()


def peak_memory_bytes(*, reset: bool = False) -> int:
    """The most that this process ever had in memory; with `reset`, count anew from what it has now."""
    if reset:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("needs Linux's /proc; no apt line helps")
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line[:6] == "VmHWM:")
