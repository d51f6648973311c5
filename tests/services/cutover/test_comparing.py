"""A shadow is compared with what the site made of it, and the verdict written; what lacks is waited for."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.callers import SYSTEM
from media_jobs.errors import WrongState
from media_jobs.library import scoreboard
from media_jobs.models import Change, Job, Shadow
from media_jobs.pipeline.compare.values import Measures, Reason, Verdict
from media_jobs.services.cutover import holding, judging, legacy, working
from media_jobs.services.images import deletion
from media_jobs.services.jobs import worker as workers
from media_jobs.states import JobState, ShadowState
from tests import images
from tests import working as jobs
from tests.services.cutover.conftest import KEY
from tests.services.cutover.making import Site
from tests.services.cutover.test_fetching import asked, take_turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def rendered(site: Site) -> Shadow:
    """A shadow whose pictures are made, and of which the site has not made any but the original."""
    photo = images.jpeg(640, 480)
    site.write(KEY, photo)
    shadow = asked()
    take_turn()
    shadow.refresh_from_db()
    assert shadow.job
    jobs.run(shadow.job.pk)
    return shadow


def test_what_is_as_good_is_found_to_be_so_and_counts(site: Site, rendered: Shadow) -> None:
    site.write_sizes(KEY, images.jpeg(640, 480))
    take_turn()
    rendered.refresh_from_db()
    assert rendered.state == ShadowState.COMPARED
    assert rendered.verdict in (Verdict.SAME, Verdict.BETTER), rendered.sentence
    assert (rendered.ruling, rendered.code, rendered.worker) == (rendered.verdict, "", "")
    assert [size["name"] for size in rendered.sizes] == ["small", "medium", "large", "xlarge"]
    assert rendered.measures
    measured = Measures.from_json(rendered.measures)
    assert [(pair.name, pair.legacy and pair.legacy.width_px) for pair in measured.pairs] == [
        ("small", 300), ("medium", 800), ("large", 1200), ("xlarge", 2000),
    ]  # fmt: skip
    assert rendered.engine
    board = scoreboard.read()
    assert (board.judged, board.errors, board.waiting) == (1, 0, 0)


def test_the_site_may_still_be_writing(site: Site, rendered: Shadow, settings: Any) -> None:
    settings.SHADOW_GRACE_S = 600
    site.write_sizes(KEY, images.jpeg(640, 480), but="xlarge")
    take_turn()
    rendered.refresh_from_db()
    assert (rendered.state, rendered.worker) == (ShadowState.DUE, "")
    assert timezone.now() < rendered.due_at < timezone.now() + timedelta(minutes=1)
    Shadow.objects.update(created_at=timezone.now() - timedelta(seconds=601), due_at=timezone.now())
    take_turn()
    rendered.refresh_from_db()
    assert rendered.state == ShadowState.COMPARED
    assert [size["verdict"] for size in rendered.sizes][3] == Verdict.MISSING


def test_a_picture_of_ours_that_is_gone_is_worse(site: Site, rendered: Shadow) -> None:
    site.write_sizes(KEY, images.jpeg(640, 480))
    assert rendered.original
    store(Role.WORKER).delete(rendered.original.derivatives.get(rendition="large").key)
    take_turn()
    rendered.refresh_from_db()
    assert (rendered.verdict, rendered.reason) == (Verdict.WORSE, Reason.OURS_MISSING)
    assert scoreboard.read().errors == 1


@pytest.mark.parametrize(
    ("job", "shadow", "code"),
    [(JobState.CANCELLED, ShadowState.FAILED, "cancelled"), (JobState.QUEUED, ShadowState.RENDERING, "")],
)
def test_a_job_that_was_cancelled_or_waits_again_is_no_error_of_ours(
    site: Site, rendered: Shadow, job: JobState, shadow: ShadowState, code: str
) -> None:
    site.write_sizes(KEY, images.jpeg(640, 480))
    assert rendered.job
    Job.objects.filter(pk=rendered.job.pk).update(state=job)
    Shadow.objects.update(state=ShadowState.DUE)
    hold = holding.take(workers.current())
    assert hold
    working.work_on(hold)
    rendered.refresh_from_db()
    assert (rendered.state, rendered.code, rendered.verdict) == (shadow, code, "")


def test_while_it_is_compared_once_more_the_former_verdict_counts(rendered: Shadow) -> None:
    Shadow.objects.update(
        state=ShadowState.DUE, verdict=Verdict.WORSE, reason=Reason.TURNED, compared_at=timezone.now()
    )
    assert scoreboard.read().errors == 1


def test_a_file_of_the_site_that_is_no_picture_does_no_harm(site: Site, rendered: Shadow) -> None:
    site.write_sizes(KEY, images.jpeg(640, 480))
    site.write(legacy.size_key(KEY, "small"), b"\xff\xd8\xff no picture" * 50)
    take_turn()
    rendered.refresh_from_db()
    assert rendered.state == ShadowState.COMPARED
    assert {size["name"]: size["reason"] for size in rendered.sizes}["small"] == Reason.LEGACY_UNREADABLE


def test_what_somebody_has_deleted_is_not_compared_and_goes_with_its_image(site: Site, rendered: Shadow) -> None:
    from media_jobs.services import housekeeping
    from media_jobs.services.housekeeping.tasks import task_named

    site.write_sizes(KEY, images.jpeg(640, 480))
    assert rendered.original
    deletion.delete(rendered.original.pk, actor=SYSTEM)
    take_turn()
    rendered.refresh_from_db()
    assert (rendered.state, rendered.code) == (ShadowState.FAILED, "image_deleted")
    rendered.original.deleted_at = timezone.now() - timedelta(days=8)
    rendered.original.save()
    housekeeping.run(only=[task_named("deletions"), task_named("expiry")])
    assert not Shadow.objects.exists()
    assert list(store(Role.WORKER).keys()) == []


def test_a_person_s_verdict_counts_and_can_be_withdrawn(site: Site, rendered: Shadow) -> None:
    with pytest.raises(WrongState):
        judging.judge(rendered.pk, Verdict.WORSE, note="", actor=SYSTEM)
    site.write_sizes(KEY, images.jpeg(640, 480))
    take_turn()
    judging.judge(rendered.pk, Verdict.WORSE, note="The gall is cut off.", actor=SYSTEM)
    assert scoreboard.read().errors == 1
    rendered.refresh_from_db()
    assert (rendered.judged_by, rendered.judged_note) == ("system", "The gall is cut off.")
    judging.withdraw(rendered.pk, actor=SYSTEM)
    assert scoreboard.read().errors == 0
    assert [change.after for change in Change.objects.order_by("pk")] == [
        {"verdict": "worse", "note": "The gall is cut off."},
        {"verdict": "", "note": ""},
    ]
