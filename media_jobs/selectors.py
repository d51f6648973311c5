"""Read queries."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Now

from media_jobs import keys
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import Caller
from media_jobs.errors import UnknownPreset
from media_jobs.models import Derivative, DirectUpload, Job, Original, Preset, WebhookDelivery, WebhookEndpoint
from media_jobs.pipeline import values
from media_jobs.states import DerivativeState, JobState, Lane, OriginalState

#: Of originals that are there, checked or not.
THERE = (OriginalState.STAGED, OriginalState.ACTIVE)


def current_preset(name: str) -> Preset:
    """The version that new jobs get. Raises UnknownPreset, which names the known ones."""
    try:
        return Preset.objects.prefetch_related("renditions").get(name=name, current=True)
    except Preset.DoesNotExist:
        raise UnknownPreset(name, preset_names()) from None


def preset_names() -> list[str]:
    """Those of all presets, each of which has a current version."""
    return list(Preset.objects.filter(current=True).order_by("name").values_list("name", flat=True))


def job(job_id: UUID, caller: Caller) -> Job | None:
    """The job, where it exists and `caller` may see it; that of a deleted image is gone with it."""
    kept = Job.objects.select_related("original", "preset").filter(original__deleted_at=None)
    found = kept.filter(pk=job_id).first()
    return found if found and caller.may_read(found.owner) else None


def count_readable(job_ids: Collection[UUID], caller: Caller) -> int:
    """How many of these jobs exist and `caller` may see."""
    kept = Job.objects.filter(original__deleted_at=None)
    owners = kept.filter(pk__in=job_ids).values_list("owner", flat=True) if job_ids else []
    return sum(map(caller.may_read, owners))


def telling_jobs() -> QuerySet[Job]:
    """Return the jobs that say how an image is. Those of runs do only once they are done: until then the picture is
    what it was."""
    return Job.objects.filter(Q(run=None) | Q(state=JobState.DONE))


def image(image_id: UUID, caller: Caller, *, deleted: bool = False) -> Original | None:
    """The original with its jobs, newest first, where `caller` may see it; perhaps it is still to be checked.

    deleted: also one that was deleted and that is there still.
    """
    jobs = telling_jobs().select_related("preset").order_by("-id")
    images = Original.objects.filter(state__in=THERE) if deleted else there()
    found = images.filter(pk=image_id).prefetch_related(Prefetch("jobs", queryset=jobs), "tags").first()
    return found if found and caller.may_read_image(found.owner) else None


def receipt(image: Original) -> dict[str, Any] | None:
    """The privacy receipt of the newest finished job of an image whose jobs are loaded newest first."""
    done = (job.receipt for job in image.jobs.all() if job.state == JobState.DONE)
    return next(filter(None, done), None)


def there() -> QuerySet[Original]:
    """Images that nobody has deleted; perhaps they are still to be checked."""
    return Original.objects.filter(state__in=THERE, deleted_at=None)


def restorable() -> QuerySet[Original]:
    """Images that were deleted, and can still come back."""
    since = Now() - timedelta(days=settings.RESTORE_DAYS)
    return Original.objects.filter(state__in=THERE, deleted_at__gt=since)


def derivatives(image: Original) -> list[Derivative]:
    """All current derivatives of an image, the largest first, each with the renditions of its preset."""
    current = image.derivatives.filter(state=DerivativeState.CURRENT).select_related("preset")
    current = current.prefetch_related("preset__renditions")
    return list(current.order_by("preset_name", "-width_px", "rendition"))


def is_stale(derivative: Derivative, image: Original) -> bool:
    """Whether a new run would make another file: rights were changed since, so its key is no longer right."""
    recipe = next((r.recipe() for r in derivative.preset.renditions.all() if r.name == derivative.rendition), None)
    if recipe is None:
        return True
    digest = values.digest(
        recipe,
        source_sha256=image.sha256,
        overrides=image.overrides(),
        rights=image.rights,
        engine=derivative.engine,
    )
    return digest != keys.digest_of(derivative.key)


def derivatives_of(job: Job, known: Collection[Derivative] | None = None) -> list[Derivative]:
    """What the job was asked for, as it is now; nothing before the job is done.

    known: all current derivatives of its image, where the caller has them already.
    """
    if job.state != JobState.DONE:
        return []
    if known is None:
        known = Derivative.objects.filter(original_id=job.original_id, state=DerivativeState.CURRENT).filter(
            preset_name=job.preset.name, rendition__in=job.wanted
        )
    made = (d for d in known if d.preset_name == job.preset.name and d.rendition in job.wanted)
    return sorted(made, key=lambda d: job.wanted.index(d.rendition))


def derivative_url(derivative: Derivative) -> str:
    """The stable public URL."""
    return store(Role.WEB).url(derivative.key)


def public_url(key: str) -> str:
    """The stable public URL of what lies under a public key."""
    return store(Role.WEB).url(key)


def batches(rows: QuerySet[Any], size: int = 100) -> Iterator[list[Any]]:
    """The rows by primary key, each at most once, whatever becomes of them meanwhile."""
    rows = rows.order_by("pk")
    page = list(rows[:size])
    while page:
        yield page
        page = list(rows.filter(pk__gt=page[-1].pk)[:size]) if len(page) == size else []


def due(lane: Lane) -> QuerySet[Job]:
    """The waiting jobs of a lane whose time has come, in the order in which workers take them."""
    waiting = Job.objects.filter(state=JobState.QUEUED, lane=lane, not_before__lte=Now())
    return waiting.order_by("queue_position", "id")


def count_due(lane: Lane, *, at_most: int) -> int:
    """How many jobs of a lane could be done now; stops counting at `at_most`."""
    return due(lane).values("pk")[:at_most].count()


def backlog_size(*, at_most: int) -> int:
    """How many jobs wait in the lanes of uploads; stops counting at `at_most`. Reprocessing holds nobody up."""
    counted = 0
    for lane in (Lane.INTERACTIVE, Lane.HEAVY):
        # In the order of its index: else PostgreSQL may look for so many among all jobs that were ever done.
        waiting = Job.objects.filter(state=JobState.QUEUED, lane=lane).order_by("queue_position", "id")
        counted += waiting.values("pk")[: at_most - counted].count()
    return counted


def waiting_before(job: Job, *, at_most: int) -> int:
    """How many jobs of its lane come before this waiting one; stops counting at `at_most`."""
    waiting = Job.objects.filter(state=JobState.QUEUED, lane=job.lane, queue_position__lte=job.queue_position)
    ahead = waiting.filter(Q(queue_position__lt=job.queue_position) | Q(pk__lt=job.pk)).order_by("queue_position", "id")
    return ahead.values("pk")[:at_most].count()


def latest_done(*, at_most: int) -> QuerySet[Job, Any]:
    """Lane, duration in ms, worker and end of the jobs that were done last, newest first."""
    timed = Job.objects.filter(state=JobState.DONE, finished_at__isnull=False, duration_ms__isnull=False)
    return timed.order_by("-finished_at").values_list("lane", "duration_ms", "worker", "finished_at")[:at_most]


def at_work() -> QuerySet[Job, tuple[str, str]]:
    """Lane and worker of each job that is being done."""
    return Job.objects.filter(state=JobState.PROCESSING, lease_until__gt=Now()).values_list("lane", "worker")


def has_open_uploads(count: int, *, younger_than_s: float) -> bool:
    """Whether at least so many direct uploads were begun lately that have become no image yet."""
    since = Now() - timedelta(seconds=younger_than_s)
    lately = DirectUpload.objects.filter(created_at__gt=since, closed_at=None).order_by("created_at")
    return lately[count - 1 : count].exists()


def same_bytes(owner: str, sha256: str) -> UUID | None:
    """An original of `owner` with these bytes, if there is one: any, since there may be very many.

    None of a shadow, which is deleted after some weeks.
    """
    # The first at or after these bytes, in the order of their index. Asked for equal ones, and where very many are,
    # PostgreSQL would look through all originals for one of them.
    kept = Original.objects.filter(state=OriginalState.ACTIVE, deleted_at=None, shadow=None)
    near = kept.filter(owner=owner, sha256__gte=sha256)
    nearest = near.order_by("sha256").values_list("pk", "sha256")[:1]
    return next((image_id for image_id, found in nearest if found == sha256), None)


def webhooks(owner: str) -> QuerySet[WebhookEndpoint]:
    """The webhooks of exactly this caller, oldest first."""
    return WebhookEndpoint.objects.filter(owner=owner).order_by("id")


def newest_deliveries(
    endpoint: WebhookEndpoint, *, state: str = "", before: UUID | None = None, at_most: int
) -> list[WebhookDelivery]:
    """Deliveries to a webhook, newest first; before: only those that are older than this one."""
    found = endpoint.deliveries.order_by("-id")
    found = found.filter(state=state) if state else found
    return list((found.filter(pk__lt=before) if before else found)[:at_most])
