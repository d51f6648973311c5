"""What the object store in files promises beyond its port."""

from pathlib import Path

import pytest

from media_jobs.adapters.storage.files import FileStore
from media_jobs.errors import StorageUnavailable
from tests.adapters.storage.stores import write


def test_a_check_fails_where_files_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("not a directory")
    with pytest.raises(StorageUnavailable):
        FileStore(tmp_path / "objects", media_url="http://localhost/media").check()


def test_files_are_for_nobody_else_on_the_machine(object_store: FileStore) -> None:
    write(object_store, "originals/a.jpg", b"x").commit()
    path = object_store.path("originals/a.jpg")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
