"""What the object store in S3 promises beyond its port."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.errors import StorageDenied, StorageUnavailable
from tests.adapters.storage.stores import (
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
from tests.servers.seaweed import SeaweedFS


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
            with pytest.raises(StorageDenied):
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
            with pytest.raises(StorageDenied):
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
