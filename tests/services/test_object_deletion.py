"""Nobody loses an object that he wants because somebody else throws it away at the same moment."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from structlog.testing import capture_logs

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import KeyBeingDeleted, StorageUnavailable
from media_jobs.models import Derivative, Tombstone
from media_jobs.services import object_deletion
from media_jobs.states import DerivativeState, JobState
from tests.factories import make_derivative, make_job, make_original
from tests.services.housekeeping.helpers import do

pytestmark = pytest.mark.django_db(transaction=True)

#: Nothing here takes so long, unless it waits for ever.
LIMIT_S = 60


class Dead(BaseException):
    """The process ends here."""


def objects() -> list[str]:
    return sorted(store(Role.WORKER).keys())


def make_left(content: bytes = b"left") -> Derivative:
    """Make what a dead attempt leaves."""
    return make_derivative(make_job(state=JobState.CANCELLED), content=content, state=DerivativeState.PENDING)


def again(derivative: Derivative, **fields: Any) -> Derivative:
    """Another row that names the same key."""
    given = {"pk": None, "state": DerivativeState.PENDING} | fields
    kept = {f.attname: getattr(derivative, f.attname) for f in Derivative._meta.concrete_fields if f.name != "id"}
    return Derivative.objects.create(**{k: v for k, v in (kept | given).items() if k != "pk"})


def age(key: str, seconds: float = object_deletion.DEAD_AFTER_S + 1) -> None:
    Tombstone.objects.filter(key=key).update(created_at=timezone.now() - timedelta(seconds=seconds))


@contextmanager
def thread() -> Iterator[ThreadPoolExecutor]:
    """Threads with database connections of their own, closed at the end."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def on_its_own(call: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return call(*args, **kwargs)
    finally:
        connection.close()


@pytest.fixture
def slow_delete(monkeypatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The storage says when it was asked to delete, and does so when released."""
    asked, go = threading.Event(), threading.Event()
    delete = store(Role.WORKER).delete

    def slowly(key: str) -> None:
        asked.set()
        assert go.wait(LIMIT_S)
        delete(key)

    monkeypatch.setattr(store(Role.WORKER), "delete", slowly)
    yield asked, go
    go.set()


def test_a_row_goes_with_its_object():
    left = make_left()
    assert object_deletion.delete_derivative(left)
    assert objects() == []
    assert not Derivative.objects.exists()
    assert not Tombstone.objects.exists()


def test_an_object_that_another_row_names_stays():
    left = make_left()
    wanted = again(left, state=DerivativeState.CURRENT)
    assert object_deletion.delete_derivative(left)
    assert objects() == [wanted.key]
    assert list(Derivative.objects.all()) == [wanted]


def test_what_became_current_meanwhile_stays():
    derivative = make_left()
    Derivative.objects.update(state=DerivativeState.CURRENT)
    assert not object_deletion.delete_derivative(derivative)
    assert objects() == [derivative.key]


def test_a_late_writer_removes_what_it_stored_after_its_row_was_gone():
    late = make_left()
    Derivative.objects.all().delete()  # housekeeping took it for dead, and it went on storing
    assert object_deletion.delete_derivative(late)
    assert objects() == []


def test_a_key_cannot_be_reserved_while_its_object_is_being_deleted(slow_delete):
    asked, go = slow_delete
    left = make_left()
    with thread() as pool:
        deleted = pool.submit(on_its_own, object_deletion.delete_derivative, left)
        assert asked.wait(LIMIT_S)
        with pytest.raises(KeyBeingDeleted), transaction.atomic():
            object_deletion.reserve(left.original_id, [left.key])
        go.set()
        assert deleted.result(LIMIT_S)
    with transaction.atomic():
        object_deletion.reserve(left.original_id, [left.key])


def test_an_object_is_not_deleted_while_its_key_is_being_reserved():
    left = make_left()
    with thread() as pool:
        with transaction.atomic():
            object_deletion.reserve(left.original_id, [left.key])
            deleted = pool.submit(on_its_own, object_deletion.delete_derivative, left)
            wanted = again(left)
        assert deleted.result(LIMIT_S)
    assert objects() == [wanted.key]
    assert not Tombstone.objects.exists()


def test_of_two_who_delete_the_same_one_asks_the_storage(slow_delete):
    asked, go = slow_delete
    left = make_left()
    with thread() as pool:
        first = pool.submit(on_its_own, object_deletion.delete_derivative, left)
        assert asked.wait(LIMIT_S)
        asked.clear()
        assert not object_deletion.delete_derivative(left)
        assert not object_deletion.delete_unreferenced(left.key)
        assert not asked.is_set()
        go.set()
        assert first.result(LIMIT_S)
    assert objects() == []


def test_an_orphan_that_is_just_being_deleted_counts_from_now():
    """Else its deleter would pass for dead, and another would delete what a third has stored anew."""
    left = make_left()
    Tombstone.objects.create(key=left.key)
    age(left.key, 6 * 86_400)

    class Looking:
        def delete(self, key: str) -> None:
            assert Tombstone.objects.get(key=key).created_at > timezone.now() - timedelta(seconds=60)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(object_deletion, "store", lambda role: Looking())
        assert object_deletion.delete_derivative(left)


@pytest.mark.parametrize("step", ["_mark_deleting", "is_referenced"])
def test_a_deleter_that_dies_before_its_commit_changes_nothing(monkeypatch, step):
    left = make_left()
    monkeypatch.setattr(object_deletion, step, dies)
    with pytest.raises(Dead):
        object_deletion.delete_derivative(left)
    assert objects() == [left.key]
    assert list(Derivative.objects.all()) == [left]
    assert not Tombstone.objects.exists()


def dies(*_: object, **__: object) -> None:
    raise Dead


@pytest.mark.parametrize("has_deleted", [False, True])
def test_what_a_dead_deleter_began_is_finished_by_another(monkeypatch, has_deleted):
    left = make_left()
    delete = store(Role.WORKER).delete

    def die(key: str) -> None:
        if has_deleted:
            delete(key)
        raise Dead

    with monkeypatch.context() as patch:
        patch.setattr(store(Role.WORKER), "delete", die)
        with pytest.raises(Dead):
            object_deletion.delete_derivative(left)
    assert Tombstone.objects.get().deleting
    assert not object_deletion.delete_unreferenced(left.key)  # it might live
    age(left.key)
    assert object_deletion.delete_unreferenced(left.key)
    assert objects() == []
    assert not Tombstone.objects.exists()


def test_a_storage_that_refuses_leaves_the_tombstone(monkeypatch):
    left = make_left()

    def refuse(key: str) -> None:
        raise StorageUnavailable("deleting a file")

    monkeypatch.setattr(store(Role.WORKER), "delete", refuse)
    with pytest.raises(StorageUnavailable):
        object_deletion.delete_derivative(left)
    assert list(Tombstone.objects.values_list("key", "deleting")) == [(left.key, True)]


def test_a_deleter_that_was_frozen_does_not_begin(monkeypatch):
    left = make_left()
    clock = iter([0.0, object_deletion.DEAD_AFTER_S + 1.0])
    with monkeypatch.context() as patch:
        patch.setattr(object_deletion, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        object_deletion.delete_derivative(left)
    assert objects() == [left.key]
    assert not Tombstone.objects.get().deleting  # nobody has to wait for it any more
    with transaction.atomic():
        object_deletion.reserve(left.original_id, [])
    assert do("tombstones").repaired == 1
    assert objects() == []


def test_waiting_for_the_lock_makes_nobody_late(monkeypatch):
    left, passed_s = make_left(), [0.0]
    monkeypatch.setattr(object_deletion, "time", SimpleNamespace(monotonic=lambda: passed_s[0]))
    lock = object_deletion.lock_original

    def lock_after_long(original_id: Any) -> Any:
        passed_s[0] += object_deletion.DEAD_AFTER_S
        return lock(original_id)

    monkeypatch.setattr(object_deletion, "lock_original", lock_after_long)
    assert object_deletion.delete_derivative(left)
    assert objects() == []


def test_a_deleter_that_was_frozen_within_the_storage_leaves_the_mark_of_its_successor(slow_delete):
    asked, go = slow_delete
    left = make_left()
    with thread() as pool:
        frozen = pool.submit(on_its_own, object_deletion.delete_derivative, left)
        assert asked.wait(LIMIT_S)
        Tombstone.objects.update(created_at=timezone.now() + timedelta(seconds=1))  # a successor's
        with capture_logs() as logs:
            go.set()
            frozen.result(LIMIT_S)
    assert Tombstone.objects.get().deleting
    assert logs == []


def test_what_was_deleted_too_late_is_logged(slow_delete):
    asked, go = slow_delete
    left = make_left()
    with thread() as pool:
        frozen = pool.submit(on_its_own, object_deletion.delete_derivative, left)
        assert asked.wait(LIMIT_S)
        Tombstone.objects.all().delete()  # a successor finished, and then somebody stored it anew
        again(left)
        with capture_logs() as logs:
            go.set()
            frozen.result(LIMIT_S)
    assert [(entry["event"], entry["key"]) for entry in logs] == [("object_deleted_late", left.key)]


def test_an_unreferenced_key_that_a_row_names_loses_its_tombstone_only():
    derivative, original = make_left(), make_original(b"kept")
    for key in (derivative.key, original.key):
        Tombstone.objects.create(key=key, deleting=True)
        age(key)
        assert not object_deletion.delete_unreferenced(key, dead_after_s=0)
    assert objects() == sorted([derivative.key, original.key])
    assert not Tombstone.objects.exists()


def test_a_wanted_orphan_is_no_orphan_any_more():
    left = make_left()
    Tombstone.objects.create(key=left.key)
    with transaction.atomic():
        object_deletion.reserve(left.original_id, [left.key])
    assert not Tombstone.objects.exists()


def test_many_who_store_and_delete_the_same_key_agree(monkeypatch):
    """Rows and objects fit together afterwards, whatever came first."""
    first = make_left()
    rounds = 12

    def store_it() -> None:
        for _ in range(rounds):
            try:
                with transaction.atomic():
                    object_deletion.reserve(first.original_id, [first.key])
                    row = again(first)
            except KeyBeingDeleted:
                continue
            writer = store(Role.WORKER).begin(first.key, content_type="image/jpeg")
            writer.write(b"left")
            writer.commit()
            assert first.key in objects()
            object_deletion.delete_derivative(row)

    with thread() as pool:
        for done in [pool.submit(on_its_own, store_it) for _ in range(2)]:
            done.result(LIMIT_S)
    object_deletion.delete_derivative(first)
    assert objects() == []
    assert not Derivative.objects.exists()
    assert not Tombstone.objects.exists()
