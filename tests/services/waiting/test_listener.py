"""Whoever waits is told of what it waits for, whenever that happens, and of nothing else."""

import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from media_jobs import event_log
from media_jobs.adapters.notices import Alarm, notices
from media_jobs.callers import VIEW_JOBS, staff
from media_jobs.event_log import EventCursor
from media_jobs.models import Job
from media_jobs.services.waiting import feed
from media_jobs.services.waiting.waits import Stream
from media_jobs.states import JobState
from tests.factories import make_job, make_original
from tests.services.jobs.test_events import open_transaction
from tests.services.jobs.threads import InThread
from tests.services.waiting.waiting_room import LIMIT_S, listening, note, poll_for, stream_for

pytestmark = pytest.mark.django_db(transaction=True)


def end(job: Job) -> None:
    note(job, "cancelled", state=JobState.CANCELLED)


def test_who_waits_for_the_end_is_told_of_it_and_of_no_stage_before():
    job, marker = make_job(), make_job()
    with listening() as told:
        poll, other = poll_for(job), poll_for(marker, known=marker.last_event)
        told.room.add(poll)
        told.room.add(other)
        note(job, "stage")
        note(marker)
        assert told.next() is other
        told.room.remove(other)
        end(job)
        told.answered(poll)


def test_who_knows_an_event_is_told_of_the_next_one():
    job = make_job()
    with listening() as told:
        poll = poll_for(job, known=job.last_event)
        told.room.add(poll)
        note(job)
        told.answered(poll)


@pytest.mark.parametrize("known", [None, 1])
def test_what_happened_before_the_wait_began_counts(known):
    job = make_job()
    end(job)
    with listening() as told:
        poll = poll_for(job, known=known)
        told.room.add(poll)
        told.answered(poll)


def test_who_waits_for_a_job_that_is_deleted_is_told():
    job = make_job()
    with listening() as told:
        poll = poll_for(job)
        told.room.add(poll)
        job.delete()
        told.answered(poll)


@pytest.mark.slow
def test_of_many_waits_that_begin_while_it_happens_none_is_lost():
    job = make_job()
    with listening() as told:
        for _ in range(300):
            poll = poll_for(job, known=Job.objects.get(pk=job.pk).last_event)
            changing = InThread(note, job)
            told.room.add(poll)
            told.answered(poll)
            changing.ended()


def test_a_full_room_takes_nobody_until_one_goes():
    job = make_job()
    with listening(at_most=2) as told:
        first, second, third = (poll_for(job) for _ in range(3))
        assert told.room.add(first)
        assert told.room.add(second)
        assert not told.room.has_place()
        assert not told.room.add(third)
        told.room.remove(first)
        assert told.room.add(third)


def test_a_stream_tells_each_event_once_in_order_those_of_before_first():
    job = make_job()
    note(job, "claimed")
    with listening() as told:
        stream = stream_for()
        told.room.add(stream)
        before = told.messages(stream, 2)
        end(job)
        [after] = told.messages(stream, 1)
    assert [event["number"] for event in [*before, after]] == [1, 2, 3]
    assert [event["type"] for event in before] == ["queued", "claimed"]
    assert [event["status"] for event in [*before, after]] == ["processing", "processing", "error"]
    assert after["jobId"] == str(job.pk)
    assert after["imageId"] == str(job.original_id)


def test_a_stream_tells_of_nobody_elses_jobs_and_staff_of_all():
    others = make_job(make_original(stored=False, owner="somebody else"))
    mine = make_job()
    with listening() as told:
        stream = stream_for()
        told.room.add(stream)
        assert [event["jobId"] for event in told.messages(stream, 1)] == [str(mine.pk)]
        told.room.remove(stream)
        stream = stream_for(staff(1, [VIEW_JOBS]))
        told.room.add(stream)
        assert [event["jobId"] for event in told.messages(stream, 2)] == [str(others.pk), str(mine.pk)]


def test_a_stream_of_named_jobs_tells_of_these_alone():
    make_job()
    wanted = make_job()
    with listening() as told:
        stream = stream_for(jobs=frozenset({wanted.pk}))
        told.room.add(stream)
        assert [event["jobId"] for event in told.messages(stream, 1)] == [str(wanted.pk)]


def test_a_place_goes_on_past_the_events_of_others():
    for _ in range(3):
        make_job(make_original(stored=False, owner="somebody else"))
    stream = stream_for()
    assert feed.read([stream]).given == []
    assert stream.cursor == event_log.horizon()


def test_who_comes_back_gets_what_it_missed_and_nothing_twice():
    job = make_job()
    with listening() as told:
        first = stream_for()
        told.room.add(first)
        told.messages(first, 1)
        told.room.remove(first)
        last = first.cursor
        note(job, "one")
        note(job, "two")
        again = stream_for(after=event_log.resumed(EventCursor.parse(str(last))))
        told.room.add(again)
        assert [event["type"] for event in told.messages(again, 2)] == ["one", "two"]


def test_streams_that_are_at_the_same_place_are_served_by_one_reading():
    job = make_job()
    streams = [stream_for() for _ in range(20)]
    asked = []
    for some in (streams[:1], streams[1:], streams):
        note(job)
        with CaptureQueriesContext(connection) as queries:
            assert len(feed.read(some).given) == len(some)
        asked.append(len(queries))
    assert asked[0] == asked[1]
    feed.read(streams)
    note(job)
    with CaptureQueriesContext(connection) as queries:
        feed.read(streams)
    assert len(queries) == asked[0]  # all have come to the same place


def test_a_client_that_takes_nothing_is_given_no_more_and_gets_all_of_it_later(monkeypatch):
    monkeypatch.setattr(feed, "WINDOW", 5)
    monkeypatch.setattr("media_jobs.services.waiting.waits._FULL_BYTES", 2_000)
    job = make_job()
    for _ in range(60):
        note(job)
    stream, numbers, largest = stream_for(), [], 0
    while True:
        more = True
        while more and not stream.is_full:
            more = feed.read([stream]).more
        assert feed.read([stream]).given == [] or not stream.is_full
        text = stream.take()
        largest = max(largest, len(text))
        numbers += [line for line in text.split(b"\n") if line.startswith(b"data: ")]
        if not text:
            break
    assert len(numbers) == len(set(numbers)) == 61
    assert largest < 4_000


@pytest.mark.postgres
@pytest.mark.parametrize("ends_by", ["commit", "rollback"])
def test_a_stream_misses_no_event_that_has_to_wait_for_an_older_transaction(ends_by):
    """Nobody notifies when a transaction ends that wrote nothing, and only then the other's event can be read."""
    slow, quick = make_job(), make_job()
    begin = event_log.horizon()
    with listening() as told:
        stream = stream_for(after=begin)
        told.room.add(stream)
        if ends_by == "commit":
            with open_transaction(slow, "slow") as commit:
                note(quick, "quick")
                commit()
            assert [event["type"] for event in told.messages(stream, 2)] == ["slow", "quick"]
        else:
            written, go = threading.Event(), threading.Event()

            def roll_back() -> None:
                with transaction.atomic():
                    note(slow, "never")
                    written.set()
                    go.wait(LIMIT_S)
                    transaction.set_rollback(True)

            other = InThread(roll_back)
            assert written.wait(LIMIT_S)
            note(quick, "quick")
            assert feed.read([stream_for(after=begin)]) == ([], False, False)
            go.set()
            other.ended()
            assert [event["type"] for event in told.messages(stream, 1)] == ["quick"]


@pytest.mark.postgres
def test_a_listener_whose_connection_is_cut_goes_on_and_misses_nothing():
    job = make_job()
    with listening() as told:
        stream = stream_for()
        told.room.add(stream)
        told.messages(stream, 1)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
            assert cursor.rowcount >= 1
        note(job, "meanwhile")
        assert [event["type"] for event in told.messages(stream, 1)] == ["meanwhile"]
        note(job, "afterwards")
        assert [event["type"] for event in told.messages(stream, 1)] == ["afterwards"]


def test_the_database_tells_of_an_event_and_of_a_rolled_back_one_it_does_not():
    """On PostgreSQL by the trigger; without this the listener would only look once a second."""
    job = make_job()
    heard: list[bool] = []
    listens, go = threading.Event(), threading.Event()
    alarm = Alarm()

    def listen() -> None:
        news = notices()
        heard.append(news.wait(alarm, 0))
        listens.set()
        assert go.wait(LIMIT_S)
        heard.append(news.wait(alarm, LIMIT_S))

    thread = InThread(listen)
    assert listens.wait(LIMIT_S)
    note(job)
    go.set()
    thread.ended()
    alarm.close()
    assert heard == [False, True]


def test_a_stream_is_a_bounded_thing():
    stream: Stream = stream_for()
    stream.append(b"x" * 65_536)
    assert stream.is_full
    assert stream.take() == b"x" * 65_536
    assert not stream.is_full
    assert stream.take() == b""
