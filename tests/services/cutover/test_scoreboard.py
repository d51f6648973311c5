"""What is told of the last seven days, and when it is too many errors, or too little to say."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from media_jobs.library import scoreboard
from media_jobs.models import Shadow
from media_jobs.pipeline.compare.values import Verdict
from media_jobs.states import ShadowState

pytestmark = pytest.mark.django_db

_COMPARED = {"state": ShadowState.COMPARED, "compared_at": timezone.now()}


def make(count: int = 1, verdict: str = "", **fields: object) -> None:
    state = _COMPARED if verdict else {"state": ShadowState.DUE}
    known = Shadow.objects.count()
    Shadow.objects.bulk_create(
        Shadow(**{"legacy_key": f"gall/1/1_{known + n}_original.jpg", "owner": "key:site", "verdict": verdict}
               | state | fields)
        for n in range(count)
    )  # fmt: skip


def test_nothing_is_too_thin_to_say_anything():
    board = scoreboard.read()
    assert (board.judged, board.errors, board.rate, board.low, board.high) == (0, 0, 0.0, 0.0, 1.0)
    assert (board.thin, board.over, board.needed) == (True, False, 598)
    assert len(board.days) == 8  # seven times 24 hours touch eight days


def test_the_last_picture_of_598_makes_the_claim():
    make(597, "same")
    assert scoreboard.read().thin
    assert scoreboard.read().needed == 1
    make(1, "better")
    board = scoreboard.read()
    assert (board.thin, board.needed, board.over) == (False, 0, False)


def test_one_error_among_few_is_chance_and_two_are_not():
    make(69, "same")
    make(1, "worse")
    assert not scoreboard.read().over
    make(1, "worse")
    assert scoreboard.read().over


def test_where_enough_is_judged_the_rate_itself_decides():
    make(996, "same")
    make(4, "worse")
    board = scoreboard.read()
    assert (board.rate, board.over, board.thin) == (0.004, False, True)  # as counted it may be, but is not proved
    make(2, "worse")
    board = scoreboard.read()
    assert board.low < 0.005 < board.rate
    assert board.over


def test_the_verdict_of_a_person_counts():
    make(2, "worse", judged_as="same", judged_by="staff:1")
    make(1, "different", judged_as="worse", judged_by="staff:1")
    board = scoreboard.read()
    assert (board.judged, board.errors) == (3, 1)
    assert board.verdicts[Verdict.SAME] == 2


def test_what_the_site_lacks_and_what_could_not_be_compared_is_no_error():
    make(3, "missing")
    make(2, state=ShadowState.FAILED, code="original_changed")
    make(4)
    board = scoreboard.read()
    assert (board.judged, board.errors, board.failed, board.waiting) == (0, 0, 2, 4)
    assert board.verdicts[Verdict.MISSING] == 3


def test_days_before_are_forgotten_and_today_is_the_last():
    make(1, "worse", created_at=timezone.now() - timedelta(days=7, minutes=1))
    make(2, "worse", created_at=timezone.now() - timedelta(days=6, hours=23))
    make(1, "same")
    board = scoreboard.read()
    assert (board.judged, board.errors) == (3, 2)
    assert (board.days[-1].judged, board.days[-1].errors) == (1, 0)
    assert sum(day.errors for day in board.days[:2]) == 2


def test_the_limit_is_a_setting(settings):
    settings.SHADOW_ERROR_LIMIT = 0.1
    make(28, "same")
    assert scoreboard.read().needed == 1
    make(1, "same")
    assert not scoreboard.read().thin


def test_it_is_one_query():
    make(3, "same")
    with CaptureQueriesContext(connection) as queries:
        assert scoreboard.read().judged == 3
    assert len(queries) == 1
