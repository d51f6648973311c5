"""Parts of uploads share a bounded memory, move to disk where it is used up, and read back as they were written."""

import functools
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from media_jobs.adapters.storage.upload_buffer import Part, UploadBuffer
from tests.adapters.storage.stores import full_disk

PART_BYTES = 1_048_576
CHUNK = 65_536


def noise(size_bytes: int) -> bytes:
    return hashlib.shake_128(b"part").digest(size_bytes)


def written(buffer: UploadBuffer, content: bytes) -> Part:
    part = Part(buffer, PART_BYTES)
    for start in range(0, len(content), CHUNK):
        part.write(memoryview(content)[start : start + CHUNK])
    return part


@pytest.mark.parametrize("size_bytes", [1, CHUNK, 700_001, PART_BYTES])
@pytest.mark.parametrize("buffer_bytes", [0, 300_000, 2 * PART_BYTES], ids=["disk", "both", "memory"])
def test_a_part_reads_back_as_it_was_written_as_often_as_it_takes(buffer_bytes: int, size_bytes: int):
    content = noise(size_bytes)
    with closing(written(UploadBuffer(buffer_bytes), content)) as part:
        for amount in (-1, None, 10_000, PART_BYTES * 2):
            assert part.seek(0) == 0
            assert b"".join(iter(functools.partial(part.read, amount), b"")) == content
        assert part.seek(0, os.SEEK_END) == part.tell() == part.size_bytes == size_bytes
        assert part.read(10) == b""
        assert part.seek(size_bytes // 2) == size_bytes // 2
        assert part.seek(0, os.SEEK_CUR) == size_bytes // 2
        assert part.read() == content[size_bytes // 2 :]


def test_a_part_without_a_byte_is_an_empty_file():
    part = Part(UploadBuffer(PART_BYTES), PART_BYTES)
    assert (part.read(), part.tell(), part.seek(0, os.SEEK_END)) == (b"", 0, 0)
    part.close()


def test_a_part_takes_as_much_memory_as_it_has_bytes():
    buffer = UploadBuffer(PART_BYTES)
    part = written(buffer, noise(200_000))
    assert buffer.taken_bytes == 200_000
    part.close()


def test_all_parts_together_never_take_more_memory_than_there_is():
    buffer = UploadBuffer(PART_BYTES)
    parts = [written(buffer, noise(300_000)) for _ in range(10)]
    assert 0 < buffer.taken_bytes <= PART_BYTES
    for part in parts:
        part.seek(0)
        assert part.read() == noise(300_000)
        part.close()
    assert buffer.taken_bytes == 0


def test_a_part_that_moves_to_disk_leaves_its_memory_to_others():
    buffer = UploadBuffer(300_000)
    large = written(buffer, noise(PART_BYTES))
    assert buffer.taken_bytes == 0
    small = written(buffer, noise(300_000))
    assert buffer.taken_bytes == 300_000
    large.close()
    small.close()


def test_memory_is_given_back_once_however_often_a_part_is_closed():
    buffer = UploadBuffer(2 * PART_BYTES)
    kept, closed = written(buffer, noise(1000)), written(buffer, noise(5000))
    for _ in range(3):
        closed.close()
    assert buffer.taken_bytes == 1000
    kept.close()


def test_many_threads_keep_the_account_straight():
    buffer = UploadBuffer(4 * PART_BYTES)

    def use(_: int) -> tuple[bool, int]:
        with closing(written(buffer, noise(PART_BYTES))) as part:
            taken_bytes = buffer.taken_bytes
            part.seek(0)
            return part.read() == noise(PART_BYTES), taken_bytes

    with ThreadPoolExecutor(12) as threads:
        used = list(threads.map(use, range(60)))
    assert all(same for same, _ in used)
    assert max(taken_bytes for _, taken_bytes in used) <= 4 * PART_BYTES
    assert buffer.taken_bytes == 0


def test_a_full_disk_is_an_error_and_no_memory_stays_taken():
    buffer = UploadBuffer(200_000)
    part = Part(buffer, PART_BYTES)
    part.write(noise(150_000))
    with full_disk(100_000), pytest.raises(OSError, match="File too large"):
        part.write(noise(100_000))
    part.close()
    assert buffer.taken_bytes == 0


def test_nothing_of_a_part_has_a_name_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    part = written(UploadBuffer(0), noise(PART_BYTES))
    assert list(tmp_path.iterdir()) == []
    part.close()
