"""Uploads past the web process: a form by which to store a file, and later an image made of what was stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from media_jobs import keys, selectors
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import Caller
from media_jobs.errors import BacklogFull, FileTooLarge, UnknownUpload, UploadExpired, UploadUsed
from media_jobs.models import DirectUpload, Original, Preset
from media_jobs.models.base import uuid7
from media_jobs.pipeline.formats.sniff import announced
from media_jobs.ports import Form
from media_jobs.services import idempotency
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.images import tagging
from media_jobs.services.jobs import estimates
from media_jobs.services.jobs.transitions import from_now
from media_jobs.services.originals import size_limits
from media_jobs.services.uploads import intake
from media_jobs.services.uploads.intake import Accepted, UploadOptions
from media_jobs.states import Lane, OriginalState

#: For so long a form is good, as often as one likes.
FORM_EXPIRES_S = 900
#: So long after its beginning an upload may become an image: a large file may have been under way since the form's end.
ACCEPTED_WITHIN_S = 3600


@dataclass(frozen=True, slots=True)
class Opened:
    """An upload that was begun, and how to store its file, of at most `most_bytes`, within `expires_s` seconds."""

    upload: DirectUpload
    form: Form
    expires_s: int
    most_bytes: int


def begin(*, caller: Caller, filename: str, content_type: str, size_bytes: int | None, sha256: str) -> Opened:
    """Let `caller` store one file of that type by itself.

    size_bytes, sha256 (hexadecimal): what it will have, None and empty where that is not known yet; a worker checks it.
    Raises UnsupportedFormat, FileTooLarge, and BacklogFull while MAX_BACKLOG forms are out already.
    """
    kind = announced(content_type, filename)
    limit_bytes = size_limits().of(kind)
    if size_bytes is not None and size_bytes > limit_bytes:
        raise FileTooLarge(limit_bytes=limit_bytes)
    if selectors.has_open_uploads(settings.MAX_BACKLOG, younger_than_s=FORM_EXPIRES_S):
        raise BacklogFull
    upload_id, most_bytes = uuid7(), size_bytes or limit_bytes
    upload = DirectUpload.objects.create(  # before anything can be stored there
        id=upload_id,
        owner=caller.id,
        filename=filename[:255],
        content_type=kind.content_type,
        size_bytes=size_bytes,
        sha256=sha256.lower(),
        key=keys.staging_key(upload_id),
    )
    form = store(Role.WEB).form(
        upload.key,
        content_type=kind.content_type,
        least_bytes=size_bytes or 1,
        most_bytes=most_bytes,
        expires_s=FORM_EXPIRES_S,
    )
    return Opened(upload, form, FORM_EXPIRES_S, most_bytes)


def accept(
    upload_id: UUID,
    *,
    preset: Preset,
    caller: Caller,
    build_answer: Callable[[Accepted], Answer],
    options: UploadOptions | None = None,
    sent: Sent | None = None,
) -> Answer:
    """Make an image of the upload, once; `build_answer` says it in the caller's words.

    Nobody asks whether its file is there: the worker of its job sees to that.

    With `sent`, only if that was not answered before. Raises UnknownUpload, UploadUsed, UploadExpired,
    IdempotencyKeyReused.
    """
    asked = options or UploadOptions()
    return idempotency.once(
        sent,
        lambda: build_answer(accept_rows(upload_id, preset=preset, caller=caller, options=asked)),
        beforehand=lambda: estimates.pace(Lane.INTERACTIVE),  # now, and not while the transaction is open
    )


def accept_rows(
    upload_id: UUID, *, preset: Preset, caller: Caller, options: UploadOptions, limits: Mapping[str, Any] | None = None
) -> Accepted:
    """Make an image of the upload, as `accept` does. Needs a transaction. limits: see `intake.create_job`."""
    upload = DirectUpload.objects.filter(pk=upload_id, owner=caller.id).first()
    if upload is None:
        raise UnknownUpload
    kind, image_id = announced(upload.content_type), uuid7()
    original = Original.objects.create(
        id=image_id,
        state=OriginalState.STAGED,
        owner=upload.owner,
        filename=upload.filename,
        format=kind.format,
        content_type=kind.content_type,
        key=keys.original_key(image_id, kind.extension),
        **options.columns(),
    )
    tagging.add(original, options.tags)
    mine = DirectUpload.objects.filter(pk=upload_id, closed_at=None)
    if not mine.filter(created_at__gt=from_now(-ACCEPTED_WITHIN_S)).update(original=original, closed_at=Now()):
        raise UploadExpired if mine.exists() else UploadUsed
    return intake.enqueue_job(original, preset=preset, caller=caller, limits=limits)
