"""What was begun on a connection that got lost is done on a new one, once."""

import pytest
from django.db import OperationalError

from media_jobs.adapters import database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch) -> None:
    monkeypatch.setattr(database, "_FIRST_PAUSE_S", 0.001)


class Failing:
    """Loses its connection so many times, then returns `result`."""

    def __init__(self, times: int, result: bool = True) -> None:
        self.times, self.result, self.calls = times, result, 0

    def __call__(self) -> bool:
        self.calls += 1
        if self.calls <= self.times:
            raise OperationalError("the connection is closed")
        return self.result


def test_it_is_tried_until_the_database_is_back():
    do = Failing(3)
    assert database.retry_on_disconnect(do)
    assert do.calls == 4


def test_a_database_that_stays_away_is_an_error():
    with pytest.raises(OperationalError):
        database.retry_on_disconnect(Failing(1_000_000), for_s=0.05)


def test_the_first_try_asks_nobody():
    committed = Failing(0, result=True)
    assert database.retry_on_disconnect(Failing(0, result=False), unless=committed) is False
    assert committed.calls == 0


@pytest.mark.parametrize(("was_committed", "tries"), [(True, 1), (False, 2)])
def test_what_was_committed_is_not_done_twice(was_committed, tries):
    do = Failing(1, result=True)
    assert database.retry_on_disconnect(do, unless=Failing(0, result=was_committed)) is True
    assert do.calls == tries


def test_the_question_may_lose_its_connection_too():
    do = Failing(1, result=True)
    assert database.retry_on_disconnect(do, unless=Failing(2, result=True)) is True
    assert do.calls == 1
