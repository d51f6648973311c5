"""What the object store in S3 promises beyond its port."""

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.response import StreamingBody

from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.errors import StorageUnavailable
from tests.adapters.stores import (
    LARGE,
    PART,
    SMALL,
    failing_in_the_middle,
    from_the_net,
    noise,
    read,
    s3_store,
    write,
)
from tests.seaweed import SeaweedFS


def test_a_part_that_is_lost_ends_the_upload_before_its_last_byte(seaweed: SeaweedFS) -> None:
    store, key = s3_store(seaweed), f"originals/{uuid4()}.jpg"
    writer = store.begin(key, content_type="image/jpeg")
    with failing_in_the_middle(store), pytest.raises(StorageUnavailable):
        repeat(writer.write, noise(PART), times=12)
    assert store.unfinished() == []
    store.client.close()


def repeat(write: Callable[[bytes], None], chunk: bytes, *, times: int) -> None:
    for _ in range(times):
        write(chunk)


@pytest.mark.parametrize(("breaks", "comes"), [(2, True), (3, False)])
def test_an_object_that_breaks_off_is_read_again_but_not_for_ever(
    seaweed: SeaweedFS, tmp_path: Path, breaks: int, comes: bool
) -> None:
    store, key = s3_store(seaweed), f"originals/{uuid4()}.jpg"
    write(store, key, noise(LARGE)).commit()
    cut = iter(range(breaks))

    def break_off(parsed: dict[str, Any], **_: Any) -> None:
        if next(cut, None) is not None:
            parsed["Body"].close()
            parsed["Body"] = StreamingBody(io.BytesIO(noise(LARGE)[:100_000]), LARGE)

    store.client.meta.events.register("after-call.s3.GetObject", break_off)
    if comes:
        assert read(store, key, tmp_path) == noise(LARGE)
    else:
        with pytest.raises(StorageUnavailable):
            store.fetch(key, tmp_path / "fetched")
        assert list(tmp_path.iterdir()) == []
    store.client.close()


def test_a_refused_secret_is_not_repeated(seaweed: SeaweedFS) -> None:
    store = s3_store(seaweed, (seaweed.web[0], "not the secret"))
    for _ in range(2):
        with pytest.raises(StorageUnavailable) as refused:
            store.check()
        assert "secret" not in str(refused.value)
    store.client.close()


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
