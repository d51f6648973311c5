"""How much may wait, and what an uploader learns about it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from media_jobs.errors import BacklogFull, StorageFull
from media_jobs.models import Job
from media_jobs.services.uploads import backlog
from media_jobs.states import JobState, Lane
from tests.factories import make_job

pytestmark = pytest.mark.django_db


def is_full() -> bool:
    try:
        with backlog.place():
            return False
    except BacklogFull:
        return True


def test_past_the_backlog_nothing_is_accepted(settings):
    settings.MAX_BACKLOG = 2
    make_job()
    with backlog.place():
        make_job()
    assert is_full()


def test_what_was_done_meanwhile_makes_room_at_once(settings):
    settings.MAX_BACKLOG = 1
    job = make_job()
    assert is_full()
    Job.objects.filter(pk=job.pk).update(state=JobState.DONE)
    assert not is_full()


def test_an_upload_that_fails_gives_its_place_back(settings):
    settings.MAX_BACKLOG = 1
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), backlog.place():
            _ = 1 / 0
    assert not is_full()


def test_uploads_on_their_way_count_too(settings):
    settings.MAX_BACKLOG = 2
    with backlog.place(), backlog.place():
        assert is_full()
    assert not is_full()  # neither came to a job


def test_reprocessing_holds_no_upload_up_but_heavy_pictures_do(settings):
    settings.MAX_BACKLOG = 1
    job = make_job(lane=Lane.BULK)
    assert not is_full()
    Job.objects.filter(pk=job.pk).update(lane=Lane.HEAVY)
    assert is_full()


def test_while_there_is_room_many_uploads_cost_one_count_of_either_lane(
    settings, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(backlog, "_FRESH_S", 3600)
    settings.MAX_BACKLOG = 100
    with django_assert_num_queries(2):
        for _ in range(50):
            with backlog.place():
                pass


def test_counting_stops_at_the_limit(settings, django_assert_num_queries):
    settings.MAX_BACKLOG = 2
    for _ in range(5):
        make_job()
    assert is_full()
    assert backlog.waiting() == 2


@pytest.mark.django_db(transaction=True)
def test_forty_uploads_at_once_never_exceed_the_limit(settings):
    settings.MAX_BACKLOG = 7
    make_job()
    together = Barrier(40)

    def upload(_: int) -> bool:
        together.wait(60)
        try:
            with backlog.place():
                make_job()
        except BacklogFull:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(40) as pool:
        accepted = sum(pool.map(upload, range(40)))
    # A job counts twice for the moment between its commit and the end of its request: rather one too few.
    assert 1 <= accepted <= 6
    assert Job.objects.count() == accepted + 1
    while not is_full():
        make_job()
        backlog.forget()
    assert Job.objects.count() == 7


def test_a_disk_that_is_nearly_full_takes_nothing(settings, object_store, django_assert_num_queries):
    settings.MIN_FREE_DISK_BYTES = 2**62
    with django_assert_num_queries(0), pytest.raises(StorageFull), backlog.place():
        pass
