"""Faults that come one after the other, and what clients and persons do about them."""

from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from media_jobs.models import Job
from media_jobs.states import JobState
from tests.faults import invariants, scenarios
from tests.faults.injections import Fault, Injection
from tests.faults.matrix import OK
from tests.faults.messages import Operation
from tests.faults.runner import assert_recovery
from tests.faults.scenarios import LARGE, PICTURE

pytestmark = pytest.mark.django_db

ALL = None


def post(content: bytes, key: str) -> Any:
    file = SimpleUploadedFile("gall.jpg", content)
    return Client().post("/v1/images", {"file": file}, headers={"Idempotency-Key": key})


def test_an_upload_whose_end_was_executed_and_is_unknown_leaves_no_second_object(context, temporary):
    """S3 does it so: the answer to the end is lost, and to its repetition it says that there is no such upload."""
    context.proxy.inject(Injection(Fault.LOST, Operation.COMPLETE_UPLOAD))
    context.proxy.inject(Injection(Fault.NO_UPLOAD, Operation.COMPLETE_UPLOAD, times=ALL))
    key = str(uuid4())
    refused = post(LARGE, key)
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    context.proxy.heal()
    assert post(LARGE, key).status_code == 202
    assert_recovery(context, temporary)
    assert Job.objects.count() == 1


def test_a_part_and_the_removal_of_its_upload_fail_and_housekeeping_removes_it(context, temporary):
    context.proxy.inject(Injection(Fault.RESET, Operation.UPLOAD_PART, times=ALL))
    context.proxy.inject(Injection(Fault.RESET, Operation.ABORT_UPLOAD, times=ALL))
    assert scenarios.upload(context, LARGE) == "storage_unavailable"
    assert invariants.unfinished(context)
    assert_recovery(context, temporary)


@pytest.mark.parametrize("fault", [Fault.SLOW_DOWN, Fault.DENIED, Fault.SKEWED, Fault.NO_BUCKET])
def test_a_storage_that_is_all_away_costs_a_job_no_attempts(context, temporary, fault):
    """But the first: the worker looks whether the storage is back before it takes the job up again."""
    assert scenarios.upload(context, PICTURE) == OK
    context.proxy.inject(Injection(fault, times=ALL))
    codes = {scenarios.run_jobs() for _ in range(settings.MAX_ATTEMPTS + 2)}
    job = Job.objects.get()
    assert (job.state, job.attempt, codes) == (JobState.QUEUED, 1, {job.code})
    assert_recovery(context, temporary)
    assert Job.objects.get().attempt == 2


def test_a_job_that_fails_for_a_single_call_ends_and_a_person_gets_it_done(context, temporary):
    assert scenarios.upload(context, PICTURE) == OK
    context.proxy.inject(Injection(Fault.INTERNAL_ERROR, Operation.PUT_OBJECT, "thumb/", times=ALL))
    codes = [scenarios.run_jobs() for _ in range(settings.MAX_ATTEMPTS)]
    assert codes == [*["storage_unavailable"] * (settings.MAX_ATTEMPTS - 1), "failed: storage_unavailable"]
    assert_recovery(context, temporary)


def test_a_form_whose_answer_is_lost_may_be_sent_again(context, temporary):
    lost = context.proxy.inject(Injection(Fault.LOST, Operation.POST_OBJECT, "uploads/"))
    scenarios.upload_directly(PICTURE, tries=2)
    assert lost.happened
    assert_recovery(context, temporary)
    assert Job.objects.get().state == JobState.DONE


def test_a_file_that_never_came_past_the_web_process_fails_its_job_and_leaves_nothing(context, temporary):
    context.proxy.inject(Injection(Fault.RESET, Operation.POST_OBJECT, times=ALL))
    scenarios.upload_directly(PICTURE, tries=1)
    assert scenarios.run_jobs() == "failed: upload_missing"
    assert scenarios.run_housekeeping() == OK
    assert invariants.keys(context) == []
