"""A flag with too many errors is off by itself, once, and everybody is told."""

import json
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from media_jobs.callers import staff
from media_jobs.models import FeatureFlag, FlagChange, WebhookDelivery
from media_jobs.services.flags import changing, falling_back, guard
from media_jobs.services.housekeeping import running, scheduling
from media_jobs.services.housekeeping.tasks import FLAGS, URGENT
from media_jobs.states import WebhookEvent
from tests.services.flags.helpers import NAME, few_errors, flag, too_many_errors
from tests.services.webhooks.helpers import make_webhook

pytestmark = pytest.mark.django_db
ON = {"enabled": True, "basis_points": 2500}


def look() -> int:
    """Have a worker look after the flags, due or not; how many it changed."""
    [outcome] = running.run(only=[FLAGS])
    assert not outcome.error
    return outcome.repaired


def now() -> FeatureFlag:
    return FeatureFlag.objects.get(pk=NAME)


def test_it_falls_back_stays_there_and_tells() -> None:
    flag(**ON, allow=["ada"])
    few_errors()
    assert look() == 0
    too_many_errors()
    with capture_logs() as logs:
        assert look() == 1
    assert (now().enabled, now().basis_points, now().allow) == (True, 0, ["ada"])
    assert now().fell_back_at
    line = FlagChange.objects.get()
    assert (line.actor, line.before, line.after) == ("guard", {"percent": 25}, {"percent": 0})
    assert line.reason.startswith("9 of 209 pictures of the last 7 days were worse: 4.31 %")
    [told] = [one for one in logs if one["event"] == "flag_fell_back"]
    assert (told["log_level"], told["flag"], told["from_percent"], told["why"]) == ("warning", NAME, 25, line.reason)
    assert look() == 0  # it is off: nothing more to do
    few_errors()
    assert look() == 0  # and nobody but a person raises it
    assert now().basis_points == 0
    changing.change(NAME, {"basis_points": 100}, actor=staff(1))
    assert now().fell_back_at is None
    assert look() == 0


def test_too_few_pictures_are_no_reason_to_fall_back() -> None:
    flag(**ON)
    assert guard.opinion().board.thin
    assert look() == 0


@pytest.mark.parametrize("fields", [{"guarded": False}, {"enabled": False}, {"basis_points": 0}])
def test_a_flag_that_is_off_or_not_guarded_is_left_alone(fields: dict[str, object]) -> None:
    flag(**{**ON, **fields})
    too_many_errors()
    assert look() == 0
    assert now().version == 1


def test_whoever_forced_it_past_too_many_errors_is_obeyed_until_there_are_few() -> None:
    too_many_errors()
    changing.change(NAME, ON, actor=staff(1), force=True, reason="they are all of one known kind")
    assert look() == 0
    few_errors()
    assert look() == 1  # it is guarded again
    assert now().forced_at is None
    assert now().basis_points == 2500
    too_many_errors()
    assert look() == 1
    assert now().basis_points == 0


def test_force_past_too_few_pictures_leaves_the_guard_awake() -> None:
    changing.change(NAME, ON, actor=staff(1), force=True, reason="a rehearsal")
    too_many_errors()
    assert look() == 1
    assert now().basis_points == 0


def test_who_changes_it_meanwhile_is_not_overruled() -> None:
    """By the next look it is decided anew."""
    seen, opinion = flag(**ON), guard.opinion()
    changing.change(NAME, {"basis_points": 100}, actor=staff(1))
    assert falling_back.fall_back(seen, opinion) is False
    assert now().basis_points == 100
    assert not WebhookDelivery.objects.exists()


def test_webhooks_of_staff_and_programs_hear_of_it_if_they_ask() -> None:
    news = [WebhookEvent.FLAG_FELL_BACK]
    hear = [make_webhook(owner, types=news) for owner in ("staff:1", "key:site")]
    for owner in ("key:site|ada", "https://issuer.example|ada", "anonymous"):
        make_webhook(owner, types=news)
    make_webhook("staff:1", types=[WebhookEvent.DONE])
    flag(**ON)
    too_many_errors()
    look()
    told = WebhookDelivery.objects.order_by("pk")
    assert [delivery.endpoint for delivery in told] == hear
    assert {(one.type, one.message_id, one.job_id) for one in told} == {("flag.fell_back", f"flag-{NAME}-2", None)}
    sent = json.loads(told[0].payload)
    assert (sent["type"], sent["data"]["reason"]) == ("flag.fell_back", FlagChange.objects.get().reason)
    del sent["data"]["reason"]
    assert sent["data"] == {"flag": NAME, "fromPercent": 25, "percent": 0, "errors": 9, "judged": 209}


def test_workers_look_several_times_a_minute_even_in_the_middle_of_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FLAGS in URGENT
    # What is due is asked for when nine tenths of it are over; a busy worker does so every ten seconds.
    assert FLAGS.every_s * 1.1 + scheduling._URGENT_EVERY_S * 1.1 + FLAGS.lease_s < 60
    flag(**ON)
    too_many_errors()
    schedule = scheduling.TaskSchedule(notify=lambda: None)
    for seconds in (0, 3600):
        monkeypatch.setattr(scheduling, "time", SimpleNamespace(monotonic=lambda seconds=seconds: seconds))
        schedule.run_urgent_tasks()
    assert now().basis_points == 0
