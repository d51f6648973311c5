"""`manage.py import_originals`: objects of the storage become originals, once each, wherever it is cut off."""

import hashlib
import io
import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command

from media_jobs import selectors
from media_jobs.adapters.bucket import policies
from media_jobs.adapters.bucket.policies import policy
from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.storage.files import FileStore
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Derivative, Original, Tombstone
from media_jobs.models.base import uuid7
from media_jobs.services import object_deletion
from tests import images, working
from tests.factories import make_job
from tests.servers.seaweed import s3_client, seaweedfs, use

pytestmark = pytest.mark.django_db


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def run(*options: str) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_originals", *options, stdout=out, stderr=err)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


def put(key: str, content: bytes) -> None:
    writer = store(Role.WORKER).begin(key, content_type="image/jpeg")
    writer.write(content)
    writer.commit()


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(320, 240)


def test_an_object_becomes_an_original_where_it_lies_and_pictures_come_of_it(photo):
    put("gall/42/leaf.jpg", photo)
    ended = run("--prefix", "gall/")
    assert ended.code == 0, ended.err
    assert "1 adopted" in ended.out
    assert "reprocess --prefix gall/ --only-missing" in ended.out
    [original] = Original.objects.all()
    assert (original.key, original.filename, original.owner, original.format) == (
        "gall/42/leaf.jpg", "leaf.jpg", "system", "jpeg",
    )  # fmt: skip
    assert (original.size_bytes, original.sha256) == (len(photo), hashlib.sha256(photo).hexdigest())
    assert list(store(Role.WORKER).keys()) == ["gall/42/leaf.jpg"]
    job = make_job(original)
    working.run(job.pk)
    assert Derivative.objects.filter(original=original).count() == 4


def test_a_second_run_finds_nothing_new_and_a_third_only_what_came(photo):
    put("gall/a.jpg", photo)
    assert json.loads(run("--prefix", "gall/", "--json").out)["adopted"] == 1
    assert json.loads(run("--prefix", "gall/", "--json").out) == {
        "adopted": 0, "known": 1, "refused": 0, "bytes": 0, "badRightsRows": 0, "rightsRowsWithoutObject": 0,
        "dryRun": False,
    }  # fmt: skip
    put("gall/b.jpg", photo)
    put("other/c.jpg", photo)
    assert json.loads(run("--prefix", "gall/", "--json").out)["adopted"] == 1
    assert set(Original.objects.values_list("key", flat=True)) == {"gall/a.jpg", "gall/b.jpg"}


def test_the_siblings_of_originals_are_left_out_by_a_pattern(photo):
    for key in ("gall/oak/oak_1_original.jpg", "gall/oak/oak_1_small.jpg", "gall/oak/Oak_2_ORIGINAL.jpg"):
        put(key, photo)
    ended = run("--prefix", "gall/", "--only", "*_original.*")
    assert (ended.code, "1 adopted" in ended.out, ended.err) == (0, True, "")
    assert [original.key for original in Original.objects.all()] == ["gall/oak/oak_1_original.jpg"]


def test_it_goes_on_where_the_storage_broke_off(photo, object_store, monkeypatch):
    for number in range(4):
        put(f"gall/{number}.jpg", photo + bytes([number]))
    fetched: list[str] = []
    whole = FileStore.fetch

    def breaking(self: FileStore, key: str, into: Path, **how: Any) -> None:
        if len(fetched) == 2:
            raise StorageUnavailable("reading a file")
        fetched.append(key)
        whole(self, key, into, **how)

    with monkeypatch.context() as patched:
        patched.setattr(FileStore, "fetch", breaking)
        with pytest.raises(CommandError, match=r"2 adopted.*The same command goes on from here"):
            run("--prefix", "gall/")
    assert set(Original.objects.values_list("key", flat=True)) == set(fetched)
    assert json.loads(run("--prefix", "gall/", "--json").out)["adopted"] == 2


def test_ctrl_c_says_how_far_it_came(photo, monkeypatch):
    put("gall/a.jpg", photo)
    put("gall/b.jpg", photo)
    whole = FileStore.fetch

    def interrupted(self: FileStore, key: str, into: Path, **how: Any) -> None:
        whole(self, key, into, **how)
        if Original.objects.exists():
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(FileStore, "fetch", interrupted)
        ended = run("--prefix", "gall/")
    assert ended.code == 130
    assert "1 adopted" in ended.err
    assert Original.objects.count() == 1
    assert run("--prefix", "gall/").code == 0
    assert Original.objects.count() == 2


def test_a_copy_is_an_original_like_any_other_and_is_made_once(photo):
    put("gall/leaf.jpg", photo)
    assert run("--prefix", "gall/", "--copy", "--owner", "key:ab12cd34").code == 0
    assert "1 known" in run("--prefix", "gall/", "--copy").out
    [original] = Original.objects.all()
    assert original.key == f"originals/{original.pk}.jpg"
    assert (original.imported_from, original.filename, original.owner) == ("gall/leaf.jpg", "leaf.jpg", "key:ab12cd34")
    assert set(store(Role.WORKER).keys()) == {"gall/leaf.jpg", original.key}


def test_an_original_whose_row_was_lost_comes_back_under_its_own_id(photo):
    image_id = uuid7()
    put(f"originals/{image_id}.jpg", photo)
    Tombstone.objects.create(key=f"originals/{image_id}.jpg")  # housekeeping has found it without a row
    assert run("--prefix", "originals/", "--copy").code == 0
    assert Original.objects.get().pk == image_id
    assert not object_deletion.delete_unreferenced(f"originals/{image_id}.jpg")
    assert list(store(Role.WORKER).keys()) == [f"originals/{image_id}.jpg"]


def test_what_somebody_is_removing_at_this_moment_is_not_taken(photo):
    key = f"originals/{uuid7()}.jpg"
    put(key, photo)
    Tombstone.objects.create(key=key, deleting=True)
    ended = run("--prefix", "originals/")
    assert (ended.code, Original.objects.count()) == (3, 0)
    assert f"{key}: not_adoptable" in ended.err


@pytest.mark.parametrize(
    ("key", "content", "code"),
    [
        ("gall/empty.jpg", b"", "empty_file"),
        ("gall/notes.txt", b"nothing but words", "unsupported_format"),
        ("gall/with space.jpg", b"\xff\xd8\xff\xe0", "not_adoptable"),
        ("full/0/a.jpg", b"\xff\xd8\xff\xe0", "not_adoptable"),
        ("uploads/a", b"\xff\xd8\xff\xe0", "not_adoptable"),
        ("gall/huge.jpg", b"\xff\xd8\xff\xe0" + bytes(2_000_000), "file_too_large"),
    ],
)
def test_what_is_no_original_is_named_and_the_others_go_in(photo, object_store, settings, key, content, code):
    settings.MAX_UPLOAD_BYTES = settings.INGEST_MAX_UPLOAD_BYTES = 1_000_000
    prefix = key.split("/")[0] + "/"
    path = settings.OBJECTS_DIR / key
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    if prefix == "gall/":
        put("gall/z.jpg", photo)
    ended = run("--prefix", prefix)
    assert ended.code == 3
    assert f"{key}: {code}: " in ended.err
    assert list(Original.objects.values_list("key", flat=True)) == (["gall/z.jpg"] if prefix == "gall/" else [])


def test_a_bad_row_of_rights_holds_back_its_own_object_until_it_is_repaired(photo, tmp_path):
    for name in ("a", "b", "c"):
        put(f"gall/{name}.jpg", photo)
    rights = tmp_path / "rights.csv"
    rights.write_text(
        "key,creator,licence\ngall/a.jpg,Ada,https://example.org/by\ngall/b.jpg,Bee,not an address\ngall/d.jpg,Dee,\n"
    )
    ended = run("--prefix", "gall/", "--rights", str(rights))
    assert ended.code == 3
    assert "rights, line 3 (gall/b.jpg): licence takes an address" in ended.err
    assert "rights, line 4 (gall/d.jpg): there is no such object" in ended.err
    said = {original.key: original.stated_rights for original in Original.objects.all()}
    assert said == {"gall/a.jpg": {"creator": "Ada", "licence": "https://example.org/by"}, "gall/c.jpg": {}}
    rights.write_text(rights.read_text().replace("not an address", "https://example.org/nc"))
    assert run("--prefix", "gall/", "--rights", str(rights)).code == 0
    bee = Original.objects.get(key="gall/b.jpg")
    assert (bee.creator, bee.licence) == ("Bee", "https://example.org/nc")


def test_stated_rights_are_written_into_what_is_made(photo, tmp_path):
    put("gall/a.jpg", photo)
    rights = tmp_path / "rights.csv"
    rights.write_text("key,creator\ngall/a.jpg,Ada Lovelace\n")
    assert run("--prefix", "gall/", "--rights", str(rights)).code == 0
    working.run(make_job(Original.objects.get()).pk)
    thumb = Derivative.objects.get(rendition="thumb")
    assert b"Ada Lovelace" in object_bytes(thumb.key, tmp_path)
    assert not selectors.is_stale(thumb, Original.objects.get())


def object_bytes(key: str, folder: Path) -> bytes:
    store(Role.WORKER).fetch(key, folder / "fetched")
    return (folder / "fetched").read_bytes()


def test_a_dry_run_tells_and_changes_nothing(photo):
    put("gall/a.jpg", photo)
    ended = run("--prefix", "gall/", "--dry-run")
    assert (ended.code, Original.objects.count()) == (0, 0)
    assert "1 would be adopted" in ended.out


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "--prefix"),
        (("--prefix", ""), "what keys begin with"),
        (("--prefix", "../etc/"), "what keys begin with"),
        (("--prefix", "gall/", "--rights", "/nowhere.csv"), "No such file"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(options, why):
    with pytest.raises(CommandError, match=why):
        run(*options)


def test_a_file_of_rights_that_is_not_understood_stops_everything(photo, tmp_path):
    put("gall/a.jpg", photo)
    rights = tmp_path / "rights.csv"
    rights.write_text("file;author\ngall/a.jpg;Ada\n")
    with pytest.raises(CommandError, match="first line must name its columns"):
        run("--prefix", "gall/", "--rights", str(rights))
    assert not Original.objects.exists()


@pytest.fixture(scope="module")
def legacy() -> Iterator[Any]:
    """A server on which the workers may read `gall/`, too, and somebody else writes there."""
    here = "arn:aws:s3:::gallimg"

    def allow(action: str) -> dict[str, Any]:
        return {"Sid": "Legacy", "Effect": "Allow", "Action": [f"s3:{action}"], "Resource": [f"{here}/gall/*"]}

    worker = policies.worker("gallimg")["Statement"]
    users = {"importer": policy(*worker, allow("GetObject")), "site": policy(allow("PutObject"))}
    with seaweedfs(users=users) as server:
        yield server


def test_a_bucket_is_imported_by_who_may_read_there_and_the_others_are_told(photo, legacy, settings, tmp_path):
    with closing(s3_client(legacy.endpoint_url, legacy.users["site"])) as site:
        for number in range(3):
            site.put_object(Bucket="gallimg", Key=f"gall/{number}.jpg", Body=photo)
    use(legacy, settings)
    with pytest.raises(CommandError, match=r"The workers' credentials must read gall/\*"):
        run("--prefix", "gall/")
    settings.S3_WORKER_CREDENTIALS = legacy.users["importer"]
    assert "3 adopted" in run("--prefix", "gall/").out
    assert "3 known" in run("--prefix", "gall/").out
    [first, *_] = Original.objects.order_by("key")
    working.run(make_job(first).pk)
    assert Derivative.objects.filter(original=first).count() == 4
