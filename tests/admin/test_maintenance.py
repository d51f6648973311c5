"""The page about housekeeping."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from media_jobs.models import MaintenanceTask
from media_jobs.services.housekeeping import TASKS
from tests.admin.conftest import Login

pytestmark = pytest.mark.django_db
LIST = reverse("admin:media_jobs_maintenancetask_changelist")


def test_each_task_says_what_it_is_for(boss: Client) -> None:
    MaintenanceTask.objects.bulk_create(MaintenanceTask(name=task.name) for task in TASKS)
    page = boss.get(LIST).content.decode()
    assert [task.name for task in TASKS if task.about not in page] == []


def test_what_was_done_last_and_what_went_wrong_is_shown(boss: Client) -> None:
    MaintenanceTask.objects.create(
        name="orphans",
        finished_at=timezone.now() - timedelta(hours=3),
        repaired=17,
        duration_ms=2_500,
        error="The storage did not answer while listing <keys>.",
    )
    page = boss.get(LIST).content.decode().replace("\xa0", " ")
    for text in ("3 hours ago", "17", "2.5 s", "failed", "did not answer while listing &lt;keys&gt;"):
        assert text in page


@pytest.mark.parametrize(("minutes", "shown"), [(5, True), (-5, False)])
def test_its_worker_is_named_while_the_lease_lasts(boss: Client, minutes: int, shown: bool) -> None:
    MaintenanceTask.objects.create(
        name="orphans", worker="host:7:ab", lease_until=timezone.now() + timedelta(minutes=minutes)
    )
    assert ("host:7:ab" in boss.get(LIST).content.decode()) == shown


def test_a_task_that_is_no_more_is_not_shown(boss: Client) -> None:
    MaintenanceTask.objects.create(name="of_an_older_version")
    assert "of_an_older_version" not in boss.get(LIST).content.decode()


def test_it_needs_the_right_to_view_it(staff: Login) -> None:
    assert staff("view_job").get(LIST).status_code == 403
    assert staff("view_maintenancetask").get(LIST).status_code == 200
