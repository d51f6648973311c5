"""Files of instructions go when their product keeps them no longer; what is known of them stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.errors import StorageUnavailable
from media_jobs.models import Derivative, InstructionDetail, Job, Original, Preset, Product, Tombstone
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping.tasks import task_named
from media_jobs.states import JobState
from tests import images, working
from tests.factories import make_detail, make_instruction, make_job, make_original

pytestmark = pytest.mark.django_db


def clean_up(*tasks: str) -> None:
    housekeeping.run(only=[task_named(task) for task in tasks or ("retention",)])


def processed(product: Product, content: bytes = b"", *, days_ago: float = 2) -> InstructionDetail:
    """A file whose job has ended so long ago."""
    job = make_job(make_original(content or images.jpeg(64, 48), owner="ada"))
    detail = make_detail(make_instruction("ada", product=product), job)
    working.run(job.pk)
    ended = timezone.now() - timedelta(days=days_ago)
    Job.objects.filter(pk=job.pk).update(finished_at=ended)
    detail.refresh_from_db()
    assert detail.finished_at == ended
    return detail


@pytest.fixture
def product() -> Product:
    return Product.objects.create(name="plates", preset="gallformers", open_to_all=True, done_days=3, failed_days=1)


BROKEN = images.jpeg(640, 480)[:2000]


def test_what_is_over_goes_with_all_that_was_made_of_it_and_the_rest_stays(product: Product) -> None:
    kept_product = Product.objects.get(name="gallformers")
    old, young = processed(product, days_ago=4), processed(product, days_ago=2)
    broken, fresh = processed(product, BROKEN, days_ago=2), processed(product, BROKEN, days_ago=0.5)
    for_ever = processed(kept_product, BROKEN, days_ago=400)
    Preset.objects.filter(name="gallformers").update(failed_days=1)  # its own word does not count for products
    assert old.job
    assert broken.job
    clean_up("retention", "failures")
    assert set(Original.objects.values_list("pk", flat=True)) == {
        detail.job.original_id for detail in (young, fresh, for_ever) if detail.job
    }
    keys = set(store(Role.WORKER).keys())
    assert keys == {
        *Original.objects.values_list("key", flat=True), *Derivative.objects.values_list("key", flat=True)
    }  # fmt: skip
    assert Derivative.objects.count() == 4
    for detail, state in ((old, JobState.DONE), (broken, JobState.FAILED)):
        detail.refresh_from_db()
        assert (detail.job, detail.state) == (None, state)
        detail.instruction.refresh_from_db()
        assert detail.instruction.files == 1
    assert broken.code in ("truncated", "undecodable")
    clean_up()  # again it does nothing
    assert Original.objects.count() == 3


def test_what_the_storage_refuses_is_named_and_goes_later(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """A derivative by its tombstone, the original by its row."""
    detail = processed(product, days_ago=4)
    worker = type(store(Role.WORKER))
    delete, refusals = worker.delete, iter([False, True, False, False, True])

    def refuse(self: Any, key: str) -> None:
        if next(refusals, False):
            raise StorageUnavailable("deleting a file")
        delete(self, key)

    monkeypatch.setattr(worker, "delete", refuse)
    clean_up()
    detail.refresh_from_db()
    assert detail.job is None
    left = set(store(Role.WORKER).keys())
    assert left == {Original.objects.get().key, Tombstone.objects.get(deleting=True).key}
    housekeeping.run(only=[task_named("uploads"), task_named("tombstones")], older_than=timedelta(0))
    assert list(store(Role.WORKER).keys()) == []
    assert (Original.objects.count(), Tombstone.objects.count()) == (0, 0)


def test_a_job_that_is_retried_meanwhile_keeps_its_file(product: Product) -> None:
    detail = processed(product, BROKEN, days_ago=4)
    assert detail.job
    make_job(detail.job.original)
    clean_up()
    assert Original.objects.count() == 1
