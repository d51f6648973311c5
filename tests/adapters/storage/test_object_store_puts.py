"""What `ports.ObjectStore.put` promises, kept by files and by S3."""

from pathlib import Path

import pytest

from media_jobs.errors import StorageUnavailable
from media_jobs.ports import ObjectStore, Outgoing
from tests.adapters.storage.stores import LARGE, SMALL, Subject, failing_in_the_middle, noise, read, refusing


@pytest.mark.parametrize("size_bytes", [SMALL, LARGE])
def test_a_file_that_was_put_reads_back(store: ObjectStore, key: str, size_bytes: int, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(noise(size_bytes))
    store.put([Outgoing(key, tmp_path / "source", "image/jpeg")])
    assert read(store, key, tmp_path) == noise(size_bytes)


def test_a_file_that_cannot_be_put_whole_is_not_put_at_all(store: ObjectStore, key: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(noise(30_000_000))
    with failing_in_the_middle(store), pytest.raises(StorageUnavailable):
        store.put([Outgoing(key, tmp_path / "source", "image/jpeg")])
    assert list(store.keys(key)) == []
    assert store.unfinished() == []


def four(subject: Subject, tmp_path: Path) -> list[Outgoing]:
    """Files of different sizes, the first and the last of which are large."""
    files = []
    for size_bytes in (LARGE, 0, SMALL, LARGE + 1):
        source = tmp_path / str(size_bytes)
        source.write_bytes(noise(size_bytes))
        files.append(Outgoing(f"full/{subject.spot}/{size_bytes}.jpg", source, "image/jpeg"))
    return files


def test_several_files_that_were_put_read_back_each_under_its_own_key(subject: Subject, tmp_path: Path) -> None:
    files = four(subject, tmp_path)
    subject.store.put(files)
    for file in files:
        assert read(subject.store, file.key, tmp_path) == file.source.read_bytes()
    subject.store.put(files[:1])
    subject.store.put([])
    assert set(subject.store.keys(f"full/{subject.spot}/")) == {file.key for file in files}


def test_of_several_files_of_which_one_cannot_be_put_each_is_there_whole_or_not_at_all(
    subject: Subject, tmp_path: Path
) -> None:
    files = four(subject, tmp_path)
    with refusing(subject.store, files[2].key), pytest.raises(StorageUnavailable):
        subject.store.put(files)
    there = set(subject.store.keys(f"full/{subject.spot}/"))
    assert there <= {file.key for file in files} - {files[2].key}
    for file in files:
        if file.key in there:
            assert read(subject.store, file.key, tmp_path) == file.source.read_bytes()
    assert subject.store.unfinished() == []


def test_nothing_is_put_while_one_of_its_keys_is_none(subject: Subject, tmp_path: Path) -> None:
    good, *_ = four(subject, tmp_path)
    with pytest.raises(ValueError, match="not the key"):
        subject.store.put([good, Outgoing("../x", good.source, "image/jpeg")])
    assert list(subject.store.keys(f"full/{subject.spot}/")) == []
