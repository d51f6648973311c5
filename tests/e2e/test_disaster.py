"""The machine is lost, with all that was on it: a backup and `manage.py repair` bring every picture back."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from media_jobs.keys import PUBLIC_PREFIXES
from tests.e2e.databases import database
from tests.e2e.service import Service, photo
from tests.e2e.stores import BucketObjects, FileObjects, Objects, s3_settings
from tests.servers.seaweed import s3_client, seaweedfs

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.disaster]


@contextmanager
def storage(kind: str, data: Path) -> Iterator[tuple[dict[str, str], Objects, Callable[[], None]]]:
    """Settings, what lies there, and a way to lose what can be made again."""
    if kind == "files":
        yield {}, FileObjects(data / "objects"), lambda: None
        return
    with seaweedfs() as seaweed, closing(BucketObjects(seaweed)) as objects:

        def lose() -> None:
            with closing(s3_client(seaweed.endpoint_url, seaweed.worker)) as client:
                for key in derivatives(objects):
                    client.delete_object(Bucket=seaweed.bucket, Key=key)

        yield s3_settings(seaweed), objects, lose


def derivatives(objects: Objects) -> dict[str, str]:
    """The SHA-256 of each, by its key."""
    keys = {key for prefix in PUBLIC_PREFIXES for key in objects.keys(prefix)}
    return {key: hashlib.sha256(objects.read(key)).hexdigest() for key in keys}


_AMOUNTS = """
from django.db.models import Sum
from media_jobs.models import StoredEntry
lines = StoredEntry.objects.values_list("kind").annotate(Sum("objects_more"), Sum("bytes_more"))
print(sorted(lines.order_by("kind")))
"""


@pytest.mark.parametrize("kind", ["files", "s3"])
def test_every_picture_is_back_after_the_loss_of_the_machine(tmp_path_factory, kind):
    folder = tmp_path_factory.mktemp("disaster")
    data, backup = folder / "data", folder / "backup"
    with storage(kind, data) as (stored, objects, lose_derivatives):
        with database(empty=True) as url:
            first = Service(data, {"DATABASE_URL": url, "WORKERS": "1", **stored}, objects=objects)
            try:
                first.start()
                jobs = [first.upload(photo()) for _ in range(3)]
                before = derivatives(objects)
                shown = {job["imageId"]: image(first, job["imageId"]) for job in jobs}
                counted = amounts(first)
                first.manage("backup", str(backup), "--originals-only")
                first.upload(photo())  # which nobody will remember
                assert first.stop() == 0
            finally:
                first.kill()
        if not url:
            assert_whole_by_itself(data / "gallimg.sqlite3", folder / "copy.sqlite3")
        shutil.rmtree(data)
        lose_derivatives()
        assert not derivatives(objects)
        with database(empty=True) as url:
            settings = {"DATABASE_URL": url, "WORKERS": "1", "PORT": first.env["PORT"], **stored}
            again = Service(data, settings, objects=objects)
            try:
                again.manage("restore", str(backup))
                assert amounts(again) == counted
                again.start()
                assert "Jobs queued: 3." in again.manage("repair")
                for job in jobs:
                    assert again.finished(job["jobId"])["status"] == "done"
                assert {key: derivatives(objects).get(key) for key in before} == before
                assert {found: image(again, found) for found in shown} == shown
                assert "Derivatives missing: 0." in again.manage("repair")
                assert again.upload(photo())["status"] == "done"
            finally:
                again.kill()


def amounts(service: Service) -> str:
    """How much the service counts as stored."""
    return service.manage("shell", "--no-imports", "-c", _AMOUNTS)


def image(service: Service, image_id: str) -> dict[str, object]:
    """What is said of it, but for when its job was done."""
    found = httpx.get(f"{service.url}/v1/images/{image_id}", timeout=30).json()
    return {name: found[name] for name in ("status", "sha256", "width", "height", "createdAt", "derivatives")}


def assert_whole_by_itself(main: Path, copy: Path) -> None:
    """The file of a database that was stopped has everything, without its log."""
    shutil.copyfile(main, copy)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM media_jobs_original").fetchone() == (4,)
