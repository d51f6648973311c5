"""The same request gets the same answer, and does its work once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.db import connection, transaction
from django.db.models import F

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS
from media_jobs.errors import IdempotencyKeyReused, WrongState
from media_jobs.models import IdempotencyKey, Job, JobEvent, Original
from media_jobs.pipeline.formats.sniff import sniff
from media_jobs.services import housekeeping
from media_jobs.services.idempotency import Answer, Sent, find, fingerprint, once
from media_jobs.services.uploads import intake
from media_jobs.states import OriginalState
from tests import images

pytestmark = pytest.mark.django_db

RETRY_FOR_S = 30


def sent(key: str = "k", *, owner: str = "anonymous", of: str = "upload") -> Sent:
    return Sent(owner, key, fingerprint(of))


class Work:
    """Something that shall be done once."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self) -> Answer:
        self.done += 1
        return Answer(202, {"number": self.done})


def in_threads(*calls: Callable[[], Answer]) -> list[Answer]:
    def run(call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_the_second_time_the_first_answer_is_given_and_nothing_done():
    work = Work()
    first, second = once(sent(), work), once(sent(), work)
    assert first == Answer(202, {"number": 1})
    assert second == Answer(202, {"number": 1}, replayed=True)
    assert work.done == 1


def test_without_a_key_every_request_is_new():
    work = Work()
    assert [once(None, work).body, once(None, work).body] == [{"number": 1}, {"number": 2}]
    assert not IdempotencyKey.objects.exists()


def test_a_key_that_was_used_for_something_else_is_refused():
    work = Work()
    once(sent(of="upload"), work)
    with pytest.raises(IdempotencyKeyReused):
        once(sent(of="retry"), work)
    assert work.done == 1


def test_keys_of_others_are_others():
    work = Work()
    assert once(sent(owner="a"), work) != once(sent(owner="b"), work)


def test_what_fails_does_not_use_up_its_key():
    with pytest.raises(ZeroDivisionError):
        once(sent(), lambda: Answer(1 // 0, {}))
    assert once(sent(), Work()).body == {"number": 1}


@pytest.mark.parametrize(("age", "known"), [(timedelta(hours=23), True), (timedelta(hours=25), False)])
def test_after_a_day_a_key_is_as_if_it_had_never_been_sent(age, known):
    work = Work()
    once(sent(of="first"), work)
    IdempotencyKey.objects.update(created_at=F("created_at") - age)
    assert bool(find("anonymous", "k")) == known
    if not known:
        assert once(sent(of="second"), work).body == {"number": 2}
        assert once(sent(of="second"), work).replayed


def test_a_fingerprint_depends_on_every_part_of_a_request():
    same = fingerprint("upload", {"a": ["1"], "b": ["2", "3"]}, filename="x", sha256="y")
    assert same == fingerprint("upload", {"b": ["2", "3"], "a": ["1"]}, filename="x", sha256="y")
    others = [
        fingerprint("retry", {"a": ["1"], "b": ["2", "3"]}, filename="x", sha256="y"),
        fingerprint("upload", {"a": ["1"], "b": ["3", "2"]}, filename="x", sha256="y"),
        fingerprint("upload", {"a": ["1"], "b": ["2"]}, filename="x", sha256="y"),
        fingerprint("upload", {"a": ["1", "b"], "2": ["3"]}, filename="x", sha256="y"),
        fingerprint("upload", {"a": ["1"], "b": ["2", "3"]}, filename="xy", sha256=""),
        fingerprint("upload", {"a": ["1"], "b": ["2", "3"]}, filename="x", sha256="z"),
    ]
    assert len({same, *others}) == 7


# --- at once ---------------------------------------------------------------------------------------


def test_what_cannot_be_done_any_more_because_the_same_request_did_it_gets_its_answer():
    def refuse() -> Answer:
        raise WrongState("The job is queued.")

    answer = once(sent(), refuse, beforehand=lambda: once(sent(), Work()))
    assert answer == Answer(202, {"number": 1}, replayed=True)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_done_and_all_get_its_answer():
    all_saw_that_the_key_is_new = Barrier(6)
    work = Work()

    def ask() -> Answer:
        return once(sent(), work, beforehand=lambda: all_saw_that_the_key_is_new.wait(RETRY_FOR_S))

    answers = in_threads(*[ask] * 6)
    assert [answer.replayed for answer in answers].count(False) == 1
    assert len({answer.body["number"] for answer in answers}) == 1
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_that_is_rolled_back_lets_the_other_win():
    written, waits = Event(), Event()

    def loses() -> Answer:
        try:
            with transaction.atomic():
                once(sent(), lambda: Answer(202, {"by": "the first"}))
                written.set()
                waits.wait(RETRY_FOR_S)
                raise ZeroDivisionError
        except ZeroDivisionError:
            return Answer(500, {})

    def wins() -> Answer:
        written.wait(RETRY_FOR_S)
        return once(sent(), lambda: Answer(202, {"by": "the second"}), beforehand=waits.set)

    _, answer = in_threads(loses, wins)
    assert answer == Answer(202, {"by": "the second"})
    assert once(sent(), Work()) == Answer(202, {"by": "the second"}, replayed=True)


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_make_one_job_and_leave_one_object(object_store, monkeypatch):
    together = Barrier(2)
    photo = images.jpeg(64, 64)
    commit = intake.Upload.commit

    def commit_together(upload: intake.Upload) -> None:
        commit(upload)
        together.wait(RETRY_FOR_S)

    monkeypatch.setattr(intake.Upload, "commit", commit_together)

    def accept() -> Answer:
        upload = intake.Upload(sniff(photo), filename="gall.jpg", caller=ANONYMOUS)
        try:
            upload.write(photo)
            return upload.accept(
                preset=selectors.current_preset("gallformers"),
                caller=ANONYMOUS,
                build_answer=lambda accepted: Answer(202, {"job": str(accepted.job.pk)}),
                sent=Sent(ANONYMOUS.id, "k", fingerprint("upload", sha256=upload.sha256)),
            )
        finally:
            upload.abort()

    one, other = in_threads(accept, accept)
    assert one.body == other.body
    assert {one.replayed, other.replayed} == {False, True}
    job = Job.objects.get()
    assert JobEvent.objects.count() == 1
    assert sorted(Original.objects.values_list("state", flat=True)) == [OriginalState.ACTIVE, OriginalState.DELETED]
    housekeeping.run()
    assert list(store(Role.WORKER).keys()) == [job.original.key]
    assert Original.objects.get() == job.original
