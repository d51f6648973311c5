"""A shadow by its key: a worker fetches the site's original, within LEGACY_PREFIX and nowhere else."""

import shutil
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.callers import ANONYMOUS, SYSTEM, Scope, key
from media_jobs.errors import BadLegacyKey, ShadowExists, ShadowsFull, StorageFull
from media_jobs.models import Job, Original, Shadow
from media_jobs.pipeline.compare.values import Reason, Verdict
from media_jobs.services.cutover import again, holding, shadows, working
from media_jobs.services.jobs import worker as workers
from media_jobs.states import JobState, Lane, OriginalState, ShadowState
from tests import working as jobs
from tests.services.cutover.conftest import KEY
from tests.services.cutover.making import Site

pytestmark = pytest.mark.django_db
SITE, OTHER = key("site0000", Scope), key("other000", Scope)


def take_turn() -> None:
    """What a worker does between two jobs."""
    workers.current().suspects_outage = False
    working.work_between_jobs(workers.current())


def asked(**fields: object) -> Shadow:
    shadow = shadows.ask(KEY, caller=SITE)[0]
    Shadow.objects.filter(pk=shadow.pk).update(**fields) if fields else None
    return shadow


def test_the_original_is_fetched_and_its_job_waits_behind_uploads(site: Site, photo: bytes) -> None:
    site.write(KEY, photo)
    had = site.has()
    shadow = asked()
    take_turn()
    shadow.refresh_from_db()
    assert shadow.original
    assert shadow.job
    assert (shadow.state, shadow.job.lane, shadow.job.preset.name) == ("rendering", Lane.BULK, "gallformers-legacy")
    assert shadow.original.owner == SYSTEM.id, "who names a key must not get at what is in the file"
    assert list(shadow.original.tags.values_list("name", flat=True)) == ["shadow"]
    with store(Role.WORKER).open(shadow.original.key) as stored:  # type: ignore[attr-defined]
        assert stored.read(len(photo) + 1) == photo
    jobs.run(shadow.job.pk)
    take_turn()
    shadow.refresh_from_db()
    assert shadow.state != ShadowState.RENDERING
    assert {d.rendition: d.width_px for d in shadow.original.derivatives.all()} == {
        "small": 300, "medium": 640, "large": 640, "xlarge": 640,
    }  # fmt: skip
    assert site.has() == had


@pytest.mark.usefixtures("site")
def test_a_folder_that_is_not_there_is_no_site_without_pictures(settings: Any) -> None:
    settings.LEGACY_FOLDER += "-misspelt"
    shadow = asked(attempts=holding.MOST_ATTEMPTS - 1)
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.state, shadow.code, shadow.verdict) == (ShadowState.FAILED, "legacy_denied", "")
    assert f"no folder {settings.LEGACY_FOLDER} on this host" in shadow.detail
    assert not workers.current().suspects_outage, "uploads go on"


@pytest.mark.parametrize(
    "bad",
    [
        "originals/01990000-0000-7000-8000-000000000000_original.jpg",
        "gall/../originals/1_original.jpg",
        "/gall/12/12_1_original.jpg",
        "gall//12_1_original.jpg",
        "gall/12/12_1_small.jpg",
        "gall/12/_original.jpg",
        "gall/12/12_1_original",
        "gall/12/12_1_original.jpg\n",
        "gall/12/.._original.jpg",
        "https://169.254.169.254/gall/12/12_1_original.jpg",
        "gall/" + "1" * 250 + "_original.jpg",
        "gall/12/12 1_original.jpg",
        "",
    ],
)
def test_a_key_that_is_none_of_the_site_is_refused(bad: str) -> None:
    with pytest.raises(BadLegacyKey):
        shadows.ask(bad, caller=SITE)
    assert not Shadow.objects.exists()


def test_a_key_twice_is_one_shadow_and_anothers_is_refused(site: Site) -> None:
    first, new = shadows.ask(KEY, caller=SITE)
    second, new_again = shadows.ask(KEY, caller=SITE)
    assert (second.pk, new, new_again) == (first.pk, True, False)
    with pytest.raises(ShadowExists) as refusal:
        shadows.ask(KEY, caller=OTHER)
    assert str(first.pk) not in f"{refusal.value} {refusal.value.members}"
    assert (shadows.find(first.pk, SITE), shadows.find(first.pk, OTHER)) == (first, None)


def test_too_many_and_a_disk_that_gets_full_stop_shadows_before_uploads(site: Site, settings) -> None:
    settings.MAX_SHADOWS = 1
    shadows.ask(KEY, caller=SITE)
    with pytest.raises(ShadowsFull):
        shadows.ask(KEY.replace("12_", "13_"), caller=SITE)
    assert not shadows.ask(KEY, caller=SITE)[1], "one that is there already is no new one"
    settings.MAX_SHADOWS = 2
    settings.MIN_FREE_DISK_BYTES = shutil.disk_usage(settings.OBJECTS_DIR.parent).free * 2 // 3
    store(Role.WEB).check_room()
    with pytest.raises(StorageFull):
        shadows.ask(KEY.replace("12_", "13_"), caller=SITE)


def test_while_uploads_wait_shadows_do(site: Site, photo: bytes) -> None:
    from tests.factories import make_job

    site.write(KEY, photo)
    make_job()
    shadow = asked()
    take_turn()
    shadow.refresh_from_db()
    assert shadow.state == ShadowState.FETCHING
    workers.current().count_job(Lane.INTERACTIVE, 60)  # of which reprocessing, and shadows with it, have a share
    take_turn()
    shadow.refresh_from_db()
    assert shadow.state == ShadowState.RENDERING


def test_what_the_site_has_not_written_yet_is_waited_for(site: Site, settings) -> None:
    settings.SHADOW_GRACE_S = 3600
    shadow = asked()
    take_turn()
    shadow.refresh_from_db()
    assert shadow.state == ShadowState.FETCHING
    assert timedelta(seconds=5) < shadow.due_at - timezone.now() < timedelta(minutes=1)
    Shadow.objects.update(due_at=timezone.now(), created_at=timezone.now() - timedelta(hours=2))
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.state, shadow.verdict, shadow.reason) == ("compared", Verdict.MISSING, Reason.LEGACY_MISSING)


def test_what_is_no_picture_is_worse_where_the_site_has_made_one(site: Site) -> None:
    site.write(KEY, b"%PDF-1.7 no picture")
    site.write(KEY.replace("_original", "_small"), b"whatever")
    shadow = asked()
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.state, shadow.verdict, shadow.reason) == ("compared", Verdict.WORSE, Reason.OURS_MISSING)
    assert "accepted are JPEG" in shadow.sentence
    assert not Original.objects.exists()


def test_a_job_that_failed_is_worse_where_the_site_has_made_something(site: Site, photo: bytes, settings) -> None:
    settings.SHADOW_GRACE_S = 0
    site.write(KEY, photo[: len(photo) // 3])
    shadow = asked()
    take_turn()
    shadow.refresh_from_db()
    assert shadow.job
    jobs.run(shadow.job.pk)
    assert Job.objects.get().state == JobState.FAILED
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.verdict, shadow.reason) == (Verdict.MISSING, Reason.LEGACY_MISSING)
    site.write(KEY.replace("_original", "_small"), b"whatever")
    Shadow.objects.update(state=ShadowState.DUE)
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.verdict, shadow.reason) == (Verdict.WORSE, Reason.OURS_MISSING)


def test_a_job_that_somebody_cancelled_is_not_compared(site: Site, photo: bytes) -> None:
    from media_jobs.services.jobs import lifecycle

    site.write(KEY, photo)
    shadow = asked()
    take_turn()
    shadow.refresh_from_db()
    assert shadow.job
    lifecycle.cancel(shadow.job.pk, actor=ANONYMOUS)
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.state, shadow.code) == (ShadowState.FAILED, "cancelled")


def test_a_storage_that_is_away_is_tried_again_and_given_up_at_last(
    site: Site, settings, tmp_path, photo: bytes
) -> None:
    (tmp_path / "file").write_bytes(b"")
    settings.LEGACY_FOLDER = str(tmp_path / "file")  # no folder: whatever is asked of it fails
    shadow = asked()
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.state, shadow.code, shadow.attempts) == ("fetching", "storage_unavailable", 1)
    assert shadow.due_at > timezone.now()
    assert not workers.current().suspects_outage, "uploads go on"
    Shadow.objects.update(attempts=holding.MOST_ATTEMPTS - 1, due_at=timezone.now())
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.state, shadow.code) == ("failed", "storage_unavailable")
    settings.LEGACY_FOLDER = str(site.folder)
    site.write(KEY, photo)
    assert again.compare_again(holding.TO_COMPARE) == 1
    take_turn()
    shadow.refresh_from_db()
    assert (shadow.state, shadow.code) == ("rendering", "")


def test_what_came_to_no_end_in_time_is_not_fetched_again(site: Site) -> None:
    asked()
    Shadow.objects.update(state="failed", code=again.EXPIRED)
    assert again.compare_again(holding.TO_COMPARE) == 0


def test_who_lost_its_shadow_writes_nothing_and_leaves_nothing(site: Site, photo: bytes, monkeypatch) -> None:
    site.write(KEY, photo)
    shadow = asked()
    hold = holding.take(workers.current())
    assert hold
    assert holding.take(jobs.named("another")) is None
    Shadow.objects.update(worker="another", due_at=timezone.now() - timedelta(seconds=1))  # it was silent for long
    working.work_on(hold)
    shadow.refresh_from_db()
    assert (shadow.state, shadow.original, Job.objects.count()) == ("fetching", None, 0)
    assert [image.state for image in Original.objects.all()] == [OriginalState.DELETED], "housekeeping removes it"
    taken = holding.take(jobs.named("third"))
    assert taken
    assert taken.shadow.attempts == 2
