"""What `manage.py housekeeping` tells the person who runs it."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import StorageUnavailable
from media_jobs.management.commands import housekeeping as command
from media_jobs.models import Derivative, MaintenanceTask, Original
from media_jobs.services.housekeeping import TASKS
from media_jobs.states import JobState, OriginalState
from tests.factories import make_derivative, make_job, make_original

pytestmark = pytest.mark.django_db


def housekeeping(*args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("housekeeping", *args, stdout=out, **options)
    return out.getvalue()


def row(output: str, task: str) -> list[str]:
    return next(line for line in output.splitlines() if line.startswith(f"{task} ")).split()


def test_each_task_has_its_line_in_the_summary():
    make_original(state=OriginalState.DELETED)
    output = housekeeping()
    assert row(output, "uploads")[:3] == ["uploads", "1", "1"]
    assert row(output, "tombstones")[:3] == ["tombstones", "0", "0"]
    for task in TASKS:
        row(output, task.name)
    assert not Original.objects.exists()


def test_a_dry_run_lists_every_finding_and_changes_nothing():
    deleting = [make_original(bytes([n]), state=OriginalState.DELETED) for n in range(3)]
    output = housekeeping("--dry-run")
    for original in deleting:
        assert f"uploads: {original.key}: given up" in output
    assert row(output, "uploads")[:3] == ["uploads", "3", "3"]
    assert "would repair" in output
    assert Original.objects.count() == 3
    assert not MaintenanceTask.objects.exists()


def test_tasks_can_be_chosen():
    make_original(state=OriginalState.DELETED)
    output = housekeeping("--only", "answers", "writes")
    assert Original.objects.exists()
    row(output, "answers")
    assert "uploads" not in output


def test_an_age_is_given_in_minutes():
    job = make_job(state=JobState.CANCELLED)
    make_derivative(job, "full", content=b"old")
    Derivative.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    young = make_derivative(job, "thumb", content=b"young")
    housekeeping("--older-than", "5")
    assert list(Derivative.objects.all()) == [young]
    housekeeping("--older-than", "0")
    assert not Derivative.objects.exists()


@pytest.mark.parametrize("age", ["-1", "soon", "nan", "1e99"])
def test_an_age_that_makes_no_sense_is_refused(age):
    with pytest.raises(CommandError, match="number of minutes"):
        housekeeping("--older-than", age)


def test_a_task_that_failed_is_named_and_the_exit_says_so(monkeypatch):
    make_original(state=OriginalState.DELETED)

    def away(key: str) -> None:
        raise StorageUnavailable("deleting a file")

    monkeypatch.setattr(store(Role.WORKER), "delete", away)
    out = io.StringIO()
    with pytest.raises(CommandError, match=rf"1 of {len(TASKS)} tasks failed: uploads\..*--only uploads") as raised:
        call_command("housekeeping", stdout=out)
    assert raised.value.returncode == 1
    assert "The storage did not answer while deleting a file" in " ".join(out.getvalue().split())


def test_who_is_doing_it_is_named(monkeypatch):
    monkeypatch.setattr(command, "_WAIT_S", 0)
    until = timezone.now() + timedelta(minutes=5)
    MaintenanceTask.objects.create(name="uploads", worker="otherhost:1:abc", lease_until=until)
    output = " ".join(housekeeping().split())
    assert "skipped: otherhost:1:abc is doing it" in output
    assert "housekeeping --only uploads" in output


def test_long_work_shows_its_progress_every_few_seconds(monkeypatch):
    monkeypatch.setattr(command, "_LINE_EVERY_S", 0)
    for n in range(3):
        make_original(bytes([n]), state=OriginalState.DELETED)
    assert "uploads: 3 repaired" in housekeeping()
