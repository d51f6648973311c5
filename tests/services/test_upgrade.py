"""A database of the version before, with data in it, becomes one of this version; nothing is lost on the way."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from media_jobs.callers import SYSTEM
from media_jobs.models import Job, MaintenanceTask, Original, Tombstone
from media_jobs.services import housekeeping, metrics
from media_jobs.services.jobs import lifecycle
from media_jobs.services.jobs.claiming import claim_next
from media_jobs.states import JobState, Lane, OriginalState
from tests.measuring.metrics import parse
from tests.working import named

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

#: The last migration that was released before.
BEFORE = ("media_jobs", "0005_direct_upload")
ORIGINAL = {"owner": "ann", "filename": "a.jpg", "format": "jpeg", "content_type": "image/jpeg"}
WHOLE = {"state": "active", "size_bytes": 7, "sha256": "0" * 64}


def migrate(*target: str) -> Any:
    """The models as they are then. As people do it: with the signals by which Django renames content types."""
    call_command("migrate", *target, verbosity=0)
    loader = MigrationExecutor(connection).loader
    return loader.project_state([BEFORE] if target else loader.graph.leaf_nodes()).apps


@pytest.fixture
def before() -> Iterator[Any]:
    yield migrate(*BEFORE)
    migrate()


def old(apps: Any, model: str) -> Any:
    return apps.get_model("media_jobs", model).objects


def make_original(apps: Any, **fields: Any) -> UUID:
    pk = uuid4()
    old(apps, "Original").create(id=pk, key=f"originals/{pk}.jpg", **(ORIGINAL | fields))
    return pk


def make_job(apps: Any, **fields: Any) -> UUID:
    pk, preset = uuid4(), old(apps, "Preset").get(name="gallformers", current=True)
    original_id = make_original(apps, **WHOLE)
    old(apps, "Job").create(id=pk, original_id=original_id, preset=preset, wanted=["full"], owner="ann", **fields)
    old(apps, "JobEvent").create(job_id=pk, number=1, type="queued", actor="ann")
    return pk


def what_waited_waits_in_the_same_order(before: Any) -> Iterator[None]:
    second, first = make_job(before, turn=5, last_event=1), make_job(before, turn=-1, last_event=1)
    done = make_job(before, turn=3, state="done", last_event=1)
    yield
    claimed = [claim_next(Lane.INTERACTIVE, named("worker")) for _ in range(3)]
    assert [job and job.pk for job in claimed] == [first, second, None]
    assert Job.objects.get(pk=done).queue_position == 3
    assert [event.number for event in Job.objects.get(pk=first).events.all()] == [1, 2]


def an_upload_that_was_under_way_is_given_up_and_what_is_stored_stays(before: Any) -> Iterator[None]:
    stored, under_way = make_original(before, **WHOLE), make_original(before, state="pending")
    yield
    states = dict(Original.objects.filter(pk__in=[stored, under_way]).values_list("pk", "state"))
    assert states == {stored: OriginalState.ACTIVE, under_way: OriginalState.DELETED}


def objects_that_were_being_deleted_still_are(before: Any) -> Iterator[None]:
    old(before, "Tombstone").create(key="full/x", doomed=True, created_at=timezone.now() - timedelta(hours=1))
    old(before, "Tombstone").create(key="full/y")
    yield
    assert dict(Tombstone.objects.values_list("key", "deleting")) == {"full/x": True, "full/y": False}


def housekeeping_knows_when_it_was_done_last(before: Any) -> Iterator[None]:
    old(before, "Chore").create(name="orphans", mended=7, duration_ms=12)
    old(before, "Chore").create(name="queue", mended=1)
    yield
    assert list(MaintenanceTask.objects.values_list("name", "repaired")) == [("orphans", 7)]
    assert MaintenanceTask.objects.get().name in {task.name for task in housekeeping.TASKS}


def who_might_see_housekeeping_still_may(before: Any) -> Iterator[None]:
    ours = Permission.objects.filter(content_type__app_label="media_jobs")
    ours.filter(codename__endswith="_maintenancetask").delete()  # left by the way back
    Group.objects.create(name="curators").permissions.add(ours.get(codename="view_chore"))
    yield
    [permission] = Group.objects.get(name="curators").permissions.all()
    assert (permission.codename, permission.content_type.model) == ("view_maintenancetask", "maintenancetask")


def a_job_in_work_goes_on(before: Any) -> Iterator[None]:
    lease_until = timezone.now() + timedelta(minutes=1)
    job = make_job(before, state="processing", worker="w", attempt=1, lease_until=lease_until, last_event=1)
    yield
    found = Job.objects.get(pk=job)
    assert (found.state, found.worker, found.lease_until) == (JobState.PROCESSING, "w", lease_until)


#: What was there before, and behind the `yield` what has become of it. They see nothing of each other.
CASES = (
    what_waited_waits_in_the_same_order,
    an_upload_that_was_under_way_is_given_up_and_what_is_stored_stays,
    objects_that_were_being_deleted_still_are,
    housekeeping_knows_when_it_was_done_last,
    who_might_see_housekeeping_still_may,
    a_job_in_work_goes_on,
)


def test_what_was_there_before_goes_on(before: Any) -> None:
    """One migration for all, which takes seconds."""
    begun = [case(before) for case in CASES]
    for case in begun:
        next(case)
    migrate()
    for case in begun:
        with pytest.raises(StopIteration):
            next(case)


def test_what_was_there_is_counted_and_what_follows_too(before):
    """`/metrics` goes on where it was: a dashboard sees no fall to zero."""
    started = timezone.now() - timedelta(hours=1)
    ended = {"started_at": started, "finished_at": started + timedelta(seconds=2), "last_event": 1}
    for state in ("done", "done", "failed", "cancelled", "queued"):
        make_job(before, state=state, **({"code": "undecodable"} if state == "failed" else {}), **ended)
    migrate()
    now = parse(metrics.all_metrics().decode())
    assert {end: now[f'jobs_total{{status="{end}"}}'] for end in ("done", "failed", "cancelled")} == {
        "done": 2,
        "failed": 1,
        "cancelled": 1,
    }
    assert (now["job_duration_seconds_sum"], now['job_duration_seconds_bucket{le="2.5"}']) == (6, 3)
    assert now['job_duration_seconds_bucket{le="1.0"}'] == 0
    assert (now["upload_bytes_total"], now['storage_objects{kind="original"}']) == (5 * 7, 5)
    assert now['queue_depth{lane="interactive"}'] == 1
    migrate()
    assert parse(metrics.all_metrics().decode())["upload_bytes_total"] == now["upload_bytes_total"]
    lifecycle.retry_all(Job.objects.filter(state=JobState.FAILED), actor=SYSTEM)
    after = parse(metrics.all_metrics().decode())
    assert (after['jobs_total{status="failed"}'], after['queue_depth{lane="interactive"}']) == (1, 2)
