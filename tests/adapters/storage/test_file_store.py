"""What the object store in files promises beyond its port."""

import time
from pathlib import Path

import pytest

from media_jobs.adapters import throttle
from media_jobs.adapters.storage.file_writer import FileWriter
from media_jobs.adapters.storage.files import FileStore
from media_jobs.errors import StorageUnavailable
from media_jobs.ports import Outgoing
from tests.adapters.storage.stores import write
from tests.services.jobs.threads import wait_until


def test_a_check_fails_where_files_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("not a directory")
    with pytest.raises(StorageUnavailable):
        FileStore(tmp_path / "objects", media_url="http://localhost/media").check()


def test_files_are_for_nobody_else_on_the_machine(object_store: FileStore) -> None:
    write(object_store, "originals/a.jpg", b"x").commit()
    path = object_store.path("originals/a.jpg")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_whose_disk_hangs_while_it_stores_is_silent_until_it_goes_on(
    object_store: FileStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another worker takes its job then, perhaps one with a better disk."""
    monkeypatch.setattr(throttle, "INTERVAL_S", 0.001)
    files = [Outgoing(f"full/{name}.jpg", tmp_path / "source", "image/jpeg") for name in "abcd"]
    files[0].source.write_bytes(b"x")
    heartbeats: list[None] = []
    others = {file.key for file in files[1:]}
    commit = FileWriter.commit

    def is_silent() -> bool:
        before = len(heartbeats)
        time.sleep(0.2)
        return len(heartbeats) == before

    def hang(writer: FileWriter) -> None:
        if writer._target == object_store.path(files[0].key):
            wait_until(lambda: set(object_store.keys()) == others)
            wait_until(is_silent)
        commit(writer)

    monkeypatch.setattr(FileWriter, "commit", hang)
    object_store.put(files, heartbeat=lambda: heartbeats.append(None))
    assert heartbeats
    assert set(object_store.keys()) == others | {files[0].key}
