"""Finds what rows name and the storage lacks, as after a restore, and has it made again."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Prefetch

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import SYSTEM
from media_jobs.models import Derivative, Original
from media_jobs.services.jobs import lifecycle
from media_jobs.states import DerivativeState, OriginalState

_AT_ONCE = 8  # questions to the storage


@dataclass
class Found:
    """What a look at some images came to. originals: the keys of those that are gone, which nobody can make again."""

    images: int = 0
    derivatives: int = 0
    queued: int = 0
    originals: list[str] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        self.images += other.images
        self.derivatives += other.derivatives
        self.queued += other.queued
        self.originals += other.originals


def repair(*, dry_run: bool) -> Iterator[Found]:
    """Look at all images, and yield what came of each hundred. Raises StorageUnavailable.

    dry_run: queue nothing; `queued` is then how many jobs would be.
    """
    current = Derivative.objects.filter(state=DerivativeState.CURRENT)
    images = Original.objects.filter(state=OriginalState.ACTIVE, deleted_at=None)
    images = images.prefetch_related(Prefetch("derivatives", queryset=current, to_attr="pictures"))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for page in selectors.batches(images):
            yield _look(page, threads, dry_run=dry_run)


def _look(images: list[Original], threads: ThreadPoolExecutor, *, dry_run: bool) -> Found:
    made: list[Derivative] = [found for image in images for found in image.pictures]  # type: ignore[attr-defined]
    keys = [image.key for image in images] + [found.key for found in made]
    there = dict(zip(keys, threads.map(store(Role.WORKER).exists, keys), strict=True))
    lost = {image.pk: image.key for image in images if not there[image.key]}
    missing = [found for found in made if not there[found.key]]
    jobs = {found.job_id for found in missing if found.original_id not in lost}
    queued = len(jobs) if dry_run else _queue(jobs)
    return Found(len(images), len(missing), queued, list(lost.values()))


def _queue(jobs: Iterable[UUID]) -> int:
    return lifecycle.make_again(list(jobs), actor=SYSTEM)
