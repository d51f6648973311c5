"""What becomes of shadows by and by: pictures go after their time, and what can be judged better is judged again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Derivative, Job, Original, Shadow, Tombstone
from media_jobs.pipeline.compare.judge import JUDGE_VERSION
from media_jobs.services import housekeeping, object_deletion
from media_jobs.services.housekeeping.running import Outcome
from media_jobs.services.housekeeping.tasks import task_named
from media_jobs.states import ShadowState
from tests import images
from tests.factories import make_original
from tests.services.cutover.conftest import site
from tests.services.cutover.making import Site, make_shadow

pytestmark = pytest.mark.django_db
assert site  # a fixture
PHOTO = images.jpeg(320, 240)


@pytest.fixture
def shadow(site: Site) -> Shadow:
    return make_shadow(site, "gall/1/1_1_original.jpg", PHOTO)


def do(task: str) -> Outcome:
    (outcome,) = housekeeping.run(only=[task_named(task)])
    assert not outcome.error
    return outcome


def judged(shadow: Shadow, *, days_ago: float = 0, **fields: Any) -> None:
    known = {"state": ShadowState.COMPARED, "verdict": "better", "judge": str(JUDGE_VERSION)}
    at = timezone.now() - timedelta(days=days_ago)
    Shadow.objects.filter(pk=shadow.pk).update(**{**known, "compared_at": at, "created_at": at, **fields})


def test_after_their_time_pictures_go_and_what_was_found_stays(site: Site, shadow: Shadow, settings: Any) -> None:
    settings.SHADOW_DAYS = 30
    make_original(b"\xff\xd8\xff of somebody else")
    had = site.has()
    judged(shadow, days_ago=29.9)
    assert do("comparisons").found == 0
    judged(shadow, days_ago=30.1, judged_as="worse")
    assert (do("comparisons").repaired, do("comparisons").found) == (1, 0)
    shadow.refresh_from_db()
    assert (shadow.original, shadow.job, shadow.verdict, shadow.ruling) == (None, None, "better", "worse")
    assert (Original.objects.count(), Job.objects.count(), Derivative.objects.count()) == (1, 0, 0)
    assert len(list(store(Role.WORKER).keys())) == 1
    assert site.has() == had


def test_what_came_to_no_end_within_the_time_fails_with_a_code(shadow: Shadow) -> None:
    Shadow.objects.update(created_at=timezone.now() - timedelta(days=31))
    Shadow.objects.create(
        legacy_key="gall/2/2_1_original.jpg", owner="key:site", state=ShadowState.FETCHING,
        created_at=timezone.now() - timedelta(days=31),
    )  # fmt: skip
    assert do("comparisons").repaired == 2
    assert set(Shadow.objects.values_list("state", "code")) == {("failed", "expired")}


def test_zero_days_keep_them_for_ever(shadow: Shadow, settings: Any) -> None:
    settings.SHADOW_DAYS = 0
    judged(shadow, days_ago=3000)
    assert do("comparisons").found == 0


def test_a_storage_that_is_away_meanwhile_loses_nothing_of_it(shadow: Shadow, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(shadow, days_ago=31)

    def refuse(what: Any) -> None:
        raise StorageUnavailable("deleting a file")

    for owner, name in ((object_deletion, "delete_derivative"), (store(Role.WORKER), "delete")):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, refuse)
            assert "deleting a file" in housekeeping.run(only=[task_named("comparisons")])[0].error
        do("uploads")
        shadow.refresh_from_db()
        assert shadow.verdict == "better", "its row does not go with its original"
    do("comparisons")
    Tombstone.objects.update(created_at=timezone.now() - timedelta(days=1))
    do("tombstones")
    assert (list(store(Role.WORKER).keys()), Original.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("fields", "again"),
    [
        ({}, False),
        ({"judge": "0"}, True),
        ({"verdict": "missing"}, True),
        ({"state": "failed", "code": "storage_unavailable"}, True),
        ({"verdict": "missing", "judged_as": "same"}, False),
        ({"verdict": "missing", "days_ago": 8}, False),
        ({"verdict": "missing", "original": None}, False),
    ],
)
def test_nightly_what_can_be_judged_better_is_compared_again(
    shadow: Shadow, fields: dict[str, Any], again: bool
) -> None:
    judged(shadow, **fields)
    assert do("shadows").repaired == again
    shadow.refresh_from_db()
    assert (shadow.state == ShadowState.DUE) == again
