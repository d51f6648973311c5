"""A reader with a cursor gets every event of all jobs once, whoever writes at the same time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from django.db import connection, transaction
from django.db.models import F, Q

from media_jobs import event_log
from media_jobs.event_log import EventCursor, events_after
from media_jobs.models import EventClock, Job, JobEvent
from media_jobs.services.jobs import transitions
from tests.factories import make_job
from tests.services.transactions import uncommitted

pytestmark = pytest.mark.django_db
BEGINNING = EventCursor()
committing = pytest.mark.django_db(transaction=True)


def note(job: Job, event: str = "noted") -> None:
    assert transitions.move(job.pk, Q(), event, actor="test", progress=F("progress"))


def read(cursor: EventCursor = BEGINNING, *, limit: int = 100) -> tuple[list[JobEvent], EventCursor]:
    found = events_after(cursor, limit=limit)
    return found, EventCursor.of(found[-1]) if found else cursor


def in_threads(count: int, work: Callable[[int], None]) -> None:
    def run(number: int) -> None:
        try:
            work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(run, range(count)))


def open_transaction(job: Job, event: str) -> AbstractContextManager[Callable[[], None]]:
    return uncommitted(lambda: note(job, event))


@committing
@pytest.mark.postgres
def test_a_transaction_that_commits_after_a_later_one_is_not_missed():
    first, second = make_job(), make_job()
    _, cursor = read()
    with open_transaction(first, "began first") as commit_first:
        with open_transaction(second, "began later") as commit_later:
            commit_later()
        early, cursor = read(cursor)
        commit_first()
        late, cursor = read(cursor)
    assert [event.type for event in early + late] == ["began first", "began later"]
    assert read(cursor)[0] == []


@committing
@pytest.mark.postgres
def test_a_transaction_that_stays_open_delays_the_later_ones_and_loses_none():
    slow, quick = make_job(), make_job()
    _, cursor = read()
    with open_transaction(slow, "slow") as commit:
        for _ in range(5):
            note(quick)
        assert read(cursor)[0] == []
        commit()
    assert [event.type for event in read(cursor)[0]] == ["slow", *["noted"] * 5]


@committing
def test_what_is_rolled_back_is_never_read():
    job = make_job()
    _, cursor = read()
    with transaction.atomic():
        note(job, "never")
        transaction.set_rollback(True)
    note(job, "really")
    assert [(event.number, event.type) for event in read(cursor)[0]] == [(2, "really")]


@committing
def test_a_reader_among_many_writers_gets_each_event_once():
    jobs = [make_job() for _ in range(6)]
    writers, each = 6, 15
    writing = threading.Event()
    seen: list[EventCursor] = []

    def read_all_the_time() -> None:
        cursor = EventCursor()
        try:
            while True:
                over = not writing.is_set()
                found, cursor = read(cursor, limit=7)
                seen.extend(EventCursor.of(event) for event in found)
                if over and not found:
                    return
        finally:
            connection.close()

    def write(number: int) -> None:
        for turn in range(each):
            with transaction.atomic():  # two events in one transaction, and among those of others
                for job in sorted({jobs[number].pk, jobs[(number + turn) % 6].pk}):
                    note(Job(pk=job))

    writing.set()
    reader = threading.Thread(target=read_all_the_time)
    reader.start()
    try:
        in_threads(writers, write)
    finally:
        writing.clear()
        reader.join(60)
    assert not reader.is_alive()
    written = sorted(EventCursor.of(event) for event in JobEvent.objects.all())
    assert len(written) > writers * each
    assert seen == written


@committing
def test_numbers_of_a_job_have_no_gaps_however_many_change_it_at_once():
    job = make_job()

    def write(_: int) -> None:
        for _ in range(5):
            note(job)

    in_threads(8, write)
    assert list(job.events.order_by("id").values_list("number", flat=True)) == list(range(1, 42))
    assert Job.objects.get(pk=job.pk).last_event == 41


@committing
def test_a_reader_goes_on_where_it_was_in_steps_of_any_size():
    job = make_job()
    for _ in range(6):
        note(job)
    numbers, cursor = [], EventCursor()
    while True:
        found, cursor = read(cursor, limit=2)
        if not found:
            break
        numbers += [event.number for event in found]
        cursor = EventCursor.parse(str(cursor))
    assert numbers == list(range(1, 8))


@pytest.mark.parametrize("cursor", [EventCursor(), EventCursor(12, 7), EventCursor(2**63 - 1, 2**63 - 1)])
def test_a_cursor_is_written_and_read_again(cursor):
    assert EventCursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["", "12", "-1-2", "1-2-3", "1-2\n", "a-b", "1- 2", "٣-٤", f"1-{2**63}", f"{2**63}-0", "9" * 30]
)
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(ValueError, match="not the place"):
        EventCursor.parse(text)


@pytest.fixture
def restored() -> Callable[[], EventCursor]:
    """Makes of the events that are there those of a dump out of a cluster that had counted further than this one."""

    def restore() -> EventCursor:
        JobEvent.objects.update(transaction_id=F("transaction_id") + 1_000_000)
        return EventCursor.of(JobEvent.objects.order_by("transaction_id", "id")[2])

    return restore


@committing
@pytest.mark.postgres
def test_after_a_restore_into_a_new_cluster_every_reader_goes_on_where_it_was(restored):
    jobs = [make_job() for _ in range(4)]
    cursor = restored()
    event_log.after_restore()
    for job in jobs:
        note(job)
    found, cursor = read(cursor)
    assert [(event.job_id, event.type) for event in found] == [
        (jobs[3].pk, "queued"),
        *((job.pk, "noted") for job in jobs),
    ]
    assert len(read()[0]) == 8


@committing
@pytest.mark.postgres
def test_without_a_restore_the_clock_stays_and_a_second_one_puts_it_forward_again(restored):
    make_job()
    event_log.after_restore()
    assert not EventClock.objects.exists()
    job = make_job()
    make_job()
    for _ in range(2):
        cursor = restored()
        event_log.after_restore()
        ahead = EventClock.objects.get().ahead
        event_log.after_restore()
        assert EventClock.objects.get().ahead == ahead
        note(job)
        assert [event.type for event in read(cursor)[0]][-1] == "noted"


@committing
@pytest.mark.postgres
def test_a_cursor_from_the_future_gets_what_was_written_since_the_restore(restored):
    """A reader may have been ahead of the backup."""
    for _ in range(3):
        make_job()
    restored()
    event_log.after_restore()
    job = make_job()
    note(job)
    for lost in (
        EventCursor(2**62, 5),
        EventCursor(EventCursor.of(JobEvent.objects.latest("id")).transaction_id + 50, 5),
    ):
        assert [event.job_id for event in read(lost)[0]] == [job.pk, job.pk]


@committing
@pytest.mark.postgres
def test_events_that_moved_in_from_sqlite_come_first_and_in_order():
    make_job()
    make_job()
    JobEvent.objects.update(transaction_id=None)
    event_log.after_restore()
    old = list(JobEvent.objects.order_by("id"))
    new = make_job()
    assert [event.pk for event in read(EventCursor(0, old[0].pk))[0]] == [old[1].pk, new.events.get().pk]
