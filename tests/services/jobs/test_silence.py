"""A client that vanishes in the middle of a transaction, without a word, holds up nobody for ever."""

import threading

import pytest
from django.db import connection, transaction

from media_jobs.adapters import database
from media_jobs.models import Job
from tests.factories import make_job
from tests.services.jobs.threads import InThread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_the_locks_of_a_silent_transaction_end_soon(monkeypatch):
    monkeypatch.setattr(database, "IDLE_IN_TRANSACTION_S", 1)
    job, locked, over = make_job(), threading.Event(), threading.Event()

    @transaction.atomic
    def fall_silent() -> None:
        Job.objects.filter(pk=job.pk).update(progress=1)
        locked.set()
        over.wait(60)
        Job.objects.filter(pk=job.pk).update(progress=2)

    def vanish() -> None:
        with pytest.raises(database.CONNECTION_ERRORS):
            fall_silent()

    silent = InThread(vanish)
    assert locked.wait(60)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '20s'")  # else a failure of this test would never come
        assert Job.objects.filter(pk=job.pk).update(progress=3) == 1
    over.set()
    silent.ended()
    assert Job.objects.get(pk=job.pk).progress == 3
