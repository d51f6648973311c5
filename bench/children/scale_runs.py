"""What reprocess runs do in a full database, as operations of `scale_child`."""

import random
from collections.abc import Callable, Iterator
from functools import cached_property
from uuid import UUID

from django.db.models.functions import Mod
from django.test import Client

from media_jobs import staleness
from media_jobs.callers import SYSTEM
from media_jobs.models import Job, Original, ReprocessRun, RunItem
from media_jobs.selectors import current_preset
from media_jobs.services.runs import filling, lifecycle
from media_jobs.states import JobState, RunItemState, RunState

Act = Callable[[], object]
_CHANCE = random.Random(14)
#: One image of the ledger in so many failed.
_FAILED = 50


class Runs:
    """Operations over all originals, and one run whose ledger has all of them."""

    _staff: Client

    @cached_property
    def _whole(self) -> tuple[UUID, list[UUID]]:
        """The run, and some images of its ledger."""
        run = _draft()
        ReprocessRun.objects.filter(pk=run.pk).update(state=RunState.PAUSED, last_image=_last_image())
        run.refresh_from_db()
        while filling.fill_page(run):
            pass
        every = RunItem.objects.filter(run=run).annotate(rest=Mod("id", _FAILED)).filter(rest=0)
        every.update(state=RunItemState.FAILED, code="undecodable")
        return run.pk, _sample(run)

    def estimate(self) -> Iterator[Act]:
        """Reckon what a run over everything would cost."""
        run = _draft()
        yield lambda: lifecycle.estimate(run)
        run.delete()

    def estimate_missing(self) -> Iterator[Act]:
        """Reckon what a run over all that is missing would cost."""
        run = _draft(missing=True)
        yield lambda: lifecycle.estimate(run)
        run.delete()

    def first_job(self) -> Iterator[Act]:
        """Confirm a run over everything: when that returns, its first job is queued."""
        run = _draft()
        yield lambda: lifecycle.confirm(run.pk, actor=SYSTEM)
        jobs = Job.objects.filter(run=run)
        assert jobs.filter(state=JobState.QUEUED).exists()
        RunItem.objects.filter(run=run).delete()
        jobs.delete()
        run.delete()

    def ledger(self) -> Iterator[Act]:
        """A page in the middle of a ledger."""
        yield self._page(f"after={_CHANCE.choice(self._whole[1])}")

    def ledger_failed(self) -> Iterator[Act]:
        """A page of what failed, in the middle of a ledger."""
        yield self._page(f"state=failed&after={_CHANCE.choice(self._whole[1])}")

    def stale(self) -> Iterator[Act]:
        """Count what is stale, and why."""
        yield staleness.count

    def _page(self, query: str) -> Act:
        def get() -> None:
            answer = self._staff.get(f"/v1/runs/{self._whole[0]}/items?{query}")
            assert answer.status_code == 200, answer.content

        return get


def _draft(**selection: object) -> ReprocessRun:
    preset = current_preset("gallformers")
    wanted = [rendition.name for rendition in preset.renditions.all()]
    return ReprocessRun.objects.create(owner=SYSTEM.id, preset=preset, wanted=wanted, selection=selection)


def _last_image() -> UUID | None:
    return Original.objects.order_by("-pk").values_list("pk", flat=True).first()


def _sample(run: ReprocessRun) -> list[UUID]:
    """Return images that are not among the last two hundred of the ledger: a page begins behind them."""
    highest = RunItem.objects.filter(run=run).order_by("-original").values_list("original", flat=True)[200:201].first()
    images = RunItem.objects.filter(run=run, original__lte=highest) if highest else RunItem.objects.filter(run=run)
    return list(images.order_by("?").values_list("original", flat=True)[:200])
