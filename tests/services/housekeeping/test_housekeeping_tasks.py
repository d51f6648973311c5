"""Each task finds what went wrong, only looks where it is told to, and repairs it once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.workspace import Workspace
from media_jobs.callers import ANONYMOUS
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Derivative, IdempotencyKey, Job, JobEvent, MaintenanceTask, Original, Preset, Tombstone
from media_jobs.models.base import uuid7
from media_jobs.pipeline.formats.sniff import sniff
from media_jobs.services import housekeeping
from media_jobs.services.uploads.intake import Upload
from media_jobs.states import DerivativeState, JobState, OriginalState
from tests import images, working
from tests.factories import make_derivative, make_failed_job, make_job, make_original
from tests.services.housekeeping.helpers import ago, do, objects

pytestmark = pytest.mark.django_db


def store_object(key: str) -> str:
    writer = store(Role.WORKER).begin(key, content_type="image/jpeg")
    writer.write(b"\xff\xd8")
    writer.commit()
    return key


def a_silent_worker() -> None:
    job = working.claim(make_job().pk, "gone")
    Job.objects.filter(pk=job.pk).update(lease_until=ago(seconds=1))


def an_upload_that_died() -> None:
    """It died after its object was stored and before its row was written; its orphan has been found by now."""
    photo = images.jpeg(8, 8)
    upload = Upload(sniff(photo), filename="a.jpg", caller=ANONYMOUS)
    upload._writer.write(photo)
    upload._writer.commit()
    Tombstone.objects.create(key=upload.original.key, created_at=ago(minutes=31))


def an_upload_that_was_aborted() -> None:
    make_original(state=OriginalState.DELETED)


def an_abandoned_file() -> None:
    make_derivative(make_job(state=JobState.CANCELLED))
    Derivative.objects.update(created_at=ago(minutes=31))


def a_replaced_file() -> None:
    make_derivative(make_job(state=JobState.DONE), state=DerivativeState.REPLACED, replaced_at=ago(days=8))


def a_failed_original() -> None:
    Preset.objects.filter(name="gallformers", current=True).update(failed_days=7)
    make_failed_job(original=make_original(), finished_at=ago(days=8))


def an_orphan() -> None:
    store_object(f"thumb/{uuid7()}/{'0' * 32}.jpg")


def an_old_orphan() -> None:
    Tombstone.objects.create(key=store_object(f"originals/{uuid7()}.jpg"), created_at=ago(days=8))


def a_dead_deleter() -> None:
    Tombstone.objects.create(key=store_object(f"full/{uuid7()}/x.jpg"), deleting=True, created_at=ago(minutes=3))


def an_unfinished_write() -> None:
    writer = store(Role.WORKER).begin("thumb/x.jpg", content_type="image/jpeg")
    writer._file.close()  # type: ignore[attr-defined]


def an_old_answer() -> None:
    IdempotencyKey.objects.create(
        owner="a", key="k", fingerprint="f", status=202, answer="{}", created_at=ago(hours=25)
    )


WRONG: list[tuple[str, Callable[[], None]]] = [
    ("leases", a_silent_worker),
    ("tombstones", an_upload_that_died),
    ("uploads", an_upload_that_was_aborted),
    ("derivatives", an_abandoned_file),
    ("derivatives", a_replaced_file),
    ("failures", a_failed_original),
    ("orphans", an_orphan),
    ("tombstones", an_old_orphan),
    ("tombstones", a_dead_deleter),
    ("answers", an_old_answer),
]


def everything() -> list[Any]:
    """All that housekeeping could change."""
    models = (Job, JobEvent, Original, Derivative, Tombstone, IdempotencyKey, MaintenanceTask)
    rows = [list(model._default_manager.order_by("pk").values()) for model in models]
    return [*rows, objects()]


@pytest.mark.parametrize(("task", "go_wrong"), WRONG, ids=[wrong.__name__ for _, wrong in WRONG])
def test_a_task_finds_and_repairs_once(valkey, task, go_wrong):
    go_wrong()
    before = everything()
    looked = do(task, dry_run=True)
    assert (looked.found, looked.repaired, looked.error) == (1, 0, "")
    assert everything() == before
    repaired = do(task)
    assert (repaired.found, repaired.repaired, repaired.error) == (1, 1, "")
    assert everything() != before
    again = do(task)
    assert again.error == ""
    assert again.repaired == 0


@pytest.mark.parametrize("older_than", [None, timedelta(0)])
def test_nothing_is_wrong_with_what_is_wanted(valkey, older_than):
    """Current files, finished and waiting jobs, active originals and young answers are no findings of any task."""
    done = make_job(make_original(), state=JobState.DONE, finished_at=ago(days=1000))
    make_derivative(done, state=DerivativeState.CURRENT)
    make_failed_job(original=make_original(), finished_at=ago(days=1000))
    working.claim(make_job(make_original()).pk, "living")
    IdempotencyKey.objects.create(owner="a", key="k", fingerprint="f", status=202, answer="{}")
    Original.objects.update(created_at=ago(days=1000))
    outcomes = housekeeping.run(older_than=older_than)
    assert [(o.task.name, o.found, o.error) for o in outcomes if o.found or o.error] == []


def test_whatever_is_not_wanted_goes_at_once_where_the_age_is_none(valkey):
    upload = Upload(sniff(images.jpeg(8, 8)), filename="a.jpg", caller=ANONYMOUS)
    upload._writer.commit()
    make_derivative(make_job(state=JobState.CANCELLED))
    an_orphan()
    Tombstone.objects.create(key=store_object(f"full/{uuid7()}/x.jpg"), deleting=True)
    an_unfinished_write()
    housekeeping.run(older_than=timedelta(0))
    assert objects() == []
    assert store(Role.WORKER).unfinished() == []
    assert not Tombstone.objects.exists()
    assert not Derivative.objects.exists()


def test_an_unfinished_write_is_listed_and_removed_when_it_is_old_enough():
    an_unfinished_write()
    assert do("writes").found == 0
    assert do("writes", older_than=timedelta(0), dry_run=True).found == 1
    assert store(Role.WORKER).unfinished() != []
    assert do("writes", older_than=timedelta(0)).repaired == 1
    assert store(Role.WORKER).unfinished() == []


def test_files_of_dead_workers_go_and_those_of_living_ones_stay(tmp_path, settings):
    settings.WORK_DIR = tmp_path
    living = Workspace(tmp_path, "living")
    dead = Workspace(tmp_path, "dead")
    dead._lock.close()  # what the kernel does then
    assert do("workspaces", dry_run=True).found == 1
    assert dead.path.exists()
    assert do("workspaces").repaired == 1
    assert [path.name for path in tmp_path.iterdir()] == ["living"]
    living.close()


@pytest.mark.slow
@pytest.mark.sqlite
def test_thousands_of_tombstoned_originals_are_worked_off_in_batches():
    count = 5000
    ids = [uuid7() for _ in range(count)]
    rows = [Original(id=pk, key=f"originals/{pk}.jpg", state=OriginalState.DELETED, owner="a") for pk in ids]
    Original.objects.bulk_create(rows, batch_size=500)
    with CaptureQueriesContext(connection) as queries:
        outcome = do("uploads")
    assert (outcome.found, outcome.repaired) == (count, count)
    assert not Original.objects.exists()
    assert len(queries) < count / 100 * 14  # each batch asks the tables that name an original


def test_one_object_that_cannot_be_deleted_does_not_keep_the_others(monkeypatch):
    rows = [make_original(bytes([n]), state=OriginalState.DELETED) for n in range(4)]
    delete = store(Role.WORKER).delete

    def refuse_one(key: str) -> None:
        if key == rows[1].key:
            raise StorageUnavailable("deleting a file")
        delete(key)

    monkeypatch.setattr(store(Role.WORKER), "delete", refuse_one)
    outcome = do("uploads")
    assert (outcome.found, outcome.repaired) == (4, 3)
    assert "1 could not be deleted" in outcome.error
    assert list(Original.objects.all()) == [rows[1]]
    assert objects() == [rows[1].key]


def test_a_storage_that_is_away_fails_its_tasks_and_no_other(monkeypatch, valkey):
    for n in range(9):
        make_original(bytes([n]), state=OriginalState.DELETED)
    an_old_answer()
    a_silent_worker()
    asked = []

    def refuse(*_: object, **__: object) -> Any:
        asked.append(1)
        raise StorageUnavailable("asking it")

    for method in ("delete", "keys", "sweep", "unfinished"):
        monkeypatch.setattr(store(Role.WORKER), method, refuse)
    outcomes = {o.task.name: o for o in housekeeping.run()}
    assert {name for name, o in outcomes.items() if o.error} == {"uploads", "orphans", "writes"}
    assert outcomes["leases"].repaired == outcomes["answers"].repaired == 1
    assert len(asked) == 3 + 1 + 1  # it is not asked nine times, each of which may take long
    assert outcomes["orphans"].error == str(StorageUnavailable("asking it"))
    assert MaintenanceTask.objects.get(name="uploads").error == outcomes["uploads"].error
    assert Original.objects.filter(state=OriginalState.DELETED).count() == 9
