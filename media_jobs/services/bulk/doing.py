"""What each kind of bulk action does to some pictures. Again it does no harm."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from media_jobs import selectors
from media_jobs.callers import Caller
from media_jobs.errors import MediaError
from media_jobs.models import Job, Original, Tag
from media_jobs.services.images import deletion, editing
from media_jobs.services.jobs import lifecycle
from media_jobs.states import BulkItemState, BulkKind, JobState, Lane

Became = dict[UUID, tuple[BulkItemState, str]]
_DONE, _SKIPPED = (BulkItemState.DONE, ""), (BulkItemState.SKIPPED, "")


def do(kind: BulkKind, images: Collection[UUID], params: Mapping[str, Any], actor: Caller) -> Became:
    """Do it to each of `images`; what became of each. Those that are not in the answer were left alone."""
    if kind is BulkKind.RETRY:
        return _retry(images, actor)
    if kind is BulkKind.CANCEL:
        return _cancel(images, actor)
    change = _ONE_BY_ONE[kind]
    return _each(images, lambda image: change(image, params, actor))


def _each(images: Collection[UUID], change: Callable[[UUID], bool]) -> Became:
    """Change one after the other; one that fails holds up none."""
    became: Became = {}
    for image in images:
        try:
            became[image] = _DONE if change(image) else _SKIPPED
        except MediaError as error:
            became[image] = (BulkItemState.FAILED, str(error))
        except Original.DoesNotExist:
            became[image] = (BulkItemState.FAILED, "This picture is gone.")
    return became


def _retry(images: Collection[UUID], actor: Caller) -> Became:
    newer = selectors.telling_jobs().filter(original=OuterRef("original"), id__gt=OuterRef("id"))
    states = (JobState.FAILED, JobState.CANCELLED)
    jobs = selectors.telling_jobs().filter(
        ~Exists(newer), original__in=list(images), original__deleted_at=None, state__in=states
    )
    found = jobs.values_list("pk", "original_id")
    return _of_jobs(found, lambda of: lifecycle.retry_all(of, actor=actor, into=Lane.BULK))


def _cancel(images: Collection[UUID], actor: Caller) -> Became:
    jobs = Job.objects.filter(original__in=list(images), state__in=lifecycle.CANCELLABLE)
    return _of_jobs(jobs.values_list("pk", "original_id"), lambda of: lifecycle.cancel_all(of, actor=actor))


def _of_jobs(jobs: Any, change: Callable[[Any], object]) -> Became:
    found = dict(jobs)
    change(Job.objects.filter(pk__in=list(found)))
    return dict.fromkeys(found.values(), _DONE)


def _add_tags(image: UUID, params: Mapping[str, Any], actor: Caller) -> bool:
    had = Tag.objects.filter(original=image).values_list("name", flat=True)
    return editing.change(image, actor=actor, tags=sorted({*had, *params["tags"]}))


def _state_rights(image: UUID, params: Mapping[str, Any], actor: Caller) -> bool:
    rights = params["rights"]
    if str(image) == params.get("copied_from"):  # its file has them, and may go on to decide
        rights = {name: text for name, text in rights.items() if name not in params["copied"]}
    return editing.change(image, actor=actor, rights=rights)


def _delete(image: UUID, params: Mapping[str, Any], actor: Caller) -> bool:
    if not selectors.there().filter(pk=image).exists():
        return False
    deletion.delete(image, actor=actor)
    return True


def _restore(image: UUID, params: Mapping[str, Any], actor: Caller) -> bool:
    deletion.restore(image, actor=actor)
    return True


#: Each returns whether it changed anything. What is made anew is not among them: a run does that.
_ONE_BY_ONE: dict[BulkKind, Callable[[UUID, Mapping[str, Any], Caller], bool]] = {
    BulkKind.TAG: _add_tags,
    BulkKind.RIGHTS: _state_rights,
    BulkKind.DELETE: _delete,
    BulkKind.RESTORE: _restore,
}
