"""Uploads that stream never get all threads, and those that dawdle make room."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from media_jobs.runtime.http import admission
from media_jobs.runtime.http.admission import Admission


class Connection(SimpleNamespace):
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__(sock=self, dawdling=False, was_cut_off=False)

    def dawdles(self) -> bool:
        return bool(self.dawdling)

    def cut_off(self) -> None:
        self.was_cut_off = True


class Door:
    def __init__(self, threads: int) -> None:
        self.started: list[Any] = []
        self.refused: list[Any] = []
        self.admission = Admission(threads)

    def ask(self, *, is_quick: bool = True) -> Connection:
        connection = Connection()
        start, refuse = partial(self.started.append, connection), partial(self.refused.append, connection)
        self.admission.ask(connection, is_quick=is_quick, start=start, refuse=refuse)
        return connection


@pytest.mark.parametrize(("threads", "places"), [(40, 32), (17, 9), (16, 8), (8, 4), (2, 1)])
def test_so_many_threads_may_stream(threads, places):
    door = Door(threads)
    for _ in range(places + 1):
        door.ask()
    assert len(door.started) == places
    assert not door.refused  # it waits


def test_whoever_waits_comes_in_when_another_one_has_ended(monkeypatch):
    door = Door(16)
    inside = [door.ask() for _ in range(8)]
    first, second = door.ask(), door.ask()
    door.admission.ended(inside[0])
    assert door.started[8:] == [first]
    door.admission.ended(inside[1])
    assert door.started[8:] == [first, second]


def test_whoever_waits_in_vain_is_refused(monkeypatch):
    monkeypatch.setattr(admission, "LINE_S", 0.0)
    door = Door(2)
    door.ask()
    late = door.ask()
    door.admission.expire()
    assert door.refused == [late]


def test_the_line_is_bounded(monkeypatch):
    monkeypatch.setattr(admission, "LINE_LENGTH", 1)
    door = Door(2)
    door.ask()
    door.ask()
    third = door.ask()
    assert door.refused == [third]


def test_who_leaves_the_line_is_neither_let_in_nor_refused(monkeypatch):
    door = Door(2)
    inside, waiting = door.ask(), door.ask()
    door.admission.leave_line(waiting)
    door.admission.ended(inside)
    door.admission.expire(at_once=True)
    assert (door.started, door.refused) == ([inside], [])


def test_slow_clients_get_half_of_the_places_and_quick_ones_pass_them_in_line():
    door = Door(16)
    slow = [door.ask(is_quick=False) for _ in range(6)]
    assert door.started == slow[:4]
    quick = [door.ask() for _ in range(5)]
    assert door.started[4:] == quick[:4]
    door.admission.ended(quick[0])
    assert door.started[8:] == [quick[4]]
    door.admission.ended(slow[0])
    assert door.started[9:] == [slow[4]]


def test_who_dawdles_is_cut_off_where_others_wait_and_only_as_many():
    door = Door(16)
    inside = [door.ask() for _ in range(8)]
    for connection in inside[:3]:
        connection.dawdling = True
    door.admission.expire()
    assert not any(connection.was_cut_off for connection in inside)
    door.ask()
    assert sum(connection.was_cut_off for connection in inside) == 1
    assert not any(connection.was_cut_off for connection in inside[3:])


def test_a_crowd_has_gone_with_its_last_and_a_few_are_none():
    door = Door(40)
    for count, is_crowd in ((admission.CROWD - 1, False), (admission.CROWD, True), (1, False)):
        inside = [door.ask() for _ in range(count)]
        assert [door.admission.ended(one) for one in inside] == [False] * (count - 1) + [is_crowd]
    assert not door.admission.ended(Connection()), "it had no place"
