"""What people do with jobs."""

import pytest

from media_jobs.callers import staff
from media_jobs.models import Job
from media_jobs.services import lifecycle
from media_jobs.states import JobState
from tests.factories import make_failed_job, make_job

pytestmark = pytest.mark.django_db


def test_retry_all_tells_what_it_left_alone():
    make_failed_job(), make_failed_job(), make_job(state=JobState.DONE), make_job(state=JobState.CANCELLED)
    assert lifecycle.retry_all(Job.objects.all(), actor=staff(7)) == lifecycle.RetryOutcome(queued=3, left=1)
    assert Job.objects.filter(state=JobState.QUEUED).count() == 3


def test_the_history_names_who_retried():
    job = make_failed_job()
    lifecycle.retry_all(Job.objects.filter(pk=job.pk), actor=staff(7))
    assert list(job.events.values_list("type", "actor"))[-1] == ("retried", "staff:7")
