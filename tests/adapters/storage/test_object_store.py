"""What `ports.ObjectStore` promises, kept by files and by S3 (SeaweedFS, a server that enforces its policies)."""

import itertools
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest

from media_jobs.adapters import throttle
from media_jobs.errors import ObjectMissing, StorageUnavailable
from media_jobs.ports import ObjectStore, ObjectWriter, Outgoing
from tests.adapters.storage.stores import (
    LARGE,
    PART,
    SMALL,
    Subject,
    full_disk,
    noise,
    read,
    write,
)


def write_and_commit(writer: ObjectWriter, content: bytes) -> None:
    writer.write(content)
    writer.commit()


@pytest.mark.parametrize("size_bytes", [0, 1, SMALL, PART, PART + 1, 2 * PART, LARGE])
def test_an_object_reads_back_as_it_was_written(store: ObjectStore, key: str, size_bytes: int, tmp_path: Path) -> None:
    content = noise(size_bytes)
    write(store, key, content).commit()
    assert read(store, key, tmp_path) == content
    assert store.unfinished() == []


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


class StopWanted(Exception):
    """What a worker raises in its heartbeat. Its kinds are those that a library on the way takes for the network's."""


class LooksLikeTheNetwork(StopWanted, ConnectionResetError, TimeoutError):
    pass


class Stopped(BaseException):
    pass


#: At the first heartbeat, and in the middle.
MOMENTS = [1, 40]


def raising(error: BaseException, *, at_heartbeat: int) -> Callable[[], None]:
    heartbeats = itertools.count(1)

    def heartbeat() -> None:
        if next(heartbeats) >= at_heartbeat:
            raise error

    return heartbeat


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats as often as there is occasion."""
    monkeypatch.setattr(throttle, "INTERVAL_S", 1e-5)


def test_bytes_on_their_way_call_the_heartbeat(store: ObjectStore, key: str, restless: None, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(noise(LARGE))
    heartbeats: list[str] = []
    store.put([Outgoing(key, tmp_path / "source", "image/jpeg")], heartbeat=lambda: heartbeats.append("put"))
    store.fetch(key, tmp_path / "fetched", heartbeat=lambda: heartbeats.append("fetch"))
    assert (tmp_path / "fetched").read_bytes() == noise(LARGE)
    assert heartbeats.count("put") > 50 < heartbeats.count("fetch")


def test_nobody_is_troubled_by_each_chunk(store: ObjectStore, key: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(noise(LARGE))
    heartbeats: list[float] = []
    store.put([Outgoing(key, tmp_path / "source", "image/jpeg")], heartbeat=lambda: heartbeats.append(time.monotonic()))
    store.fetch(key, tmp_path / "fetched", heartbeat=lambda: heartbeats.append(time.monotonic()))
    assert len(heartbeats) >= 2
    assert (
        sum(after - before < throttle.INTERVAL_S for before, after in itertools.pairwise(heartbeats)) <= 1
    )  # between the calls


@pytest.mark.parametrize("error", [StopWanted(), LooksLikeTheNetwork(), Stopped()], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("at_heartbeat", MOMENTS)
@pytest.mark.slow
def test_what_a_heartbeat_raises_ends_a_put_and_leaves_nothing(
    store: ObjectStore, key: str, error: BaseException, at_heartbeat: int, restless: None, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(noise(30_000_000))
    heartbeat = mock.Mock(side_effect=raising(error, at_heartbeat=at_heartbeat))
    with pytest.raises(type(error)) as raised:
        store.put([Outgoing(key, tmp_path / "source", "image/jpeg")], heartbeat=heartbeat)
    assert raised.value is error
    assert heartbeat.call_count == at_heartbeat  # nothing was tried again
    assert list(store.keys(key)) == []
    assert store.unfinished() == []
    store.put([Outgoing(key, tmp_path / "source", "image/jpeg")])
    assert read(store, key, tmp_path) == noise(30_000_000)


@pytest.mark.parametrize("error", [StopWanted(), LooksLikeTheNetwork(), Stopped()], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("at_heartbeat", MOMENTS)
@pytest.mark.slow
def test_what_a_heartbeat_raises_ends_a_fetch_and_leaves_nothing(
    store: ObjectStore, key: str, error: BaseException, at_heartbeat: int, restless: None, tmp_path: Path
) -> None:
    write(store, key, noise(LARGE)).commit()
    heartbeat = mock.Mock(side_effect=raising(error, at_heartbeat=at_heartbeat))
    with pytest.raises(type(error)) as raised:
        store.fetch(key, tmp_path / "fetched", heartbeat=heartbeat)
    assert raised.value is error
    assert heartbeat.call_count == at_heartbeat
    assert list(tmp_path.rglob("*fetched*")) == []
    assert read(store, key, tmp_path) == noise(LARGE)


def test_missing_objects_say_so_and_are_easily_deleted(store: ObjectStore, key: str, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        store.fetch(key, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()
    with pytest.raises(ObjectMissing):
        store.open(key)
    with pytest.raises(ObjectMissing):
        store.open(key, start=1, end=2)
    store.delete(key)
    write(store, key, noise(SMALL)).commit()
    store.delete(key)
    assert list(store.keys(key)) == []


#: Of an object of SMALL bytes.
PARTS = [(0, None), (0, SMALL), (0, 1), (1, None), (SMALL - 1, SMALL), (10, 20), (0, SMALL + 99)]


@pytest.mark.parametrize(("start", "end"), PARTS)
def test_an_object_is_read_as_it_comes_whole_or_in_part(
    store: ObjectStore, key: str, start: int, end: int | None
) -> None:
    write(store, key, noise(SMALL)).commit()
    with closing(store.open(key, start=start, end=end)) as reader:
        pieces = list(iter(lambda: reader.read(7), b""))
        assert reader.read(7) == b""
    assert all(len(piece) <= 7 for piece in pieces)
    assert b"".join(pieces) == noise(SMALL)[start:end]


def test_whoever_has_read_enough_closes_an_object(store: ObjectStore, key: str, tmp_path: Path) -> None:
    write(store, key, noise(LARGE)).commit()
    for _ in range(20):  # more than a pool has connections
        reader = store.open(key)
        assert reader.read(1) == noise(LARGE)[:1]
        reader.close()
    assert read(store, key, tmp_path) == noise(LARGE)


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


def test_keys_come_in_an_order_and_go_on_behind_any(subject: Subject) -> None:
    names = ("a.jpg", "a/b.jpg", "a-b/c.jpg", "b/a.jpg", "b.jpg", "c.jpg")
    keys = sorted(f"full/{subject.spot}/{name}" for name in names)
    for key in keys:
        write(subject.store, key, b"x").commit()
    prefix = f"full/{subject.spot}/"
    found = list(subject.store.keys(prefix))
    assert sorted(found) == keys  # SeaweedFS has a/b before a-b
    for number, key in enumerate(found, start=1):
        assert list(subject.store.keys(prefix, after=key)) == found[number:]
    assert sorted(subject.store.keys(prefix, after=f"{prefix}a0")) == [key for key in keys if key > f"{prefix}a0"]


def test_whether_there_is_an_object_can_be_asked(store: ObjectStore, key: str) -> None:
    assert not store.exists(key)
    write(store, key, b"x").commit()
    assert store.exists(key)
    store.delete(key)
    assert not store.exists(key)


def test_objects_are_listed_with_their_size_and_time(subject: Subject) -> None:
    write(subject.store, f"full/{subject.spot}/a.jpg", b"x" * 7).commit()
    write(subject.store, f"full/{subject.spot}/b.jpg", b"y").commit()
    began = datetime.now(UTC)
    found = {listed.key: listed for listed in subject.store.objects(f"full/{subject.spot}/")}
    assert {key: listed.size_bytes for key, listed in found.items()} == {
        f"full/{subject.spot}/a.jpg": 7,
        f"full/{subject.spot}/b.jpg": 1,
    }
    assert all(abs(began - listed.stored_at) < timedelta(minutes=5) for listed in found.values())


def test_only_old_unfinished_writes_are_swept_and_cannot_be_committed_then(store: ObjectStore, key: str) -> None:
    writer = write(store, key, noise(LARGE))
    assert store.unfinished(older_than_s=3600) == []
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
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''Gallwespe%20M%C3%A4rz.tif"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert subject.get(url.partition("?")[0]).status == 403
    assert subject.get(url.replace(key, other)).status == 403
    assert subject.get(url[:-3] + ("abc" if url[-3:] != "abc" else "def")).status == 403


@pytest.mark.slow
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
        lambda: store.put([Outgoing(bad, tmp_path / "source", "image/jpeg")]),
        lambda: store.fetch(bad, tmp_path / "fetched"),
        lambda: store.open(bad),
        lambda: store.delete(bad),
        lambda: store.url(bad),
        lambda: store.signed_url(bad, filename="x", content_type="image/jpeg", expires_s=60),
    ):
        with pytest.raises(ValueError, match="not the key"):
            call()


def test_checking_leaves_nothing_behind(subject: Subject) -> None:
    before = set(subject.store.keys("uploads/"))  # a bucket of many tests
    subject.store.check()
    assert set(subject.store.keys("uploads/")) == before
    assert subject.store.unfinished() == []
