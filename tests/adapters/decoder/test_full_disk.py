"""A full disk is reported as one, whoever finds out, and nothing half written stays."""

from pathlib import Path

import pytest
from PIL import Image

from tests import images
from tests.adapters.storage import tiny_disk

pytestmark = pytest.mark.slow

STORE = """
from django.conf import settings
settings.configure(S3_BUCKET="")
import pytest

from media_jobs.adapters.storage.files import FileStore
from media_jobs.ports import Outgoing
"""
SANDBOX = """
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.pipeline.recipes import Format, Preset, Rendition
from media_jobs.pipeline.values import Request

def render(source, work, into):
    preset = Preset("large", (Rendition("r", 2048, format=Format.PNG),))
    request = Request(str(source), str(into), "0" * 64, preset)
    heartbeat = lambda *_: None
    try:
        return box.render(request, timeout_s=60, heartbeat=heartbeat, on_output=heartbeat)
    except errors.MediaError as error:
        return type(error).__name__
"""


def noisy_png(folder: Path) -> Path:
    """Its renditions take megabytes."""
    path = folder / "noise.png"
    path.write_bytes(images.encoded(Image.effect_noise((1500, 1500), 90), "PNG"))
    return path


def test_objects_that_find_no_room_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x" * 8_000_000)
    printed = tiny_disk.run(
        tmp_path,
        STORE
        + f"""
store = FileStore(DISK / "objects", media_url="http://localhost/media")
source = Path({str(tmp_path / "source")!r})
print(">", raised(store.put, [Outgoing("full/a.jpg", source, "image/jpeg")]))
print(">", list(store.keys()), store.unfinished())

writer = store.begin("full/a.jpg", content_type="image/jpeg")
print(">", raised(lambda: [writer.write(b"x" * 100_000) for _ in range(100)]))
print(">", raised(store.put, [Outgoing("full/b.jpg", Path(__import__("os").__file__), "image/jpeg")]))
print(">", list(store.keys()), store.unfinished())
""",
    )
    assert printed == ["StorageFull", "[] []", "StorageFull", "nothing", "['full/b.jpg'] []"]


def test_the_last_room_is_left_to_what_is_under_way(tmp_path: Path) -> None:
    printed = tiny_disk.run(
        tmp_path,
        STORE
        + """
store = FileStore(DISK / "objects", media_url="http://localhost/media", min_free_bytes=1_000_000)
print(">", raised(store.check_room), raised(store.check))
fill(leaving=500_000)
print(">", raised(store.check_room), raised(store.check))
store.begin("full/a.jpg", content_type="image/jpeg").commit()
(DISK / "filler").unlink()
print(">", raised(store.check_room), raised(store.check))
""",
    )
    assert printed == ["nothing nothing", "StorageFull StorageFull", "nothing nothing"]


def test_a_check_notices_a_full_disk_although_nothing_is_kept_free(tmp_path: Path) -> None:
    printed = tiny_disk.run(
        tmp_path,
        STORE
        + """
store = FileStore(DISK / "objects", media_url="http://localhost/media")
print(">", raised(store.check), store.unfinished())
fill(leaving=16_384)
print(">", raised(store.check), store.unfinished())
""",
    )
    assert printed == ["nothing []", "StorageFull []"]


def test_a_worker_notices_a_full_disk_of_its_own_although_nothing_is_kept_free(tmp_path: Path) -> None:
    printed = tiny_disk.run(
        tmp_path,
        f"""
from django.conf import settings
sqlite = {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
settings.configure(S3_BUCKET="", DATABASES={{"default": sqlite}}, WORK_DIR=DISK / "work", MIN_FREE_DISK_BYTES=0)
from media_jobs.adapters.storage.files import FileStore
from media_jobs.services.jobs import outage
outage.store = lambda role: FileStore(Path({str(tmp_path / "objects")!r}), media_url="http://localhost/media")
print(">", repr(outage.reason()))
fill(leaving=16_384)
print(">", repr(outage.reason()), list((DISK / "work").iterdir()))
""",
    )
    assert printed == ["''", "'disk_full' []"]


def test_an_object_that_finds_no_room_here_is_not_the_storages_fault(tmp_path: Path) -> None:
    printed = tiny_disk.run(
        tmp_path,
        STORE
        + f"""
store = FileStore(Path({str(tmp_path / "objects")!r}), media_url="http://localhost/media")
writer = store.begin("originals/a.jpg", content_type="image/jpeg")
writer.write(b"x" * 8_000_000)
writer.commit()
print(">", raised(store.fetch, "originals/a.jpg", DISK / "fetched"))
print(">", sorted(path.name for path in DISK.iterdir()))
""",
    )
    assert printed == ["WorkspaceFull", "[]"]


def test_a_workspace_without_room_is_not_waited_for(tmp_path: Path) -> None:
    printed = tiny_disk.run(
        tmp_path,
        """
from itertools import count
from media_jobs.adapters.workspace import Workspace, sweep
files = []
try:
    for number in count():
        (DISK / str(number)).touch()
        files.append(DISK / str(number))
except OSError:
    pass
for needs in ("a folder", "and its lock", "nothing more"):
    print(">", raised(Workspace, DISK, "mine"), sweep(DISK))
    files.pop().unlink()
print(">", sweep(DISK))
""",
        inodes=8,
    )
    assert printed == ["WorkspaceFull 0", "WorkspaceFull 0", "nothing 1", "0"]


def test_a_decoder_that_gets_no_folder_says_why_and_comes_up_later(tmp_path: Path) -> None:
    source = noisy_png(tmp_path)
    printed = tiny_disk.run(
        tmp_path,
        SANDBOX
        + f"""
box = Sandbox(768 << 20, DISK, readable=[Path({str(tmp_path)!r})])
(DISK / "file").touch()
print(">", render({str(source)!r}, DISK, {str(tmp_path)!r}))
(DISK / "file").unlink()
print(">", type(render({str(source)!r}, DISK, {str(tmp_path)!r})).__name__)
box.close()
""",
        inodes=3,
        size="64m",
    )
    assert printed == ["WorkspaceFull", "Rendered"]


def test_outputs_that_find_no_room_in_the_decoders_folder_are_nobodys_fault(tmp_path: Path) -> None:
    source = noisy_png(tmp_path)
    printed = tiny_disk.run(
        tmp_path,
        SANDBOX
        + f"""
box = Sandbox(768 << 20, DISK, readable=[Path({str(tmp_path)!r})])
box.start()
fill(leaving=200_000)
print(">", render({str(source)!r}, DISK, {str(tmp_path)!r}))
(DISK / "filler").unlink()
print(">", type(render({str(source)!r}, DISK, {str(tmp_path)!r})).__name__)
box.close()
print(">", [path.name for path in DISK.iterdir()])
""",
        size="16m",
    )
    assert printed == ["WorkspaceFull", "Rendered", "[]"]


def test_outputs_that_find_no_room_at_their_place_are_not_the_decoders_lie(tmp_path: Path) -> None:
    source = noisy_png(tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    printed = tiny_disk.run(
        tmp_path,
        SANDBOX
        + f"""
box = Sandbox(768 << 20, Path({str(work)!r}), readable=[Path({str(tmp_path)!r})])
print(">", render({str(source)!r}, None, DISK))
box.close()
""",
        size="1m",
    )
    assert printed == ["WorkspaceFull"]
