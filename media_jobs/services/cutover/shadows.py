"""Accepting shadows: by a key whose file a worker fetches, or with an upload."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from media_jobs import selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import Caller
from media_jobs.errors import ShadowExists, ShadowsFull
from media_jobs.models import Shadow
from media_jobs.pipeline.recipes import LEGACY
from media_jobs.services import idempotency
from media_jobs.services.cutover import legacy
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.jobs import dispatch, estimates
from media_jobs.services.uploads.intake import Accepted, Upload, UploadOptions
from media_jobs.states import Lane, ShadowState

log = structlog.get_logger(__name__)

#: By which the pictures of shadows are found, and left out, in the library.
TAG = "shadow"
#: Shadows are refused while this times the room is free below which uploads are.
_SPARE_ROOM = 2
#: What a worker has still to make. What waits for its comparison delays nobody.
_WAITING = (ShadowState.FETCHING, ShadowState.RENDERING)


def find(shadow_id: UUID, caller: Caller) -> Shadow | None:
    """Return a shadow that the caller may see: its own, or with the permission to see jobs anybody's."""
    shadow = Shadow.objects.select_related("original").filter(pk=shadow_id).first()
    return shadow if shadow and caller.may_read(shadow.owner) else None


def ask(key: str, *, caller: Caller) -> tuple[Shadow, bool]:
    """Have a worker fetch the original that the site has under `key`; its shadow, and whether it is a new one.

    Raises BadLegacyKey, ShadowExists where the key is another's, ShadowsFull, StorageFull.
    """
    legacy.checked(key)
    if earlier := _earlier(key, caller):
        return earlier, False
    check_room()
    try:
        with transaction.atomic():
            shadow = Shadow.objects.create(legacy_key=key, owner=caller.id, state=ShadowState.FETCHING)
            transaction.on_commit(lambda: dispatch.notify(Lane.BULK), robust=True)
    except IntegrityError:
        if earlier := _earlier(key, caller):  # at this moment
            return earlier, False
        raise
    log.info("shadow_asked", shadow=str(shadow.pk))
    return shadow, True


def accept(
    upload: Upload,
    key: str,
    *,
    caller: Caller,
    options: UploadOptions,
    sent: Sent | None,
    build_answer: Callable[[Accepted], Answer],
) -> Answer:
    """Accept an upload as the shadow of what the site has under `key`, as `Upload.accept` does.

    Where the key has a shadow of the same bytes, that is the answer, and the upload is still to be aborted. Raises
    BadLegacyKey, ShadowExists for other bytes, ShadowsFull, StorageFull, StorageUnavailable, IdempotencyKeyReused.
    """
    legacy.checked(key)
    preset = selectors.current_preset(LEGACY.name)

    def write() -> Answer:
        tagged = replace(options, tags=tuple(dict.fromkeys((*options.tags, TAG))))
        accepted = upload.write_rows(preset, caller, tagged, lane=Lane.BULK)
        return build_answer(replace(accepted, shadow_id=_attach(key, accepted, caller).pk))

    if earlier := _earlier(key, caller):
        if earlier.state != ShadowState.FETCHING:
            return build_answer(_repeated(earlier, upload))
    else:
        check_room()
    try:
        answer = idempotency.once(sent, write, beforehand=upload.commit)
    except IntegrityError:
        if earlier := _earlier(key, caller):  # at this moment
            return build_answer(_repeated(earlier, upload))
        raise
    if not answer.replayed:
        upload.end()
    return answer


def check_room() -> None:
    """Raises ShadowsFull past MAX_SHADOWS, and StorageFull long before uploads are refused."""
    store(Role.WEB).check_room(times=_SPARE_ROOM)
    most = settings.MAX_SHADOWS
    if Shadow.objects.filter(state__in=_WAITING).order_by().values("pk")[:most].count() >= most:
        raise ShadowsFull


def _earlier(key: str, caller: Caller) -> Shadow | None:
    """Return the shadow that the key has. Raises ShadowExists where it is another's."""
    shadow = Shadow.objects.select_related("original", "job").filter(legacy_key=key).first()
    if shadow and shadow.owner != caller.id:
        raise ShadowExists("which another caller asked for")
    return shadow


def _attach(key: str, accepted: Accepted, caller: Caller) -> Shadow:
    """Write the shadow of an upload, or give it to the one that waits for its file. Raises IntegrityError."""
    ours = {"original": accepted.job.original, "job": accepted.job, "state": ShadowState.RENDERING}
    waiting = Shadow.objects.filter(legacy_key=key, owner=caller.id, state=ShadowState.FETCHING)
    if waiting.update(**ours, worker="", attempts=0, due_at=Now(), code="", detail=""):
        return Shadow.objects.get(legacy_key=key)
    return Shadow.objects.create(legacy_key=key, owner=caller.id, **ours)


def _repeated(earlier: Shadow, upload: Upload) -> Accepted:
    """What the first request was answered. Raises ShadowExists where this is another one."""
    if earlier.original is None or earlier.job is None:
        raise ShadowExists("whose pictures are not kept any more", shadow_id=earlier.pk)
    if earlier.original.owner != earlier.owner:  # nothing of it is the caller's
        raise ShadowExists("which a worker has fetched", shadow_id=earlier.pk)
    if earlier.original.sha256 != upload.sha256:
        raise ShadowExists("of other bytes", shadow_id=earlier.pk)
    return Accepted(earlier.job, estimates.remaining_ms(earlier.job), shadow_id=earlier.pk)
