"""From the first release to this one, with data; and the release before beside this one, on one database."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.databases import database
from tests.e2e.service import ROOT, Service, photo
from tests.e2e.stores import BucketObjects, s3_settings
from tests.servers.seaweed import seaweedfs

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MIGRATIONS = "media_jobs/migrations"
#: Whoever owns the checkout: in a container it is often somebody else.
GIT = ("git", "-c", "safe.directory=*")
#: What a service of the first release leaves: a picture that is done, one that failed, one that waits, one of which
#: the worker died. Written with the tables as they were; their files are put where it had them.
_FIRST = """
import hashlib, json, sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

photo, made, objects = (Path(path) for path in {paths!r})
loader = MigrationExecutor(connection).loader
apps = loader.project_state([("media_jobs", "0001_initial")]).apps
model = lambda name: apps.get_model("media_jobs", name).objects
preset = model("Preset").create(name="site", version=1, current=True)
for name, side in (("full", 640), ("thumb", 100)):
    model("Rendition").create(preset=preset, name=name, side_px=side, fit="inside", format="jpeg", quality=82)
left = {{}}

def put(key, content):
    path = objects / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {{"key": key, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}}

def original(**fields):
    pk = uuid4()
    stored = put(f"originals/{{pk}}.jpg", photo.read_bytes())
    return model("Original").create(id=pk, state="active", owner="anonymous", filename="oak.jpg", format="jpeg",
                                    content_type="image/jpeg", **(stored | fields))

def job(name, **fields):
    made = model("Job").create(id=uuid4(), original=original(), preset=preset, wanted=["full", "thumb"],
                               owner="anonymous", last_event=1, **fields)
    model("JobEvent").create(job=made, number=1, type="queued", actor="anonymous")
    left[name] = str(made.pk)
    return made

now = timezone.now()
done = job("done", state="done", stage="finished", progress=100, attempt=1, finished_at=now, duration_ms=900)
for name in ("full", "thumb"):
    stored = put(f"{{name}}/{{done.original_id}}/0123456789abcdef0123456789abcdef.jpg", made.read_bytes())
    model("Derivative").create(id=uuid4(), original=done.original, job=done, preset=preset, preset_name="site",
                               rendition=name, state="current", content_type="image/jpeg", width_px=64, height_px=48,
                               engine="libvips 8.18", **stored)
job("failed", state="failed", code="truncated", detail="The file ends early.", attempt=1, finished_at=now)
job("waits")
job("lost", state="processing", stage="rendering", worker="gone", attempt=1, lease_until=now - timedelta(minutes=5))
print(json.dumps(left))
"""

_AMOUNTS = """
from django.db.models import Sum
from media_jobs.models import StoredEntry
lines = StoredEntry.objects.values_list("kind").annotate(Sum("objects_more"))
print(*(f"{kind}={count}" for kind, count in lines.order_by("kind")))
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


def test_all_of_the_first_release_is_there_after_the_upgrade(data: Path) -> None:
    with database(empty=True) as url:
        service = Service(data, {"DATABASE_URL": url, "WORKERS": "1"})
        try:
            service.manage("migrate", "media_jobs", "0001_initial", "--verbosity", "0")
            jobs = filled(service)
            service.start()  # which migrates
            shown = {name: service.finished(job) for name, job in jobs.items()}
            assert {name: job["status"] for name, job in shown.items()} == {
                "done": "done", "failed": "error", "waits": "done", "lost": "done",
            }  # fmt: skip
            assert shown["failed"]["code"] == "truncated"
            for name in ("done", "waits", "lost"):
                assert {made["name"] for made in shown[name]["derivatives"]} == {"full", "thumb"}
                assert all(httpx.get(made["url"], timeout=30).status_code == 200 for made in shown[name]["derivatives"])
            assert [made["width"] for made in shown["done"]["derivatives"]] == [64, 64]  # as it was made then
            listed = httpx.get(f"{service.url}/v1/images", timeout=30).json()["images"]
            assert {image["status"] for image in listed} == {"done", "error"}
            assert len(listed) == 4
            assert service.manage("shell", "--no-imports", "-c", _AMOUNTS).split() == ["derivative=6", "original=4"]
            again = httpx.post(f"{service.url}/v1/jobs/{jobs['failed']}/retry", timeout=30)
            assert again.status_code == 202
            assert service.finished(jobs["failed"])["status"] == "done"
            assert service.upload(photo())["status"] == "done"  # by the preset that is shipped since
        finally:
            service.kill()


def filled(service: Service) -> dict[str, str]:
    """The jobs that the first release left, by what became of them there."""
    folder = service.data.parent
    files = {"photo.jpg": photo(640, 480), "made.jpg": photo(64, 48)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    paths = [*(str(folder / name) for name in files), str(service.data / "objects")]
    said = service.manage("shell", "--no-imports", "-c", _FIRST.format(paths=paths))
    found: dict[str, str] = json.loads(said)
    return found


@pytest.mark.postgres
def test_the_release_before_works_on_beside_this_one(tmp_path: Path) -> None:
    """A rolling upgrade, in which web and workers of both answer for each other."""
    before = release_before(tmp_path / "before")
    with ExitStack() as stack:
        url, seaweed = stack.enter_context(database(empty=True)), stack.enter_context(seaweedfs())
        objects = BucketObjects(seaweed)
        stack.callback(objects.close)
        shared = {"DATABASE_URL": url, **s3_settings(seaweed)}

        @contextmanager
        def running(name: str, workers: int, root: Path = ROOT, *arguments: str) -> Iterator[Service]:
            settings = {**shared, "WORKERS": str(workers)}
            service = Service(tmp_path / name, settings, arguments=arguments, objects=objects, root=root)
            try:
                yield service.start()
                assert service.stop() == 0
            finally:
                service.kill()

        with running("old", 1, before) as old:
            first = old.upload(photo())
            with running("new", 0) as new:  # it migrates while the old one works
                jobs = [service.upload(photo()) for service in (old, new, old, new)]  # the old worker does them
                assert {job["status"] for job in jobs} == {"done"}
                for job in (first, *jobs):
                    assert seen(old, job) == seen(new, job) == job["derivatives"]
        with running("old", 0, before) as old, running("new", 1) as new:  # now the new one, as after a roll back
            jobs = [service.upload(photo()) for service in (old, new)]
            assert {job["status"] for job in jobs} == {"done"}
            for job in jobs:
                assert seen(old, job) == seen(new, job) == job["derivatives"]
            broken = [service.upload(photo()[:-500]) for service in (old, new)]
            assert {job["code"] for job in broken} == {"truncated"}
            assert old.is_ready()
            assert "Traceback" not in old.logs + new.logs


def seen(service: Service, job: dict[str, Any]) -> Any:
    return httpx.get(f"{service.url}/v1/jobs/{job['jobId']}", timeout=30).json()["derivatives"]


def release_before(folder: Path) -> Path:
    """A checkout of the last tag before the newest migration; of the last commit before it, until there are tags.

    One that has a migration under a name that is given up by now was never released.
    """
    now = {path.relative_to(ROOT).as_posix() for path in (ROOT / MIGRATIONS).glob("0*.py")}
    for commit in git("log", "--format=%H^", "-30", "--", MIGRATIONS).split():
        listed = git("ls-tree", "--name-only", commit, f"{MIGRATIONS}/").split()
        if {name for name in listed if "/0" in name} < now and listed:
            break
    else:
        pytest.skip("needs the whole history: git clone without --depth")
    released = git("describe", "--tags", "--abbrev=0", "--match=v*", commit) or commit
    folder.mkdir()
    archive = subprocess.run([*GIT, "archive", released], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "--extract"], cwd=folder, input=archive, check=True)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def git(*arguments: str) -> str:
    """What it says; nothing where it fails, as outside of a repository."""
    done = subprocess.run([*GIT, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
