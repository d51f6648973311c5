"""What was begun on a connection that got lost is done on a new one, once."""

import re
import shutil
import sqlite3
from contextlib import closing
from functools import cache
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from media_jobs.adapters import database, queue, rate_counter
from media_jobs.models import Installation, Preset
from media_jobs.states import Lane

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


# --- which database it is --------------------------------------------------------------------------


def test_the_name_is_the_same_for_all_who_use_a_database_and_another_for_a_copy():
    name = database.short_name()
    assert re.fullmatch("[0-9a-f]{12}", name)
    database.short_name.cache_clear()
    assert database.short_name() == name
    Installation.objects.update(uuid=uuid4())  # as `manage.py restore` does
    database.short_name.cache_clear()
    assert database.short_name() != name


def test_two_services_on_one_redis_wake_their_own_workers_only(valkey, monkeypatch):
    ours = queue.name_of(Lane.INTERACTIVE)
    assert queue.enqueue_wakeups(Lane.INTERACTIVE, 2, at_most=9) == 2
    queue.forget()
    monkeypatch.setattr(database, "short_name", cache(lambda: "0123456789ab"))
    assert queue.lengths()[Lane.INTERACTIVE] == 0
    assert queue.enqueue_wakeups(Lane.INTERACTIVE, 1, at_most=9) == 1
    assert queue.worker_queues()[0].name == "interactive-0123456789ab"
    assert valkey.llen(f"rq:queue:{ours}") == 2
    assert rate_counter.count([("read", "somebody")])[0].used == 1
    assert len(valkey.keys("*limits*")) == len(valkey.keys("gallimg:0123456789ab:limits:*")) == 1


# --- a copy of SQLite's main file ------------------------------------------------------------------


def test_after_a_checkpoint_the_main_file_has_everything(tmp_path):
    if connection.vendor != "sqlite":
        return  # PostgreSQL has no such file
    Preset.objects.create(name="checkpointed")
    database.checkpoint()
    copied = shutil.copyfile(connection.settings_dict["NAME"], tmp_path / "copy.sqlite3")
    with closing(sqlite3.connect(copied)) as copy:
        count = copy.execute("SELECT count(*) FROM media_jobs_preset WHERE name = 'checkpointed'").fetchone()
    assert count == (1,)
